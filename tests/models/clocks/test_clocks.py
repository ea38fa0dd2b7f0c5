"""No run is dated by a clock that cannot be right; the times that one left are found and healed."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Table, insert, select, text, update

from models.checks.checking import Violation, check
from models.clocks import clock
from models.clocks.times import FORWARD
from models.errors import ClockWrong, RollbackRefused
from models.publishing.rollback import rollback
from models.publishing.stores import publish_stores
from models.runs import opening
from models.runs.endings import Ending
from models.tables import (
    brand_aliases,
    crawl_runs,
    group_merges,
    listings,
    membership_periods,
    metadata,
    product_aliases,
    quarantined_items,
    slot_dirty,
    stores,
)
from models.tables.types import UtcDateTime
from splitcart.runs.verdict import Counts
from tests.support.storage import (
    START,
    category,
    cents,
    check_sound,
    crawl,
    day,
    judged,
    open_run,
    query,
    row,
    stage,
    value,
)
from tests.support.templates import Template, filled

FAST = timedelta(days=3650)
MINUTE = timedelta(minutes=1)


def future(engine: Engine, now: datetime) -> list[Violation]:
    with engine.connect() as connection:
        return [one for one in check(connection, now) if one.check == "future"]


def all_broken(engine: Engine, now: datetime) -> list[Violation]:
    with engine.connect() as connection:
        return list(check(connection, now))


def looked(engine: Engine, now: datetime, machine: datetime | None = None, **options: timedelta) -> None:
    """Checks a clock; by default the machine's is the PostgreSQL server's, so that only the database's times count."""
    with engine.connect() as connection:
        server = clock.server_time(connection)
    clock.check(engine, now, machine=machine or server or now, **options)


# Refused at the start ------------------------------------------------------------------------------------------------


def test_an_empty_database_has_no_latest_time(engine: Engine) -> None:
    with engine.connect() as connection:
        assert clock.latest(connection) is None
    looked(engine, START + FAST)


@pytest.mark.parametrize(("days", "wrong"), [(400.0, False), (400.0001, True), (3650.0, True), (-3650.0, False)])
def test_a_clock_more_than_400_days_after_the_latest_time_is_refused(engine: Engine, days: float, wrong: bool) -> None:
    crawl(engine, [row(1)])
    when = START + timedelta(days=days)
    if not wrong:
        looked(engine, when)
        return
    with pytest.raises(ClockWrong, match=r"latest time in the database, 2026-11-23 01:00:00 UTC.*clock=trust"):
        looked(engine, when)


def test_how_far_ahead_a_clock_may_be_is_a_setting(engine: Engine) -> None:
    crawl(engine, [row(1)])
    looked(engine, START + FAST, most=timedelta(days=4000))
    with pytest.raises(ClockWrong, match="at most 2 days are accepted"):
        looked(engine, START + timedelta(days=3), most=timedelta(days=2))


def a_run_under_way(engine: Engine) -> None:
    open_run(engine)


def a_failed_run(engine: Engine) -> None:
    run = open_run(engine)
    opening.finish(
        engine, run, Ending(verdict=judged("failed", "x"), now=START, counts=asdict(Counts(1, 1, listings=1)))
    )


def a_store_located(engine: Engine) -> None:
    run = open_run(engine, "*")
    publish_stores(engine, run, Ending(verdict=judged(), now=START), {"1": {"store_name": "One"}})
    with engine.begin() as connection:
        connection.execute(update(crawl_runs).values(started_at=day(-900), finished_at=day(-900)))


@pytest.mark.parametrize("lived", [a_run_under_way, a_failed_run, a_store_located])
def test_any_recorded_event_counts_for_the_latest_time(engine: Engine, lived: Callable[[Engine], None]) -> None:
    lived(engine)
    with engine.connect() as connection:
        assert clock.latest(connection) == START
    with pytest.raises(ClockWrong):
        looked(engine, START + timedelta(days=401))


@pytest.mark.parametrize("minutes", [-5.5, 5.5, 60 * 24 * 3650])
def test_a_clock_more_than_5_minutes_off_the_postgresql_servers_is_refused(postgres_url: str, minutes: float) -> None:
    from models.database import engine as engines

    engine = engines.create(postgres_url)
    with engine.connect() as connection:
        server = clock.server_time(connection)
    assert server is not None
    off = server + timedelta(minutes=minutes)
    with pytest.raises(ClockWrong, match=r"the PostgreSQL server's .* more than 5 minutes apart.*clock=trust"):
        clock.check(engine, off, machine=off)
    clock.check(engine, off, machine=server + 4 * MINUTE)
    engine.dispose()


# Found afterwards ----------------------------------------------------------------------------------------------------


def times() -> list[tuple[Table, Column[datetime]]]:
    """Every column whose times may not lie in the future, or only by a known distance."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, UtcDateTime) and FORWARD.get(column.name, timedelta(0)) is not None
    ]


def a_row_in_every_table(engine: Engine) -> None:
    """Fills every table that has a column of times."""
    crawl(engine, [row(1), row(2), row(3)], categories=[category("tins", 3)])
    crawl(engine, [row(1, 90), row(2)], now=day(1))
    run = open_run(engine, now=day(2))
    stage(engine, run.id, [row(1), row(2, -5)])
    with engine.begin() as connection:
        connection.execute(update(quarantined_items).values(created_at=day(2)))
        known = {"reason": "x", "created_at": day(1)}
        connection.execute(insert(product_aliases).values(product_id=1, kind="key", value="k", **known))
        connection.execute(insert(brand_aliases).values(brand_id=1, key="k", **known))
        connection.execute(insert(slot_dirty).values(product_id=1, marked_at=day(1)))
        connection.execute(insert(group_merges).values(company_id=1, merged_at=day(1), seen_until=day(1)))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def lived_in_once(request: pytest.FixtureRequest) -> Iterator[Template]:
    with filled(request, a_row_in_every_table) as template:
        yield template


@pytest.fixture
def lived_in(lived_in_once: Template, tmp_path: Path) -> Iterator[Engine]:
    with lived_in_once.copy(tmp_path) as engine:
        yield engine


WITH = {
    "stores.lease_until": {"lease_token": "x"},
    "group_merges.lease_until": {"lease_token": "x"},
    "listings.pending_at": {"pending": {}},
}
"""Other values that a row with a time in this column must have."""


@pytest.mark.parametrize(("table", "column"), [pytest.param(t, c, id=str(c)) for t, c in times()])
def test_a_time_in_the_future_is_found_in_every_table(lived_in: Engine, table: Table, column: Column[datetime]) -> None:
    assert future(lived_in, day(2)) == []
    keys, wanted = list(table.primary_key.columns), select(*table.primary_key.columns).order_by(*table.primary_key)
    if table.name == "crawl_runs":
        under_way = column.name == "lease_until"
        wanted = wanted.where((table.c.status == "running") == under_way)
    with lived_in.begin() as connection:
        one = connection.execute(wanted.limit(1)).one()
        values = {column: day(2) + FAST} | WITH.get(str(column), {})
        same_row = [key == part for key, part in zip(keys, one, strict=True)]
        assert connection.execute(update(table).where(*same_row).values(values)).rowcount == 1
    [found] = future(lived_in, day(2))
    assert found.count == 1
    assert found.examples[0].startswith(f"table={table.name} ")
    assert f"{column.name}=2036-11-" in found.examples[0]


def test_without_a_clock_to_compare_with_no_time_is_reported_as_in_the_future(engine: Engine) -> None:
    crawl(engine, [row(1)], now=START + FAST)
    check_sound(engine)


def test_five_minutes_and_a_lease_ahead_are_not_reported(engine: Engine) -> None:
    crawl(engine, [row(1)])
    open_run(engine, now=START + timedelta(minutes=4), lease_seconds=7200)
    assert future(engine, START) == []


# Healed --------------------------------------------------------------------------------------------------------------


def test_a_rollback_heals_a_store_that_a_fast_clock_poisoned(engine: Engine) -> None:
    crawl(engine, [row(1, 100), row(2)])
    fast, _ = crawl(engine, [row(1, 110)], now=day(1) + FAST)
    with engine.begin() as connection:
        connection.execute(insert(group_merges).values(company_id=1, merged_at=day(1) + FAST, seen_until=day(1) + FAST))
    right, _ = crawl(engine, [row(1, 120)], now=day(2))
    assert value(engine, "SELECT count(*) FROM price_changes WHERE changed_at > :t", t=_bound(engine, day(100))) == 2
    assert future(engine, day(3)) != []
    assert rollback(engine, right.id, day(3)).healed > 0
    assert rollback(engine, fast.id, day(3)).healed > 0
    assert all_broken(engine, day(3)) == []
    assert cents(engine) == {"1": 100, "2": 100}
    crawl(engine, [row(1, 130), row(2)], now=day(4))
    assert value(engine, "SELECT count(*) FROM price_changes WHERE changed_at > :t", t=_bound(engine, day(4))) == 0
    assert _last_scraped(engine) == day(4)
    assert all_broken(engine, day(4)) == []


def test_a_store_whose_first_run_had_a_fast_clock_is_healed(engine: Engine) -> None:
    fast, _ = crawl(engine, [row(1, 110), row(2, -1)], now=START + FAST, status="partial", reason="unproven: x")
    rollback(engine, fast.id, day(1))
    assert all_broken(engine, day(1)) == []
    crawl(engine, [row(1, 120)], now=day(2))
    assert _last_scraped(engine) == day(2)


def test_a_failed_run_with_a_fast_clock_is_healed_though_it_published_nothing(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run = open_run(engine, now=day(1) + FAST)
    stage(engine, run.id, [row(1, scraped_at=day(1) + FAST), row(2, -1)])
    counts = asdict(Counts(1, 1, listings=1))
    late = day(1) + FAST
    opening.finish(engine, run, Ending(verdict=judged("failed", "x"), now=late, counts=counts))
    with engine.begin() as connection:
        connection.execute(text("UPDATE quarantined_items SET created_at = (SELECT max(started_at) FROM crawl_runs)"))
        connection.execute(update(listings).values(gtin_looked_up_at=late, pending={}, pending_at=late))
    assert future(engine, day(2)) != []
    assert rollback(engine, run.id, day(2)).healed > 0
    assert all_broken(engine, day(2)) == []
    with engine.connect() as connection:
        [figures] = connection.execute(select(crawl_runs.c.figures).where(crawl_runs.c.id == run.id)).scalars()
        assert connection.execute(select(stores.c.next_try_at)).scalar() is None
        assert connection.execute(select(listings.c.gtin_looked_up_at)).scalar() is None
    assert datetime.fromisoformat(figures["clock"]["started_at"]) == late
    crawl(engine, [row(1, 300)], now=day(3))
    assert _last_scraped(engine) == day(3)


def test_a_dead_run_that_a_fast_clock_leased_for_years_is_healed(engine: Engine) -> None:
    crawl(engine, [row(1)])
    dead = open_run(engine, now=day(1) + FAST, host="elsewhere")
    with pytest.raises(opening.StoreHeld):
        open_run(engine, now=day(2))
    assert rollback(engine, dead.id, day(2)).healed > 0
    assert all_broken(engine, day(2)) == []
    assert open_run(engine, now=day(2)).id == dead.id + 1


def test_a_run_under_way_with_an_honest_lease_is_not_touched(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run = open_run(engine, now=day(1))
    with pytest.raises(RollbackRefused):
        rollback(engine, run.id, day(1))
    opening.heartbeat(engine, run, day(1))


def test_a_locators_run_with_a_fast_clock_is_healed_with_the_stores_that_it_closed(engine: Engine) -> None:
    for when in (START, START + FAST, START + 2 * FAST):
        run = open_run(engine, "*", now=when)
        found = {"1": {"store_name": "One"}} | ({"2": {"store_name": "Two"}} if when == START else {})
        publish_stores(engine, run, Ending(verdict=judged(), now=when), found)
    new = open_run(engine, "*", now=START + 2 * FAST)
    found = {name: {"store_name": name} for name in ("1", "3")}
    publish_stores(engine, new, Ending(verdict=judged(), now=START + 2 * FAST), found)
    assert rollback(engine, new.id, day(1)).healed > 0
    assert all_broken(engine, day(1)) == []
    with engine.connect() as connection:
        periods = connection.execute(select(membership_periods.c.from_at)).scalars().all()
    assert max(periods) < day(1) + MINUTE


def test_healing_twice_has_nothing_left_to_do(engine: Engine) -> None:
    crawl(engine, [row(1)])
    fast, _ = crawl(engine, [row(1, 110)], now=day(1) + FAST)
    rollback(engine, fast.id, day(2))
    with pytest.raises(RollbackRefused, match="was rolled back at"):
        rollback(engine, fast.id, day(2))


def test_a_rollback_of_an_honest_run_heals_nothing(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run, _ = crawl(engine, [row(1, 110)], now=day(1))
    assert rollback(engine, run.id, day(2)).healed == 0


def test_a_dry_run_heals_nothing(engine: Engine) -> None:
    crawl(engine, [row(1)])
    fast, _ = crawl(engine, [row(1, 110)], now=day(1) + FAST)
    before = query(engine, "SELECT id, started_at, finished_at FROM crawl_runs ORDER BY id")
    assert rollback(engine, fast.id, day(2), dry=True).healed > 0
    assert query(engine, "SELECT id, started_at, finished_at FROM crawl_runs ORDER BY id") == before


def _bound(engine: Engine, when: datetime) -> object:
    return UtcDateTime().process_bind_param(when, engine.dialect)


def _last_scraped(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        return connection.execute(select(stores.c.last_scraped)).scalar()
