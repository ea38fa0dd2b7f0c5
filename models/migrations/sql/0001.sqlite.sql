CREATE TABLE slot_dirty (
    product_id INTEGER NOT NULL,
    marked_at TEXT NOT NULL,
    CONSTRAINT pk_slot_dirty PRIMARY KEY (product_id)
)
 STRICT;

CREATE TABLE prices (
    store_id INTEGER NOT NULL,
    listing_id INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    was_price_cents INTEGER,
    price_basis TEXT NOT NULL,
    typical_grams INTEGER,
    is_estimated INTEGER NOT NULL,
    unit_price_e4 INTEGER,
    unit_of_measure TEXT,
    is_on_special INTEGER NOT NULL,
    offer_id TEXT,
    offer_kind TEXT,
    multibuy_quantity INTEGER,
    multibuy_total_cents INTEGER,
    member_price_cents INTEGER,
    channel TEXT,
    offer_until TEXT,
    changed_at TEXT NOT NULL,
    crawl_run_id INTEGER NOT NULL,
    CONSTRAINT pk_prices PRIMARY KEY (store_id, listing_id),
    CONSTRAINT ck_prices_price CHECK (price_cents >= 0),
    CONSTRAINT ck_prices_was CHECK (was_price_cents IS NULL OR (price_cents IS NOT NULL AND was_price_cents > price_cents)),
    CONSTRAINT ck_prices_special CHECK (is_on_special = (was_price_cents IS NOT NULL)),
    CONSTRAINT ck_prices_price_basis CHECK (price_basis IN ('each', 'kg')),
    CONSTRAINT ck_prices_typical CHECK (typical_grams > 0),
    CONSTRAINT ck_prices_unit_price CHECK (unit_price_e4 >= 0 AND unit_price_e4 < 1000000000000),
    CONSTRAINT ck_prices_unit CHECK ((unit_price_e4 IS NULL) = (unit_of_measure IS NULL)),
    CONSTRAINT ck_prices_unit_of_measure CHECK (unit_of_measure IN ('kg', 'l', 'm', 'ea')),
    CONSTRAINT ck_prices_multibuy CHECK (multibuy_quantity >= 2 AND multibuy_total_cents >= 0),
    CONSTRAINT ck_prices_multibuy_pair CHECK ((multibuy_quantity IS NULL) = (multibuy_total_cents IS NULL)),
    CONSTRAINT ck_prices_member CHECK (member_price_cents >= 0)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_prices_listing_id_store_id ON prices (listing_id, store_id);

CREATE TABLE price_changes (
    store_id INTEGER NOT NULL,
    listing_id INTEGER NOT NULL,
    changed_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    price_cents INTEGER,
    was_price_cents INTEGER,
    price_basis TEXT NOT NULL,
    typical_grams INTEGER,
    is_estimated INTEGER NOT NULL,
    unit_price_e4 INTEGER,
    unit_of_measure TEXT,
    is_on_special INTEGER NOT NULL,
    offer_id TEXT,
    offer_kind TEXT,
    multibuy_quantity INTEGER,
    multibuy_total_cents INTEGER,
    member_price_cents INTEGER,
    channel TEXT,
    offer_until TEXT,
    crawl_run_id INTEGER NOT NULL,
    seen_before INTEGER,
    CONSTRAINT pk_price_changes PRIMARY KEY (store_id, listing_id, changed_at),
    CONSTRAINT ck_price_changes_price CHECK (price_cents >= 0),
    CONSTRAINT ck_price_changes_was CHECK (was_price_cents IS NULL OR (price_cents IS NOT NULL AND was_price_cents > price_cents)),
    CONSTRAINT ck_price_changes_special CHECK (is_on_special = (was_price_cents IS NOT NULL)),
    CONSTRAINT ck_price_changes_price_basis CHECK (price_basis IN ('each', 'kg')),
    CONSTRAINT ck_price_changes_typical CHECK (typical_grams > 0),
    CONSTRAINT ck_price_changes_unit_price CHECK (unit_price_e4 >= 0 AND unit_price_e4 < 1000000000000),
    CONSTRAINT ck_price_changes_unit CHECK ((unit_price_e4 IS NULL) = (unit_of_measure IS NULL)),
    CONSTRAINT ck_price_changes_unit_of_measure CHECK (unit_of_measure IN ('kg', 'l', 'm', 'ea')),
    CONSTRAINT ck_price_changes_multibuy CHECK (multibuy_quantity >= 2 AND multibuy_total_cents >= 0),
    CONSTRAINT ck_price_changes_multibuy_pair CHECK ((multibuy_quantity IS NULL) = (multibuy_total_cents IS NULL)),
    CONSTRAINT ck_price_changes_member CHECK (member_price_cents >= 0),
    CONSTRAINT ck_price_changes_kind CHECK (kind IN ('own', 'follows'))
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE brands (
    id INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_brands PRIMARY KEY (id),
    CONSTRAINT uq_brands_key UNIQUE ("key")
)
 STRICT;

CREATE TABLE staged_items (
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    brand TEXT,
    gtin TEXT,
    size TEXT,
    price_cents INTEGER,
    was_price_cents INTEGER,
    price_basis TEXT NOT NULL,
    typical_grams INTEGER,
    is_estimated INTEGER NOT NULL,
    unit_price_e4 INTEGER,
    unit_of_measure TEXT,
    is_on_special INTEGER NOT NULL,
    offer_id TEXT,
    offer_kind TEXT,
    multibuy_quantity INTEGER,
    multibuy_total_cents INTEGER,
    member_price_cents INTEGER,
    channel TEXT,
    offer_until TEXT,
    is_available INTEGER NOT NULL,
    is_ranged INTEGER NOT NULL,
    category_path TEXT,
    category_key TEXT,
    is_promo INTEGER NOT NULL,
    url TEXT,
    image_url TEXT,
    sponsored INTEGER NOT NULL,
    scraped_at TEXT,
    CONSTRAINT pk_staged_items PRIMARY KEY (run_id, seq),
    CONSTRAINT ck_staged_items_price CHECK (price_cents >= 0),
    CONSTRAINT ck_staged_items_was CHECK (was_price_cents IS NULL OR (price_cents IS NOT NULL AND was_price_cents > price_cents)),
    CONSTRAINT ck_staged_items_special CHECK (is_on_special = (was_price_cents IS NOT NULL)),
    CONSTRAINT ck_staged_items_price_basis CHECK (price_basis IN ('each', 'kg')),
    CONSTRAINT ck_staged_items_typical CHECK (typical_grams > 0),
    CONSTRAINT ck_staged_items_unit_price CHECK (unit_price_e4 >= 0 AND unit_price_e4 < 1000000000000),
    CONSTRAINT ck_staged_items_unit CHECK ((unit_price_e4 IS NULL) = (unit_of_measure IS NULL)),
    CONSTRAINT ck_staged_items_unit_of_measure CHECK (unit_of_measure IN ('kg', 'l', 'm', 'ea')),
    CONSTRAINT ck_staged_items_multibuy CHECK (multibuy_quantity >= 2 AND multibuy_total_cents >= 0),
    CONSTRAINT ck_staged_items_multibuy_pair CHECK ((multibuy_quantity IS NULL) = (multibuy_total_cents IS NULL)),
    CONSTRAINT ck_staged_items_member CHECK (member_price_cents >= 0),
    CONSTRAINT ck_staged_items_gtin CHECK (length(gtin) = 14 AND ltrim(gtin, '0123456789') = ''),
    CONSTRAINT ck_staged_items_text CHECK (sku <> '' AND name <> '')
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE companies (
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    flip_weekday INTEGER DEFAULT 2 NOT NULL,
    flip_hour INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_companies PRIMARY KEY (id),
    CONSTRAINT ck_companies_slug CHECK (slug = lower(slug) AND slug <> ''),
    CONSTRAINT ck_companies_flip CHECK (flip_weekday BETWEEN 0 AND 6 AND flip_hour BETWEEN 0 AND 23),
    CONSTRAINT uq_companies_name UNIQUE (name),
    CONSTRAINT uq_companies_slug UNIQUE (slug)
)
 STRICT;

CREATE TABLE brand_aliases (
    "key" TEXT NOT NULL,
    brand_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    crawl_run_id INTEGER,
    created_at TEXT NOT NULL,
    CONSTRAINT pk_brand_aliases PRIMARY KEY ("key"),
    CONSTRAINT fk_brand_aliases_brand_id FOREIGN KEY(brand_id) REFERENCES brands (id)
)
 STRICT;

CREATE INDEX ix_brand_aliases_brand_id ON brand_aliases (brand_id);

CREATE TABLE products (
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    brand_id INTEGER,
    gtin TEXT,
    size_amount_e3 INTEGER,
    size_unit TEXT,
    size_count INTEGER,
    size_is_approx INTEGER,
    normalized_key TEXT NOT NULL,
    CONSTRAINT pk_products PRIMARY KEY (id),
    CONSTRAINT ck_products_gtin CHECK (length(gtin) = 14 AND ltrim(gtin, '0123456789') = ''),
    CONSTRAINT ck_products_size_unit CHECK (size_unit IN ('g', 'ml', 'm', 'ea')),
    CONSTRAINT ck_products_size CHECK (size_amount_e3 > 0 AND size_count >= 1),
    CONSTRAINT ck_products_size_unit_known CHECK ((size_amount_e3 IS NULL) = (size_unit IS NULL)),
    CONSTRAINT ck_products_size_count_known CHECK ((size_amount_e3 IS NULL) = (size_count IS NULL)),
    CONSTRAINT fk_products_brand_id FOREIGN KEY(brand_id) REFERENCES brands (id)
)
 STRICT;

CREATE INDEX ix_products_normalized_key ON products (normalized_key);

CREATE UNIQUE INDEX uq_products_gtin ON products (gtin) WHERE gtin IS NOT NULL;

CREATE INDEX ix_products_brand_id ON products (brand_id);

CREATE TABLE categories (
    id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    "key" TEXT,
    parent_id INTEGER,
    is_promo INTEGER DEFAULT false NOT NULL,
    CONSTRAINT pk_categories PRIMARY KEY (id),
    CONSTRAINT uq_categories_company_id_path UNIQUE (company_id, path),
    CONSTRAINT fk_categories_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT fk_categories_parent_id FOREIGN KEY(parent_id) REFERENCES categories (id)
)
 STRICT;

CREATE INDEX ix_categories_parent_id ON categories (parent_id);

CREATE TABLE stores (
    id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    store_id TEXT NOT NULL,
    locator_id TEXT,
    store_name TEXT NOT NULL,
    address_line_1 TEXT,
    suburb TEXT,
    state TEXT,
    postcode TEXT,
    latitude REAL,
    longitude REAL,
    timezone TEXT DEFAULT 'Australia/Sydney' NOT NULL,
    is_online INTEGER DEFAULT true NOT NULL,
    fulfilled_by TEXT,
    last_scraped TEXT,
    verified_at TEXT,
    scheduled_at TEXT,
    needs_rescraping INTEGER DEFAULT false NOT NULL,
    lease_until TEXT,
    lease_token TEXT,
    fail_count INTEGER DEFAULT 0 NOT NULL,
    next_try_at TEXT,
    closed_at TEXT,
    CONSTRAINT pk_stores PRIMARY KEY (id),
    CONSTRAINT uq_stores_company_id_store_id UNIQUE (company_id, store_id),
    CONSTRAINT ck_stores_lease CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CONSTRAINT ck_stores_fail_count CHECK (fail_count >= 0),
    CONSTRAINT ck_stores_store_id CHECK (store_id <> ''),
    CONSTRAINT ck_stores_fulfilled_by CHECK (fulfilled_by <> store_id),
    CONSTRAINT ck_stores_place CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180),
    CONSTRAINT fk_stores_company_id FOREIGN KEY(company_id) REFERENCES companies (id)
)
 STRICT;

CREATE TABLE store_ranges (
    store_id INTEGER NOT NULL,
    ranged BLOB NOT NULL,
    available BLOB NOT NULL,
    as_of TEXT NOT NULL,
    CONSTRAINT pk_store_ranges PRIMARY KEY (store_id),
    CONSTRAINT ck_store_ranges_length CHECK (length(ranged) = length(available)),
    CONSTRAINT fk_store_ranges_store_id FOREIGN KEY(store_id) REFERENCES stores (id)
)
 STRICT;

CREATE TABLE product_aliases (
    product_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    company_id INTEGER,
    sku TEXT,
    crawl_run_id INTEGER,
    created_at TEXT NOT NULL,
    CONSTRAINT pk_product_aliases PRIMARY KEY (product_id, kind, value),
    CONSTRAINT ck_product_aliases_kind CHECK (kind IN ('key', 'gtin', 'product')),
    CONSTRAINT fk_product_aliases_product_id FOREIGN KEY(product_id) REFERENCES products (id)
)
 STRICT;

CREATE INDEX ix_product_aliases_value ON product_aliases (kind, value);

CREATE TABLE product_categories (
    product_id INTEGER NOT NULL,
    category_id INTEGER NOT NULL,
    CONSTRAINT pk_product_categories PRIMARY KEY (product_id, category_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_product_categories_category_id ON product_categories (category_id);

CREATE TABLE listings (
    id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    sku TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    brand TEXT,
    gtin TEXT,
    size TEXT,
    url TEXT,
    image_url TEXT,
    category_id INTEGER,
    pending TEXT,
    pending_at TEXT,
    CONSTRAINT pk_listings PRIMARY KEY (id),
    CONSTRAINT uq_listings_company_id_sku UNIQUE (company_id, sku),
    CONSTRAINT uq_listings_company_id_ordinal UNIQUE (company_id, ordinal),
    CONSTRAINT ck_listings_gtin CHECK (length(gtin) = 14 AND ltrim(gtin, '0123456789') = ''),
    CONSTRAINT ck_listings_ordinal CHECK (ordinal >= 0),
    CONSTRAINT ck_listings_text CHECK (sku <> '' AND name <> ''),
    CONSTRAINT ck_listings_pending CHECK ((pending IS NULL) = (pending_at IS NULL)),
    CONSTRAINT fk_listings_product_id FOREIGN KEY(product_id) REFERENCES products (id)
)
 STRICT;

CREATE INDEX ix_listings_category_id ON listings (category_id);

CREATE INDEX ix_listings_product_id ON listings (product_id);

CREATE TABLE crawl_runs (
    id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    store_code TEXT NOT NULL,
    store_id INTEGER,
    spider TEXT NOT NULL,
    lease_token TEXT,
    lease_until TEXT,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    answered_for TEXT,
    counts TEXT,
    figures TEXT,
    skipped_roots TEXT,
    undo BLOB,
    rolled_back_at TEXT,
    CONSTRAINT pk_crawl_runs PRIMARY KEY (id),
    CONSTRAINT ck_crawl_runs_status CHECK (status IN ('running', 'complete', 'partial', 'blocked', 'failed', 'abandoned')),
    CONSTRAINT ck_crawl_runs_finished CHECK ((status = 'running') = (finished_at IS NULL)),
    CONSTRAINT ck_crawl_runs_held CHECK ((status = 'running') = (lease_token IS NOT NULL)),
    CONSTRAINT ck_crawl_runs_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT fk_crawl_runs_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT fk_crawl_runs_store_id FOREIGN KEY(store_id) REFERENCES stores (id)
)
 STRICT;

CREATE INDEX ix_crawl_runs_store_id ON crawl_runs (store_id, finished_at);

CREATE INDEX ix_crawl_runs_company_id_store_code ON crawl_runs (company_id, store_code, finished_at);

CREATE UNIQUE INDEX uq_crawl_runs_running ON crawl_runs (company_id, store_code) WHERE status = 'running';

CREATE TABLE store_groups (
    id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    anchor_id INTEGER NOT NULL,
    CONSTRAINT pk_store_groups PRIMARY KEY (id),
    CONSTRAINT fk_store_groups_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT uq_store_groups_anchor_id UNIQUE (anchor_id),
    CONSTRAINT fk_store_groups_anchor_id FOREIGN KEY(anchor_id) REFERENCES stores (id)
)
 STRICT;

CREATE TABLE membership_periods (
    store_id INTEGER NOT NULL,
    from_at TEXT NOT NULL,
    to_at TEXT,
    group_id INTEGER NOT NULL,
    anchor_id INTEGER NOT NULL,
    CONSTRAINT pk_membership_periods PRIMARY KEY (store_id, from_at),
    CONSTRAINT ck_membership_periods_order CHECK (to_at > from_at),
    CONSTRAINT fk_membership_periods_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_membership_periods_anchor_id FOREIGN KEY(anchor_id) REFERENCES stores (id)
)
 STRICT;

CREATE INDEX ix_membership_periods_anchor_id ON membership_periods (anchor_id);

CREATE UNIQUE INDEX uq_membership_periods_open ON membership_periods (store_id) WHERE to_at IS NULL;

CREATE TABLE group_comparisons (
    store_a_id INTEGER NOT NULL,
    store_b_id INTEGER NOT NULL,
    run_a_id INTEGER NOT NULL,
    run_b_id INTEGER NOT NULL,
    common INTEGER NOT NULL,
    equal INTEGER NOT NULL,
    smaller_range INTEGER NOT NULL,
    compared_at TEXT NOT NULL,
    CONSTRAINT pk_group_comparisons PRIMARY KEY (store_a_id, store_b_id),
    CONSTRAINT ck_group_comparisons_order CHECK (store_a_id < store_b_id),
    CONSTRAINT ck_group_comparisons_counts CHECK (equal >= 0 AND equal <= common AND common <= smaller_range),
    CONSTRAINT fk_group_comparisons_store_a_id FOREIGN KEY(store_a_id) REFERENCES stores (id),
    CONSTRAINT fk_group_comparisons_store_b_id FOREIGN KEY(store_b_id) REFERENCES stores (id)
)
 STRICT;

CREATE TABLE price_slots (
    product_id INTEGER NOT NULL,
    listing_id INTEGER NOT NULL,
    store_id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    anchor_id INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    was_price_cents INTEGER,
    price_basis TEXT NOT NULL,
    typical_grams INTEGER,
    is_estimated INTEGER NOT NULL,
    unit_price_e4 INTEGER,
    unit_of_measure TEXT,
    is_on_special INTEGER NOT NULL,
    offer_id TEXT,
    offer_kind TEXT,
    multibuy_quantity INTEGER,
    multibuy_total_cents INTEGER,
    member_price_cents INTEGER,
    channel TEXT,
    offer_until TEXT,
    built_from_run INTEGER NOT NULL,
    CONSTRAINT pk_price_slots PRIMARY KEY (product_id, listing_id, store_id),
    CONSTRAINT ck_price_slots_price CHECK (price_cents >= 0),
    CONSTRAINT ck_price_slots_was CHECK (was_price_cents IS NULL OR (price_cents IS NOT NULL AND was_price_cents > price_cents)),
    CONSTRAINT ck_price_slots_special CHECK (is_on_special = (was_price_cents IS NOT NULL)),
    CONSTRAINT ck_price_slots_price_basis CHECK (price_basis IN ('each', 'kg')),
    CONSTRAINT ck_price_slots_typical CHECK (typical_grams > 0),
    CONSTRAINT ck_price_slots_unit_price CHECK (unit_price_e4 >= 0 AND unit_price_e4 < 1000000000000),
    CONSTRAINT ck_price_slots_unit CHECK ((unit_price_e4 IS NULL) = (unit_of_measure IS NULL)),
    CONSTRAINT ck_price_slots_unit_of_measure CHECK (unit_of_measure IN ('kg', 'l', 'm', 'ea')),
    CONSTRAINT ck_price_slots_multibuy CHECK (multibuy_quantity >= 2 AND multibuy_total_cents >= 0),
    CONSTRAINT ck_price_slots_multibuy_pair CHECK ((multibuy_quantity IS NULL) = (multibuy_total_cents IS NULL)),
    CONSTRAINT ck_price_slots_member CHECK (member_price_cents >= 0),
    CONSTRAINT fk_price_slots_product_id FOREIGN KEY(product_id) REFERENCES products (id),
    CONSTRAINT fk_price_slots_listing_id FOREIGN KEY(listing_id) REFERENCES listings (id),
    CONSTRAINT fk_price_slots_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_price_slots_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT fk_price_slots_anchor_id FOREIGN KEY(anchor_id) REFERENCES stores (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE missing_listings (
    store_id INTEGER NOT NULL,
    listing_id INTEGER NOT NULL,
    missing_since TEXT NOT NULL,
    crawl_run_id INTEGER NOT NULL,
    seen_run_id INTEGER,
    delisted_at TEXT,
    CONSTRAINT pk_missing_listings PRIMARY KEY (store_id, listing_id),
    CONSTRAINT ck_missing_listings_order CHECK (delisted_at > missing_since),
    CONSTRAINT fk_missing_listings_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_missing_listings_listing_id FOREIGN KEY(listing_id) REFERENCES listings (id),
    CONSTRAINT fk_missing_listings_crawl_run_id FOREIGN KEY(crawl_run_id) REFERENCES crawl_runs (id)
)
 STRICT;

CREATE TABLE crawl_run_categories (
    run_id INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    expected INTEGER,
    seen INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    capped INTEGER NOT NULL,
    held INTEGER NOT NULL,
    failed TEXT,
    children TEXT,
    finished_at TEXT,
    status TEXT NOT NULL,
    CONSTRAINT pk_crawl_run_categories PRIMARY KEY (run_id, "key"),
    CONSTRAINT ck_crawl_run_categories_counts CHECK (expected >= 0 AND seen >= 0),
    CONSTRAINT ck_crawl_run_categories_status CHECK (status IN ('complete', 'partial', 'capped', 'failed')),
    CONSTRAINT fk_crawl_run_categories_run_id FOREIGN KEY(run_id) REFERENCES crawl_runs (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE quarantined_items (
    id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sku TEXT,
    reason TEXT NOT NULL,
    "row" TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT pk_quarantined_items PRIMARY KEY (id),
    CONSTRAINT fk_quarantined_items_run_id FOREIGN KEY(run_id) REFERENCES crawl_runs (id)
)
 STRICT;

CREATE INDEX ix_quarantined_items_run_id ON quarantined_items (run_id);

CREATE TABLE store_group_memberships (
    store_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    CONSTRAINT pk_store_group_memberships PRIMARY KEY (store_id),
    CONSTRAINT fk_store_group_memberships_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_store_group_memberships_group_id FOREIGN KEY(group_id) REFERENCES store_groups (id)
)
 STRICT;

CREATE INDEX ix_store_group_memberships_group_id ON store_group_memberships (group_id);
