CREATE TABLE price_slots (
    product_id INTEGER NOT NULL,
    listing_id INTEGER NOT NULL,
    store_id INTEGER NOT NULL,
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
    member_multibuy_quantity INTEGER,
    member_multibuy_total_cents INTEGER,
    channel TEXT,
    offer_until TEXT,
    source TEXT NOT NULL,
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
    CONSTRAINT ck_price_slots_member_multibuy CHECK (member_multibuy_quantity >= 2 AND member_multibuy_total_cents >= 0),
    CONSTRAINT ck_price_slots_member_multibuy_pair CHECK ((member_multibuy_quantity IS NULL) = (member_multibuy_total_cents IS NULL)),
    CONSTRAINT ck_price_slots_source CHECK (source IN ('own', 'contested'))
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_price_slots_store_id ON price_slots (store_id);

CREATE TABLE slot_dirty (
    id INTEGER NOT NULL,
    product_id INTEGER,
    store_id INTEGER,
    marked_at TEXT NOT NULL,
    CONSTRAINT pk_slot_dirty PRIMARY KEY (id),
    CONSTRAINT ck_slot_dirty_what CHECK ((product_id IS NULL) <> (store_id IS NULL))
)
 STRICT;
