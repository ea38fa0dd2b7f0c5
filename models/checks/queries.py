"""The queries of models.checks.checking: each returns the rows that break its promise."""

QUERIES: dict[str, tuple[str, str]] = {
    "store_without_group": (
        "every store has a group from its first moment",
        """SELECT s.id AS store_id FROM stores s LEFT JOIN store_group_memberships m ON m.store_id = s.id
            WHERE m.store_id IS NULL ORDER BY 1""",
    ),
    "anchor_outside_its_group": (
        "a group's anchor is one of its members",
        """SELECT g.id AS group_id, g.anchor_id FROM store_groups g LEFT JOIN store_group_memberships m
            ON m.store_id = g.anchor_id AND m.group_id = g.id WHERE m.store_id IS NULL ORDER BY 1""",
    ),
    "group_of_two_companies": (
        "a group has stores of one company",
        """SELECT m.group_id, m.store_id FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id
            JOIN stores s ON s.id = m.store_id WHERE s.company_id <> g.company_id ORDER BY 1, 2""",
    ),
    "period_without_membership": (
        "the open period of a store names its group and anchor",
        """SELECT s.id AS store_id, p.group_id, p.anchor_id FROM stores s
            JOIN store_group_memberships m ON m.store_id = s.id JOIN store_groups g ON g.id = m.group_id
            LEFT JOIN membership_periods p ON p.store_id = s.id AND p.to_at IS NULL
            WHERE p.store_id IS NULL OR p.group_id <> g.id OR p.anchor_id <> g.anchor_id ORDER BY 1""",
    ),
    "periods_overlap": (
        "a store is in one group at a time, without a gap",
        """SELECT store_id, from_at FROM (SELECT store_id, from_at,
                lag(to_at) OVER (PARTITION BY store_id ORDER BY from_at) AS ended,
                row_number() OVER (PARTITION BY store_id ORDER BY from_at) AS nth FROM membership_periods) p
            WHERE nth > 1 AND (ended IS NULL OR ended <> from_at) ORDER BY 1, 2""",
    ),
    "history_without_period": (
        "a store has a membership period from its first entry of the history on",
        """SELECT c.store_id FROM price_changes c LEFT JOIN (
                SELECT store_id, min(from_at) AS began FROM membership_periods GROUP BY store_id) p
                ON p.store_id = c.store_id
            WHERE p.began IS NULL OR c.changed_at < p.began GROUP BY c.store_id ORDER BY 1""",
    ),
    "price_orphan": (
        "a price belongs to a store, a listing of its company and a run",
        """SELECT p.store_id, p.listing_id, p.crawl_run_id FROM prices p LEFT JOIN stores s ON s.id = p.store_id
            LEFT JOIN listings l ON l.id = p.listing_id LEFT JOIN crawl_runs r ON r.id = p.crawl_run_id
            WHERE s.id IS NULL OR l.id IS NULL OR r.id IS NULL OR l.company_id <> s.company_id ORDER BY 1, 2""",
    ),
    "history_orphan": (
        "an entry of the history belongs to a store, a listing of its company and a run",
        """SELECT p.store_id, p.listing_id, p.crawl_run_id FROM price_changes p LEFT JOIN stores s ON s.id = p.store_id
            LEFT JOIN listings l ON l.id = p.listing_id LEFT JOIN crawl_runs r ON r.id = p.crawl_run_id
            LEFT JOIN crawl_runs b ON b.id = p.seen_before
            WHERE s.id IS NULL OR l.id IS NULL OR r.id IS NULL OR l.company_id <> s.company_id
                OR (p.seen_before IS NOT NULL AND b.id IS NULL) ORDER BY 1, 2""",
    ),
    "price_without_history": (
        "a price row has the terms and the time of the latest entry of its history",
        """WITH entries AS (
                SELECT c.*, row_number() OVER (PARTITION BY store_id, listing_id ORDER BY changed_at DESC) AS nth
                FROM price_changes c)
            SELECT p.store_id, p.listing_id FROM prices p
            LEFT JOIN entries h ON h.store_id = p.store_id AND h.listing_id = p.listing_id AND h.nth = 1
            WHERE h.store_id IS NULL OR h.price_cents IS NULL OR h.changed_at <> p.changed_at
                OR (p.price_cents, p.was_price_cents, p.price_basis, p.multibuy_quantity, p.multibuy_total_cents,
                    p.member_price_cents, p.member_multibuy_quantity, p.member_multibuy_total_cents)
                IS DISTINCT FROM
                (h.price_cents, h.was_price_cents, h.price_basis, h.multibuy_quantity, h.multibuy_total_cents,
                    h.member_price_cents, h.member_multibuy_quantity, h.member_multibuy_total_cents)
            ORDER BY 1, 2""",
    ),
    "history_without_price": (
        "a history that ends with a price has a price row",
        """SELECT h.store_id, h.listing_id FROM (
                SELECT c.*, row_number() OVER (PARTITION BY store_id, listing_id ORDER BY changed_at DESC) AS nth
                FROM price_changes c) h
            LEFT JOIN prices p ON p.store_id = h.store_id AND p.listing_id = h.listing_id
            WHERE h.nth = 1 AND h.price_cents IS NOT NULL AND p.store_id IS NULL ORDER BY 1, 2""",
    ),
    "delisted_with_price": (
        "a delisted listing has no price",
        """SELECT x.store_id, x.listing_id FROM missing_listings x
            JOIN prices p ON p.store_id = x.store_id AND p.listing_id = x.listing_id
            WHERE x.delisted_at IS NOT NULL ORDER BY 1, 2""",
    ),
    "history_repeats": (
        "an entry of the history is a change",
        """SELECT h.store_id, h.listing_id, h.changed_at FROM price_changes p JOIN price_changes h
                ON h.store_id = p.store_id AND h.listing_id = p.listing_id AND h.changed_at = (
                    SELECT min(n.changed_at) FROM price_changes n WHERE n.store_id = p.store_id
                        AND n.listing_id = p.listing_id AND n.changed_at > p.changed_at)
            WHERE (p.price_cents IS NULL AND h.price_cents IS NULL) OR
                (p.price_cents, p.was_price_cents, p.price_basis, p.multibuy_quantity, p.multibuy_total_cents,
                    p.member_price_cents, p.member_multibuy_quantity, p.member_multibuy_total_cents)
                IS NOT DISTINCT FROM
                (h.price_cents, h.was_price_cents, h.price_basis, h.multibuy_quantity, h.multibuy_total_cents,
                    h.member_price_cents, h.member_multibuy_quantity, h.member_multibuy_total_cents)
            ORDER BY 1, 2, 3""",
    ),
    "sighting_orphan": (
        "a sighting belongs to a store and a run of it that published",
        """SELECT s.store_id, s.run_id FROM sightings s LEFT JOIN crawl_runs r ON r.id = s.run_id
            WHERE r.id IS NULL OR r.store_id <> s.store_id OR r.undo IS NULL ORDER BY 1, 2""",
    ),
    "listing_orphan": (
        "a listing belongs to a company, a product and, if any, a category of the company",
        """SELECT l.id AS listing_id FROM listings l LEFT JOIN companies c ON c.id = l.company_id
            LEFT JOIN products p ON p.id = l.product_id LEFT JOIN categories k ON k.id = l.category_id
            WHERE c.id IS NULL OR p.id IS NULL OR (l.category_id IS NOT NULL AND k.id IS NULL)
                OR k.company_id <> l.company_id ORDER BY 1""",
    ),
    "product_orphan": (
        "a product's brand exists",
        """SELECT p.id AS product_id FROM products p LEFT JOIN brands b ON b.id = p.brand_id
            WHERE p.brand_id IS NOT NULL AND b.id IS NULL ORDER BY 1""",
    ),
    "ordinals": (
        "ordinals are dense within a company",
        """SELECT company_id, count(*) AS listings, max(ordinal) AS last FROM listings GROUP BY company_id
            HAVING max(ordinal) + 1 <> count(*) OR min(ordinal) <> 0 ORDER BY 1""",
    ),
    "product_category_orphan": (
        "a product's category exists, and so does the product",
        """SELECT x.product_id, x.category_id FROM product_categories x LEFT JOIN products p ON p.id = x.product_id
            LEFT JOIN categories k ON k.id = x.category_id WHERE p.id IS NULL OR k.id IS NULL ORDER BY 1, 2""",
    ),
    "range_missing": (
        "a store that was published has a range",
        """SELECT s.id AS store_id FROM stores s LEFT JOIN store_ranges r ON r.store_id = s.id
            WHERE s.last_scraped IS NOT NULL AND r.store_id IS NULL ORDER BY 1""",
    ),
    "missing_orphan": (
        "a missing listing is of the store's company, and the run that last saw it exists",
        """SELECT x.store_id, x.listing_id FROM missing_listings x JOIN stores s ON s.id = x.store_id
            JOIN listings l ON l.id = x.listing_id LEFT JOIN crawl_runs r ON r.id = x.seen_run_id
            WHERE l.company_id <> s.company_id OR (x.seen_run_id IS NOT NULL AND r.id IS NULL) ORDER BY 1, 2""",
    ),
    "parent_category": (
        "a category's parent is of its company",
        """SELECT k.id AS category_id FROM categories k JOIN categories p ON p.id = k.parent_id
            WHERE p.company_id <> k.company_id OR p.id = k.id ORDER BY 1""",
    ),
    "complete_counts": (
        "a complete run published every row that it accepted, and none was refused",
        """WITH counted AS (
                SELECT id,
                    CAST(counts ->> 'accepted' AS INTEGER) AS accepted, CAST(counts ->> 'staged' AS INTEGER) AS staged,
                    CAST(counts ->> 'listings' AS INTEGER) AS listings, CAST(counts ->> 'seen' AS INTEGER) AS seen
                FROM crawl_runs WHERE status = 'complete' AND store_id IS NOT NULL AND undo IS NOT NULL)
            SELECT r.id AS run_id FROM counted r LEFT JOIN (
                SELECT run_id, count(*) AS staged, count(DISTINCT sku) AS listings FROM staged_items GROUP BY run_id) t
                ON t.run_id = r.id
            WHERE coalesce(r.accepted, -1) <> coalesce(r.staged, -2)
                OR coalesce(r.listings, -1) <> coalesce(r.seen, -2)
                OR coalesce(r.listings, 0) < 1
                OR t.staged <> r.staged OR t.listings <> r.listings
                OR EXISTS (SELECT 1 FROM quarantined_items q WHERE q.run_id = r.id)
            ORDER BY 1""",
    ),
    "complete_unproven": (
        "every category of a complete run is proven",
        """SELECT r.id AS run_id, k.key, k.expected, k.seen, k.status FROM crawl_runs r
            JOIN crawl_run_categories k ON k.run_id = r.id
            WHERE r.status = 'complete' AND (k.failed IS NOT NULL OR (
                NOT k.capped AND CASE WHEN k.expected IS NULL THEN NOT k.ended
                    ELSE k.expected - k.seen > 1 AND k.expected - k.seen > 0.005 * k.expected
                        OR (k.seen = 0 AND k.expected > 0) END)) ORDER BY 1, 2""",
    ),
    "complete_unpublished": (
        "a store's complete run has published",
        """SELECT r.id AS run_id FROM crawl_runs r
            WHERE r.status = 'complete' AND r.store_code <> '*' AND (r.store_id IS NULL OR r.undo IS NULL)
            ORDER BY 1""",
    ),
    "run_of_another_store": (
        "a run's store has the run's company and store code",
        """SELECT r.id AS run_id, r.store_code, r.store_id FROM crawl_runs r JOIN stores s ON s.id = r.store_id
            WHERE s.company_id <> r.company_id OR s.store_code <> r.store_code ORDER BY 1""",
    ),
    "price_of_unpublished_run": (
        "a price or an entry of the history is of a run of its store that published and was not rolled back",
        """SELECT p.store_id, p.listing_id, p.crawl_run_id FROM (
                SELECT store_id, listing_id, crawl_run_id FROM prices
                UNION ALL SELECT store_id, listing_id, crawl_run_id FROM price_changes) p
            JOIN crawl_runs r ON r.id = p.crawl_run_id
            WHERE r.undo IS NULL OR r.rolled_back_at IS NOT NULL OR r.store_id <> p.store_id ORDER BY 1, 2, 3""",
    ),
    "left_of_rolled_back_run": (
        "no missing listing and no alias refers to a run that was rolled back",
        """SELECT 'missing_listings' AS what, x.store_id AS id, r.id AS run_id FROM missing_listings x
                JOIN crawl_runs r ON r.id = x.crawl_run_id OR r.id = x.seen_run_id WHERE r.rolled_back_at IS NOT NULL
            UNION ALL SELECT 'product_aliases', x.product_id, r.id FROM product_aliases x
                JOIN crawl_runs r ON r.id = x.crawl_run_id WHERE r.rolled_back_at IS NOT NULL
            UNION ALL SELECT 'brand_aliases', x.brand_id, r.id FROM brand_aliases x
                JOIN crawl_runs r ON r.id = x.crawl_run_id WHERE r.rolled_back_at IS NOT NULL
            ORDER BY 1, 2, 3""",
    ),
    "lease_of_dead_run": (
        "a store is leased exactly as its running run is, or by a scheduler",
        """SELECT s.id AS store_id, r.id AS run_id, s.lease_until FROM stores s
            LEFT JOIN crawl_runs r ON r.store_id = s.id AND r.status = 'running'
            WHERE (r.id IS NULL AND s.lease_token IS NOT NULL AND s.scheduled_at IS NULL) OR (r.id IS NOT NULL AND (
                s.lease_token IS NULL OR s.lease_token <> r.lease_token OR s.lease_until <> r.lease_until))
            ORDER BY 1, 2""",
    ),
    "staging_of_dead_run": (
        "an abandoned run has no staging",
        """SELECT r.id AS run_id, count(*) AS rows_left FROM staged_items t JOIN crawl_runs r ON r.id = t.run_id
            WHERE r.status = 'abandoned' GROUP BY r.id ORDER BY 1""",
    ),
    "staging_orphan": (
        "staged rows belong to a run",
        """SELECT DISTINCT t.run_id FROM staged_items t LEFT JOIN crawl_runs r ON r.id = t.run_id
            WHERE r.id IS NULL ORDER BY 1""",
    ),
    "last_scraped": (
        "last_scraped is the end of the latest complete run that was not rolled back",
        """SELECT s.id AS store_id, s.last_scraped FROM stores s LEFT JOIN (
                SELECT store_id, max(finished_at) AS finished_at FROM crawl_runs
                WHERE status = 'complete' AND rolled_back_at IS NULL GROUP BY store_id) r ON r.store_id = s.id
            WHERE (s.last_scraped IS NULL) <> (r.store_id IS NULL) OR s.last_scraped <> r.finished_at ORDER BY 1""",
    ),
}
"""Name -> (promise, SQL)."""
