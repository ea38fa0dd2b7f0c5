"""A sound database breaks no promise; each broken promise is found and named."""

import pytest
from sqlalchemy import Engine, text

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
    "ordinals": "UPDATE listings SET ordinal = 50 WHERE id = 1",
    "product_category_orphan": "UPDATE product_categories SET category_id = 77 WHERE product_id = 2",
    "range_missing": "DELETE FROM store_ranges WHERE store_id = 1",
    "last_scraped": "UPDATE stores SET last_scraped = NULL WHERE id = 1",
    "available_without_price": "DELETE FROM prices WHERE listing_id = 1",
    "range": "UPDATE missing_listings SET delisted_at = NULL WHERE listing_id = 3",
    "priced": "UPDATE price_changes SET price_cents = NULL WHERE listing_id = 1",
    "staging_orphan": "UPDATE staged_items SET run_id = 77 WHERE run_id = 1",
}


@pytest.mark.parametrize("promise", BREAKS)
def test_each_broken_promise_is_found_by_name(lived_in: Engine, promise: str) -> None:
    with lived_in.begin() as connection:
        connection.execute(text(BREAKS[promise]))
    assert promise in broken(lived_in)


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
