-- Copies what is kept into the rebuilt tables.

INSERT INTO staged_items (run_id, seq, sku, name, brand, gtin, size, price_cents, was_price_cents, price_basis,
    typical_grams, is_estimated, unit_price_e4, unit_of_measure, is_on_special, offer_id, offer_kind,
    multibuy_quantity, multibuy_total_cents, member_price_cents, channel, offer_until, is_available, is_ranged,
    category_path, category_key, is_promo, url, image_url, sponsored, scraped_at, normalized_key)
SELECT run_id, seq, sku, name, brand, gtin, size, price_cents, was_price_cents, price_basis, typical_grams,
    is_estimated, unit_price_e4, unit_of_measure, is_on_special, offer_id, offer_kind, multibuy_quantity,
    multibuy_total_cents, member_price_cents, channel, offer_until, is_available, is_ranged, category_path,
    category_key, is_promo, url, image_url, sponsored, scraped_at, normalized_key
FROM staged_items_before;

INSERT INTO store_ranges (store_id, ranged, available, as_of)
SELECT store_id, ranged, available, as_of FROM store_ranges_before;

-- Of the history, the entries that a store's own runs wrote.
INSERT INTO price_changes (store_id, listing_id, changed_at, price_cents, was_price_cents, price_basis,
    typical_grams, is_estimated, unit_price_e4, unit_of_measure, is_on_special, offer_id, offer_kind,
    multibuy_quantity, multibuy_total_cents, member_price_cents, channel, offer_until, crawl_run_id, seen_before)
SELECT c.store_id, c.listing_id, c.changed_at, c.price_cents, c.was_price_cents, c.price_basis, c.typical_grams,
    c.is_estimated, c.unit_price_e4, c.unit_of_measure, c.is_on_special, c.offer_id, c.offer_kind,
    c.multibuy_quantity, c.multibuy_total_cents, c.member_price_cents, c.channel, c.offer_until, c.crawl_run_id,
    c.seen_before
FROM price_changes_before c JOIN crawl_runs r ON r.id = c.crawl_run_id WHERE r.store_id = c.store_id;
