DROP TABLE group_comparisons;

CREATE TABLE group_comparisons (
    company_id INTEGER NOT NULL,
    low BYTEA NOT NULL,
    high BYTEA NOT NULL,
    common INTEGER NOT NULL,
    differ INTEGER NOT NULL,
    smaller INTEGER NOT NULL,
    exact BOOLEAN NOT NULL,
    CONSTRAINT pk_group_comparisons PRIMARY KEY (company_id, low, high),
    CONSTRAINT ck_group_comparisons_order CHECK (low < high),
    CONSTRAINT ck_group_comparisons_counts CHECK (differ >= 0 AND differ <= common AND common <= smaller),
    CONSTRAINT fk_group_comparisons_company_id FOREIGN KEY(company_id) REFERENCES companies (id)
);

CREATE TABLE store_vectors (
    store_id INTEGER NOT NULL,
    fingerprint BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    present BYTEA NOT NULL,
    codes BYTEA NOT NULL,
    CONSTRAINT pk_store_vectors PRIMARY KEY (store_id),
    CONSTRAINT fk_store_vectors_store_id FOREIGN KEY(store_id) REFERENCES stores (id)
);
