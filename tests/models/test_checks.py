"""A sound database breaks no promise; each broken promise is found and named."""

import pytest
from sqlalchemy import Engine, text

from models import engine as engines
from models.check_queries import QUERIES
from models.check_run_queries import RUN_QUERIES
from models.check_stores import PROMISES
from models.checks import check
from models.price_history import of_gtin, of_sku
from models.pruning import Pruned, prune
from tests.support.storage import crawl, day, open_run, query, row, stage, value

GTIN = "09300605123454"


def broken(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {one.check for one in check(connection)}


@pytest.fixture
def lived_in(engine: Engine) -> Engine:
    """A database after some days of crawls: changes, absence, delisting, partial runs."""
    crawl(engine, [row(1, 100, gtin=GTIN), row(2), row(3), row(4, None)])
    crawl(engine, [row(1, 120, gtin=GTIN), row(2)], now=day(1))
    crawl(engine, [row(1, 120, gtin=GTIN)], now=day(2))
    crawl(engine, [row(2, 90), row(5)], now=day(2.5), status="partial", reason="unproven: x")
    crawl(engine, [row(1, 100, gtin=GTIN), row(9)], store="b", slug="coles", now=day(3))
    return engine


def test_a_lived_in_database_is_sound(lived_in: Engine) -> None:
    assert broken(lived_in) == set()


BREAKS = {
    "store_without_group": "DELETE FROM store_group_memberships WHERE store_id = 1",
    "period_without_membership": "UPDATE membership_periods SET group_id = 99 WHERE store_id = 1",
    "price_orphan": "UPDATE prices SET crawl_run_id = 99 WHERE listing_id = 1",
    "history_orphan": "UPDATE price_changes SET seen_before = 98 WHERE listing_id = 1",
    "price_without_history": "UPDATE prices SET price_cents = 7 WHERE listing_id = 1",
    "history_without_price": "DELETE FROM prices WHERE listing_id = 1",
    "delisted_in_history": "UPDATE missing_listings SET delisted_at = NULL",
    "listing_orphan": "UPDATE listings SET category_id = 77 WHERE id = 1",
    "product_orphan": "UPDATE products SET brand_id = 77 WHERE id = 1",
    "ordinals": "UPDATE listings SET ordinal = 50 WHERE id = 1",
    "product_category_orphan": "UPDATE product_categories SET category_id = 77 WHERE product_id = 2",
    "range_missing": "DELETE FROM store_ranges WHERE store_id = 1",
    "last_scraped": "UPDATE stores SET last_scraped = NULL WHERE id = 1",
    "available_without_price": "DELETE FROM prices WHERE listing_id = 1",
    "range": "UPDATE missing_listings SET delisted_at = NULL WHERE listing_id = 3",
    "priced": "UPDATE price_changes SET price_cents = NULL WHERE listing_id = 1",
    "staging_orphan": "UPDATE staged_items SET run_id = 77 WHERE run_id = 1",
    "anchor_outside_its_group": "UPDATE store_group_memberships SET group_id = 2 WHERE store_id = 1",
    "group_of_two_companies": "UPDATE store_group_memberships SET group_id = 2 WHERE store_id = 1",
    "periods_overlap": "INSERT INTO membership_periods (store_id, from_at, to_at, group_id, anchor_id) VALUES"
    " (1, '2026-01-01T00:00:00.000000+00:00', '2026-01-02T00:00:00.000000+00:00', 1, 1)",
    "history_without_period": "UPDATE membership_periods SET from_at = (SELECT max(last_scraped) FROM stores)",
    "missing_orphan": "UPDATE missing_listings SET seen_run_id = 99",
    "parent_category": "UPDATE categories SET parent_id = id",
    "complete_counts": """UPDATE crawl_runs SET counts = '{"accepted": 5, "staged": 4, "listings": 4, "seen": 4}'
        WHERE id = 1""",
    "complete_unproven": "INSERT INTO crawl_run_categories (run_id, key, expected, seen, ended, capped, held, status)"
    " VALUES (1, 'tins', 300, 298, 1 = 1, 1 = 0, 1 = 1, 'complete')",
    "complete_unpublished": "UPDATE crawl_runs SET undo = NULL WHERE id = 1",
    "run_of_another_store": "UPDATE crawl_runs SET store_code = 'b' WHERE id = 1",
    "price_of_unpublished_run": "UPDATE crawl_runs SET rolled_back_at = finished_at WHERE id = 2",
    "lease_of_dead_run": "UPDATE stores SET lease_token = 'x', lease_until = last_scraped WHERE id = 1",
    "staging_of_dead_run": "UPDATE crawl_runs SET status = 'abandoned' WHERE id = 4",
}


def _let_references_break(engine: Engine) -> None:
    """As any other program's connection to SQLite does, unless it asks."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        connection.cursor().execute("PRAGMA foreign_keys=OFF")
        connection.close()  # back to the pool, which gives it to the next


@pytest.mark.parametrize("promise", BREAKS)
def test_each_broken_promise_is_found_by_name(lived_in: Engine, promise: str) -> None:
    _let_references_break(lived_in)
    with lived_in.begin() as connection:
        connection.execute(text(BREAKS[promise]))
    assert promise in broken(lived_in)


def test_every_query_has_a_break_that_it_finds() -> None:
    assert {*QUERIES, *RUN_QUERIES, *PROMISES} - {"vectors"} <= set(BREAKS)


@pytest.mark.parametrize(
    "lost",
    [
        "DELETE FROM staged_items WHERE run_id = 1 AND seq = 2",
        "UPDATE staged_items SET sku = '1' WHERE run_id = 1 AND seq = 2",
        "UPDATE crawl_runs SET counts = NULL WHERE id = 1",
        """UPDATE crawl_runs SET counts = '{"accepted": 4, "staged": 4, "listings": 4, "seen": 3}' WHERE id = 1""",
        'INSERT INTO quarantined_items (run_id, seq, reason, "row", created_at)'
        " SELECT 1, 9, 'x', '{}', finished_at FROM crawl_runs WHERE id = 1",
    ],
)
def test_a_complete_run_whose_rows_do_not_add_up_is_found(lived_in: Engine, lost: str) -> None:
    with lived_in.begin() as connection:
        connection.execute(text(lost))
    assert broken(lived_in) == {"complete_counts"}


def test_a_run_under_way_and_a_schedulers_lease_are_sound(lived_in: Engine) -> None:
    run = open_run(lived_in, now=day(4))
    stage(lived_in, run.id, [row(1)])
    taken = "UPDATE stores SET lease_token = 't', lease_until = last_scraped, scheduled_at = last_scraped WHERE id = 2"
    with lived_in.begin() as connection:
        connection.execute(text(taken))
    assert broken(lived_in) == set()
    with lived_in.begin() as connection:
        connection.execute(text("UPDATE stores SET lease_token = 'other' WHERE id = 1"))
    assert broken(lived_in) == {"lease_of_dead_run"}


@pytest.mark.parametrize(
    "when", ["2026-11-23 01:00:00", "2026-11-23T12:00:00.000000+11:00", "2026-11-23T01:00:00+00:00"]
)
def test_a_time_that_is_not_written_as_all_others_is_found(sqlite_url: str, when: str) -> None:
    engine = engines.create(sqlite_url)
    crawl(engine, [row(1)])
    with engine.begin() as connection:
        connection.execute(text("UPDATE crawl_runs SET started_at = :w"), {"w": when})
    assert broken(engine) == {"times"}
    engine.dispose()


def test_a_column_of_offers_that_is_stale_is_found(lived_in: Engine) -> None:
    with lived_in.begin() as connection:
        connection.execute(text("UPDATE store_vectors SET digest = fingerprint, fingerprint = digest"))
        connection.execute(text("UPDATE prices SET price_cents = 1 WHERE listing_id = 1"))
    assert "vectors" in broken(lived_in)


def test_pruning_lets_old_staging_and_quarantine_go_and_nothing_else(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(1), row(2)], now=day(2.5))
    running = open_run(engine, now=day(2.6))
    stage(engine, running.id, [row(1), row(2, -5)])
    assert prune(engine, day(3), dry=True) == Pruned(staged=2, quarantined=0)
    assert prune(engine, day(3)) == Pruned(staged=2, quarantined=0)
    assert query(engine, "SELECT run_id, count(*) FROM staged_items GROUP BY run_id ORDER BY 1") == [(2, 2), (3, 1)]
    assert value(engine, "SELECT count(*) FROM price_changes") == 2
    assert value(engine, "SELECT count(*) FROM quarantined_items") == 1


def test_the_history_of_a_product_goes_over_companies_and_stores(lived_in: Engine) -> None:
    with lived_in.connect() as connection:
        found = of_gtin(connection, GTIN)
        one = of_sku(connection, "WOOLWORTHS", "2")
    assert [(e.company, e.store_id, e.price_cents) for e in found] == [
        ("Coles", "b", 100),
        ("Woolworths", "1147", 100),
        ("Woolworths", "1147", 120),
    ]
    assert [e.price_cents for e in one] == [100, 90]
