"""A sound database breaks no promise; each broken promise is found and named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.checks.checking import check
from models.checks.queries import QUERIES
from models.checks.stores import PROMISES
from models.database import engine as engines
from models.prices.history import of_gtin, of_sku
from models.publishing.rollback import rollback
from models.runs.pruning import Pruned, prune
from tests.support.groups import merge
from tests.support.storage import crawl, day, open_run, query, row, stage, value
from tests.support.templates import Template, filled

GTIN = "09300605123454"


def broken(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {one.check for one in check(connection)}


def some_days(engine: Engine) -> None:
    """Changes, absence, delisting and relisting, partial runs, a rollback and a group."""
    crawl(engine, [row(1, 100, gtin=GTIN), row(2), row(3), row(4, None)])
    crawl(engine, [row(1, 120, gtin=GTIN), row(2)], now=day(1))
    crawl(engine, [row(1, 120, gtin=GTIN)], now=day(2))
    crawl(engine, [row(2, 90), row(5)], now=day(2.5), status="partial", reason="unproven: x")
    crawl(engine, [row(1, 100, gtin=GTIN), row(9)], store="b", slug="coles", now=day(3))
    crawl(engine, [row(1, 120, gtin=GTIN), row(2, 90), row(5)], store="m", now=day(3))
    merge(engine, day(3.1))
    lie, _ = crawl(engine, [row(1, 7), row(6, 7)], store="m", now=day(3.2))
    rollback(engine, lie.id, day(3.3))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def lived_in_once(request: pytest.FixtureRequest) -> Iterator[Template]:
    with filled(request, some_days) as template:
        yield template


@pytest.fixture
def lived_in(lived_in_once: Template, tmp_path: Path) -> Iterator[Engine]:
    """A database after some days."""
    with lived_in_once.copy(tmp_path) as engine:
        yield engine


def test_a_database_after_some_days_of_crawls_is_sound(lived_in: Engine) -> None:
    assert broken(lived_in) == set()


_LATE = "(SELECT max(finished_at) FROM crawl_runs)"
_NO_PRICE = "NULL, 'each', 1 = 0, 1 = 0"
_ENTRY = "INSERT INTO price_changes (store_id, listing_id, changed_at, price_cents, price_basis, is_estimated,"
_ENTRY += " is_on_special, crawl_run_id)"
ROLLED_BACK = "(SELECT id FROM crawl_runs WHERE rolled_back_at IS NOT NULL)"

# One or more breaks of each promise.
BREAKS: dict[str, tuple[str, ...]] = {
    "store_without_group": ("DELETE FROM store_group_memberships WHERE store_id = 1",),
    "period_without_membership": (
        "UPDATE membership_periods SET group_id = 99 WHERE store_id = 1",
        "DELETE FROM membership_periods WHERE store_id = 3 AND to_at IS NULL",
        "UPDATE membership_periods SET anchor_id = 3 WHERE store_id = 3 AND to_at IS NULL",
    ),
    "price_orphan": (
        "UPDATE prices SET crawl_run_id = 99 WHERE listing_id = 1",
        "UPDATE prices SET listing_id = 99 WHERE listing_id = 1 AND store_id = 1",
        "UPDATE prices SET store_id = 2 WHERE listing_id = 2 AND store_id = 1",  # of another company
        "UPDATE prices SET store_id = 99 WHERE store_id = 1",
    ),
    "history_orphan": (
        "UPDATE price_changes SET seen_before = 98 WHERE listing_id = 1",
        "UPDATE price_changes SET crawl_run_id = 98 WHERE listing_id = 1",
        "UPDATE price_changes SET store_id = 2 WHERE listing_id = 3",
    ),
    "price_without_history": (
        "UPDATE prices SET price_cents = 7 WHERE listing_id = 1",
        "UPDATE prices SET was_price_cents = 500, is_on_special = (1 = 1) WHERE listing_id = 1",
        "UPDATE prices SET price_basis = 'kg' WHERE listing_id = 1",
        "UPDATE prices SET multibuy_quantity = 2, multibuy_total_cents = 3 WHERE listing_id = 1",
        "UPDATE prices SET member_price_cents = 7 WHERE listing_id = 1",
        "UPDATE prices SET member_multibuy_quantity = 2, member_multibuy_total_cents = 3 WHERE listing_id = 1",
        f"UPDATE prices SET changed_at = {_LATE} WHERE listing_id = 1",
        "DELETE FROM price_changes WHERE store_id = 1",
        f"{_ENTRY} SELECT store_id, listing_id, {_LATE}, {_NO_PRICE}, crawl_run_id FROM prices",
    ),
    "history_without_price": (
        "DELETE FROM prices WHERE listing_id = 1",
        "DELETE FROM price_changes WHERE price_cents IS NULL",  # a delisting is lost
    ),
    "delisted_with_price": ("UPDATE missing_listings SET listing_id = 1 WHERE listing_id = 3",),
    "history_repeats": (
        f"{_ENTRY} SELECT store_id, listing_id, {_LATE}, price_cents, price_basis, is_estimated, is_on_special,"
        " crawl_run_id FROM prices WHERE store_id = 1",
        f"{_ENTRY} SELECT store_id, listing_id, {_LATE}, {_NO_PRICE}, crawl_run_id FROM price_changes"
        " WHERE price_cents IS NULL",
    ),
    "listing_orphan": (
        "UPDATE listings SET category_id = 77 WHERE id = 1",
        "UPDATE listings SET product_id = 77 WHERE id = 1",
        "UPDATE listings SET category_id = (SELECT max(id) FROM categories) WHERE id = 1",  # of another company
    ),
    "product_orphan": ("UPDATE products SET brand_id = 77 WHERE id = 1",),
    "ordinals": (
        "UPDATE listings SET ordinal = 50 WHERE id = 1",
        "UPDATE listings SET ordinal = ordinal + 50 WHERE company_id = 1",
    ),
    "product_category_orphan": ("UPDATE product_categories SET category_id = 77 WHERE product_id = 2",),
    "range_missing": ("DELETE FROM store_ranges WHERE store_id = 1",),
    "last_scraped": (
        "UPDATE stores SET last_scraped = NULL WHERE id = 1",
        f"UPDATE stores SET last_scraped = {_LATE} WHERE id = 1",
        "UPDATE crawl_runs SET rolled_back_at = finished_at WHERE store_id = 2",
    ),
    "available_without_price": ("DELETE FROM prices WHERE listing_id = 1",),
    "range": (
        "UPDATE missing_listings SET delisted_at = NULL WHERE listing_id = 3",
        "UPDATE store_ranges SET ranged = {none}, available = {all} WHERE store_id = 1",
        "UPDATE store_ranges SET ranged = {all}, available = {none} WHERE store_id = 1",
    ),
    "sighting_orphan": (
        "UPDATE sightings SET run_id = 99 WHERE store_id = 1",
        "UPDATE sightings SET run_id = 1 WHERE store_id = 2",
        "UPDATE crawl_runs SET undo = NULL WHERE id = 4",
    ),
    "sightings": (
        "DELETE FROM sightings WHERE store_id = 1",  # when its lines were seen is lost
        "DELETE FROM sightings WHERE run_id = 4",  # when the partial run's lines were seen
        "DELETE FROM prices WHERE listing_id = 1",  # a price was seen, and there is none
    ),
    "fingerprint": (
        "UPDATE store_ranges SET fingerprint = {none} WHERE store_id = 1",
        "UPDATE prices SET price_cents = 7 WHERE listing_id = 1",
        "UPDATE prices SET member_price_cents = 7 WHERE listing_id = 1",
    ),
    "staging_orphan": ("UPDATE staged_items SET run_id = 77 WHERE run_id = 1",),
    "anchor_outside_its_group": ("UPDATE store_group_memberships SET group_id = 2 WHERE store_id = 1",),
    "group_of_two_companies": ("UPDATE store_group_memberships SET group_id = 2 WHERE store_id = 1",),
    "periods_overlap": (
        "INSERT INTO membership_periods (store_id, from_at, to_at, group_id, anchor_id) VALUES"
        " (1, '2026-01-01T00:00:00.000000+00:00', '2026-01-02T00:00:00.000000+00:00', 1, 1)",
        f"UPDATE membership_periods SET to_at = {_LATE} WHERE to_at IS NOT NULL",
    ),
    "history_without_period": (
        f"UPDATE membership_periods SET from_at = {_LATE} WHERE store_id = 1",
        "DELETE FROM membership_periods WHERE store_id = 2",
    ),
    "missing_orphan": (
        "UPDATE missing_listings SET seen_run_id = 99",
        "UPDATE missing_listings SET store_id = 2 WHERE listing_id = 3",
    ),
    "parent_category": ("UPDATE categories SET parent_id = id",),
    "complete_counts": (
        """UPDATE crawl_runs SET counts = '{{"accepted": 5, "staged": 4, "listings": 4, "seen": 4}}'
        WHERE id = 1""",
    ),
    "complete_unproven": (
        "INSERT INTO crawl_run_categories (run_id, key, expected, seen, ended, capped, held, status)"
        " VALUES (1, 'tins', 300, 298, 1 = 1, 1 = 0, 1 = 1, 'complete')",
    ),
    "complete_unpublished": ("UPDATE crawl_runs SET undo = NULL WHERE id = 1",),
    "run_of_another_store": ("UPDATE crawl_runs SET store_code = 'b' WHERE id = 1",),
    "price_of_unpublished_run": (
        "UPDATE crawl_runs SET rolled_back_at = finished_at WHERE id = 2",
        f"UPDATE price_changes SET crawl_run_id = {ROLLED_BACK} WHERE store_id = 3 AND listing_id = 1",
        f"UPDATE prices SET crawl_run_id = {ROLLED_BACK} WHERE store_id = 3 AND listing_id = 1",
        "UPDATE prices SET crawl_run_id = 1 WHERE store_id = 3 AND listing_id = 1",  # of another store
        "UPDATE crawl_runs SET undo = NULL WHERE id = 4",
    ),
    "left_of_rolled_back_run": (
        f"UPDATE missing_listings SET crawl_run_id = {ROLLED_BACK}",
        f"UPDATE missing_listings SET seen_run_id = {ROLLED_BACK}",
        f"INSERT INTO product_aliases (product_id, kind, value, reason, crawl_run_id, created_at)"
        f" SELECT 1, 'key', 'x', 'y', {ROLLED_BACK}, {_LATE}",
        f"INSERT INTO brand_aliases (brand_id, key, reason, crawl_run_id, created_at)"
        f" SELECT 1, 'x', 'y', {ROLLED_BACK}, {_LATE}",
    ),
    "lease_of_dead_run": ("UPDATE stores SET lease_token = 'x', lease_until = last_scraped WHERE id = 1",),
    "staging_of_dead_run": ("UPDATE crawl_runs SET status = 'abandoned' WHERE id = 4",),
}
BITS = {"sqlite": {"none": "x'00'", "all": "x'ff'"}, "postgresql": {"none": "'\\x00'", "all": "'\\xff'"}}


def _let_references_break(engine: Engine) -> None:
    """Without foreign keys, as any connection to SQLite that does not turn them on."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        connection.cursor().execute("PRAGMA foreign_keys=OFF")
        connection.close()  # back to the pool, which gives it to the next


@pytest.mark.parametrize(("promise", "way"), [(name, way) for name, ways in BREAKS.items() for way in range(len(ways))])
def test_each_broken_promise_is_found_by_name(lived_in: Engine, promise: str, way: int) -> None:
    _let_references_break(lived_in)
    with lived_in.begin() as connection:
        sql = BREAKS[promise][way].format(**BITS[lived_in.dialect.name])
        assert connection.exec_driver_sql(sql).rowcount > 0
    assert promise in broken(lived_in)


def test_every_promise_is_broken_by_at_least_one_case() -> None:
    assert set(BREAKS) == {*QUERIES, *PROMISES}


def test_a_broken_file_and_a_dangling_reference_are_found(sqlite_url: str) -> None:
    engine = engines.create(sqlite_url)
    crawl(engine, [row(1)])
    _let_references_break(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE store_ranges SET store_id = 99"))
    assert "file" in broken(engine)
    engine.dispose()


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
def test_a_time_in_another_format_is_found(sqlite_url: str, when: str) -> None:
    engine = engines.create(sqlite_url)
    crawl(engine, [row(1)])
    with engine.begin() as connection:
        connection.execute(text("UPDATE crawl_runs SET started_at = :w"), {"w": when})
    assert broken(engine) == {"times"}
    engine.dispose()


def test_a_missing_fingerprint_is_sound(lived_in: Engine) -> None:
    """The next merge makes one."""
    with lived_in.begin() as connection:
        connection.execute(text("UPDATE store_ranges SET fingerprint = NULL"))
    assert broken(lived_in) == set()


def test_pruning_deletes_old_staging_and_quarantine_and_nothing_else(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(1), row(2)], now=day(2.5))
    running = open_run(engine, now=day(2.6))
    stage(engine, running.id, [row(1), row(2, -5)])
    assert prune(engine, day(3), dry=True) == Pruned(staged=2, quarantined=0)
    assert prune(engine, day(3)) == Pruned(staged=2, quarantined=0)
    assert query(engine, "SELECT run_id, count(*) FROM staged_items GROUP BY run_id ORDER BY 1") == [(2, 2), (3, 1)]
    assert value(engine, "SELECT count(*) FROM price_changes") == 2
    assert value(engine, "SELECT count(*) FROM quarantined_items") == 1


def test_the_history_of_a_product_spans_companies_and_stores(lived_in: Engine) -> None:
    with lived_in.connect() as connection:
        found = of_gtin(connection, GTIN)
        one = of_sku(connection, "WOOLWORTHS", "2")
    assert [(e.company, e.store_code, e.price_cents) for e in found] == [
        ("Coles", "b", 100),
        ("Woolworths", "1147", 100),
        ("Woolworths", "1147", 120),
        ("Woolworths", "m", 120),
    ]
    assert {e.source for e in found} == {"own"}
    assert [(e.store_code, e.price_cents) for e in one] == [("1147", 100), ("1147", 90), ("m", 90)]
