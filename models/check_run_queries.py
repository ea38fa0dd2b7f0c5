"""The queries of models.checks on runs, leases and staging: each gives the rows that break its promise."""

_STAGED = """(SELECT run_id, count(*) AS staged, count(DISTINCT sku) AS listings FROM staged_items GROUP BY run_id)"""


def _count(name: str, column: str = "counts") -> str:
    return f"CAST(r.{column} ->> '{name}' AS INTEGER)"


def _unpublished(table: str) -> str:
    return f"""SELECT p.store_id, p.listing_id, p.crawl_run_id FROM {table} p JOIN crawl_runs r ON r.id = p.crawl_run_id
            WHERE r.undo IS NULL OR r.rolled_back_at IS NOT NULL OR r.store_id <> p.store_id"""  # noqa: S608


RUN_QUERIES: dict[str, tuple[str, str]] = {
    "complete_counts": (
        "a complete run published every row that it accepted, and none was refused",
        f"""SELECT r.id AS run_id FROM crawl_runs r LEFT JOIN {_STAGED} t ON t.run_id = r.id
            WHERE r.status = 'complete' AND r.store_id IS NOT NULL AND r.undo IS NOT NULL AND (
                coalesce({_count("accepted")}, -1) <> coalesce({_count("staged")}, -2)
                OR coalesce({_count("listings")}, -1) <> coalesce({_count("seen")}, -2)
                OR coalesce({_count("listings")}, 0) < 1
                OR t.staged <> {_count("staged")} OR t.listings <> {_count("listings")}
                OR EXISTS (SELECT 1 FROM quarantined_items q WHERE q.run_id = r.id)) ORDER BY 1""",  # noqa: S608
    ),
    "complete_unproven": (
        "every category of a complete run is proven",
        """SELECT r.id AS run_id, k.key, k.expected, k.seen, k.status FROM crawl_runs r
            JOIN crawl_run_categories k ON k.run_id = r.id
            WHERE r.status = 'complete' AND (k.failed IS NOT NULL OR (
                k.capped = {false} AND CASE WHEN k.expected IS NULL THEN k.ended = {false}
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
        "a run's store is the one of its company that was asked for",
        """SELECT r.id AS run_id, r.store_code, r.store_id FROM crawl_runs r JOIN stores s ON s.id = r.store_id
            WHERE s.company_id <> r.company_id OR s.store_id <> r.store_code ORDER BY 1""",
    ),
    "price_of_unpublished_run": (
        "a price or an entry of the history is of a run of its store that published and was not rolled back",
        f"{_unpublished('prices')} UNION ALL {_unpublished('price_changes')} ORDER BY 1, 2, 3",
    ),
    "left_of_rolled_back_run": (
        "nothing else stands on a run that was rolled back",
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
        "last_scraped is the end of the latest complete run that stands",
        """SELECT s.id AS store_id, s.last_scraped FROM stores s LEFT JOIN (
                SELECT store_id, max(finished_at) AS finished_at FROM crawl_runs
                WHERE status = 'complete' AND rolled_back_at IS NULL GROUP BY store_id) r ON r.store_id = s.id
            WHERE (s.last_scraped IS NULL) <> (r.store_id IS NULL) OR s.last_scraped <> r.finished_at ORDER BY 1""",
    ),
}
"""Name -> (promise, SQL). `{false}` is the database's own word for it."""
