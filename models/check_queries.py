"""The queries of models.checks: each gives the rows that break its promise."""

from models.tables.base import TERMS

# True where the terms differ; null, not false, where they do not and one of them is null on both sides.
_DIFFERS = " OR ".join(f"(p.{n} <> h.{n} OR (p.{n} IS NULL) <> (h.{n} IS NULL))" for n in TERMS)
_LAST = """(SELECT c.*, row_number() OVER (PARTITION BY store_id, listing_id ORDER BY changed_at DESC) AS nth
    FROM price_changes c)"""

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
        "the open period of a store tells its group and anchor",
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
        "a price row costs what the latest entry of its history says, since then",
        f"""SELECT p.store_id, p.listing_id FROM prices p
            LEFT JOIN {_LAST} h ON h.store_id = p.store_id AND h.listing_id = p.listing_id AND h.nth = 1
            WHERE h.store_id IS NULL OR h.price_cents IS NULL OR h.changed_at <> p.changed_at OR {_DIFFERS}
            ORDER BY 1, 2""",  # noqa: S608 fixed text
    ),
    "history_without_price": (
        "a history that ends with a price has a price row",
        f"""SELECT h.store_id, h.listing_id FROM {_LAST} h
            LEFT JOIN prices p ON p.store_id = h.store_id AND p.listing_id = h.listing_id
            WHERE h.nth = 1 AND h.price_cents IS NOT NULL AND p.store_id IS NULL ORDER BY 1, 2""",  # noqa: S608
    ),
    "delisted_with_price": (
        "a delisted listing has no price",
        """SELECT x.store_id, x.listing_id FROM missing_listings x
            JOIN prices p ON p.store_id = x.store_id AND p.listing_id = x.listing_id
            WHERE x.delisted_at IS NOT NULL ORDER BY 1, 2""",
    ),
    "history_repeats": (
        "an entry of the history is a change",
        f"""SELECT h.store_id, h.listing_id, h.changed_at FROM price_changes p JOIN price_changes h
                ON h.store_id = p.store_id AND h.listing_id = p.listing_id AND h.changed_at = (
                    SELECT min(n.changed_at) FROM price_changes n WHERE n.store_id = p.store_id
                        AND n.listing_id = p.listing_id AND n.changed_at > p.changed_at)
            WHERE (p.price_cents IS NULL AND h.price_cents IS NULL) OR ({_DIFFERS}) IS NOT TRUE
            ORDER BY 1, 2, 3""",  # noqa: S608 fixed text
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
        "what is missing is a listing of the store's company, last seen by a run",
        """SELECT x.store_id, x.listing_id FROM missing_listings x JOIN stores s ON s.id = x.store_id
            JOIN listings l ON l.id = x.listing_id LEFT JOIN crawl_runs r ON r.id = x.seen_run_id
            WHERE l.company_id <> s.company_id OR (x.seen_run_id IS NOT NULL AND r.id IS NULL) ORDER BY 1, 2""",
    ),
    "parent_category": (
        "a category's parent is of its company",
        """SELECT k.id AS category_id FROM categories k JOIN categories p ON p.id = k.parent_id
            WHERE p.company_id <> k.company_id OR p.id = k.id ORDER BY 1""",
    ),
}

LENGTHS = """SELECT s.id, (SELECT coalesce(max(l.ordinal), -1) + 1 FROM listings l WHERE l.company_id = s.company_id)
    FROM stores s"""
# {stores}: which stores, in words of the database.
MISSING = """SELECT x.store_id, l.ordinal FROM missing_listings x JOIN listings l ON l.id = x.listing_id
    WHERE x.delisted_at IS NULL AND x.{stores}"""
PRICED = """SELECT p.store_id, l.ordinal FROM prices p JOIN listings l ON l.id = p.listing_id WHERE p.{stores}"""
