"""A filled database of any earlier schema is upgraded to the current one, and nothing is lost."""

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, select, text

from models.database import engine as engines
from models.database import migrator
from models.lines import sightings
from models.tables import crawl_runs
from tests.support.storage import cents, check_sound, crawl, day, effective, query, row

MARCH = datetime(2026, 3, 4, tzinfo=UTC)

TIME = {"sqlite": "'2026-03-04T00:00:00.000000+00:00'", "postgresql": "'2026-03-04 00:00:00+00'"}
NO = {"sqlite": "0", "postgresql": "false"}
BYTES = {"sqlite": "x'{}'", "postgresql": "'\\x{}'::bytea"}

FILL = (
    "INSERT INTO companies (id, name, slug) VALUES (1, 'Woolworths', 'woolworths')",
    "INSERT INTO stores (id, company_id, store_id, store_name, last_scraped) VALUES (1, 1, '1147', 'One', {time})",
    "INSERT INTO store_groups (id, company_id, anchor_id) VALUES (1, 1, 1)",
    "INSERT INTO store_group_memberships (store_id, group_id) VALUES (1, 1)",
    "INSERT INTO membership_periods (store_id, from_at, group_id, anchor_id) VALUES (1, {time}, 1, 1)",
    "INSERT INTO crawl_runs (id, company_id, store_code, store_id, spider, host, pid, started_at, finished_at, status,"
    " counts, undo) VALUES (1, 1, '1147', 1, 'woolworths', 'h', 1, {time}, {time}, 'complete',"
    ' \'{{"accepted": 4, "staged": 4, "listings": 4, "seen": 4, "ended_by": "token"}}\', {ranged})',
    *(f"INSERT INTO products (id, name, normalized_key) VALUES ({i}, 'P{i}', 'p{i}')" for i in range(1, 5)),
    *(
        "INSERT INTO listings (id, company_id, sku, ordinal, product_id, name)"
        f" VALUES ({i}, 1, '{i}', {i - 1}, {i}, 'P{i}')"
        for i in range(1, 5)
    ),
    # 1 and 2 have a price, 3 was delisted, 4 is ranged and never had one.
    "INSERT INTO prices (store_id, listing_id, price_cents, price_basis, is_estimated, is_on_special, changed_at,"
    " crawl_run_id) SELECT 1, id, 100 + id, 'each', {no}, {no}, {time}, 1 FROM listings WHERE id < 3",
    "INSERT INTO price_changes (store_id, listing_id, changed_at, kind, price_cents, price_basis, is_estimated,"
    " is_on_special, crawl_run_id) SELECT 1, id, {time}, 'own', CASE WHEN id < 3 THEN 100 + id END, 'each', {no}, {no},"
    " 1 FROM listings WHERE id < 4",
    "INSERT INTO missing_listings (store_id, listing_id, missing_since, crawl_run_id, delisted_at)"
    " SELECT 1, 3, {early}, 1, {time} FROM stores",
    "INSERT INTO store_ranges (store_id, ranged, available, as_of{column})"
    " VALUES (1, {ranged}, {available}, {time}{priced})",
)


def earlier() -> list[str]:
    with migrator.config() as made:
        found = [script.revision for script in ScriptDirectory.from_config(made).walk_revisions()]
    return sorted(set(found) - {engines.SCHEMA_REVISION})


def lay(engine: Engine, revision: str) -> None:
    """The database as it was at `revision`, with a store in it."""
    kind = engine.dialect.name
    early = TIME[kind].replace("2026-03-04", "2026-03-02")
    bits = {"ranged": BYTES[kind].format("0b"), "available": BYTES[kind].format("03"), "column": "", "priced": ""}
    if revision >= "0004":
        bits |= {"column": ", priced", "priced": f", {bits['available']}"}
    with engine.begin() as connection, migrator.config(connection) as made:
        command.upgrade(made, min(revision, "0006"))
        for statement in FILL:
            filled = statement.format(time=TIME[kind], early=early, no=NO[kind], **bits)
            connection.execute(text(filled))
        command.upgrade(made, revision)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    return engines.normalise(request.getfixturevalue("empty_postgres_url"))


@pytest.mark.parametrize("revision", earlier())
def test_a_filled_database_of_an_earlier_schema_is_upgraded(old_url: str, revision: str) -> None:
    plain = create_engine(old_url)
    lay(plain, revision)
    plain.dispose()
    engine = engines.create(old_url)
    assert engines.revision(engine) == revision
    engines.migrate(engine)
    engines.check_schema(engine)
    check_sound(engine)
    assert cents(engine) == {"1": 101, "2": 102}
    with engine.connect() as connection:
        seen = sightings.read(connection, [1])[1]
    assert seen.lines.tolist()[:4] == [True, True, False, False][: len(seen.lines)]
    assert {one.observed_at for one in effective(engine).values()} == {MARCH}
    crawl(engine, [row(1, 101), row(2, 102), row(4, 90)], now=day(1))
    assert cents(engine) == {"1": 101, "2": 102, "4": 90}
    check_sound(engine)
    assert query(engine, "SELECT count(*) FROM stores") == [(1,)]
    with engine.connect() as connection:
        run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == 1)).one()
    assert (run.ended_by, run.counts) == ("token", {"accepted": 4, "staged": 4, "listings": 4, "seen": 4})
    engine.dispose()


# Store 2 follows store 1 since the third; MEMBER holds the prices that each has for listings 1 to 4.
MEMBER = (
    "INSERT INTO stores (id, company_id, store_id, store_name, last_scraped) VALUES (2, 1, '1148', 'Two', {time})",
    "INSERT INTO store_group_memberships (store_id, group_id) VALUES (2, 1)",
    "INSERT INTO membership_periods (store_id, from_at, to_at, group_id, anchor_id) VALUES (2, {early}, {third}, 2, 2)",
    "INSERT INTO membership_periods (store_id, from_at, group_id, anchor_id) VALUES (2, {third}, 1, 1)",
    "UPDATE membership_periods SET from_at = {early} WHERE store_id = 1",
    *(
        "INSERT INTO crawl_runs (id, company_id, store_code, store_id, spider, host, pid, started_at, finished_at,"
        f" status, counts, undo) VALUES ({run}, 1, '{code}', {store}, 'w', 'h', 1, {{{at}}}, {{{at}}}, 'complete',"
        ' \'{{"accepted": 4, "staged": 4, "listings": 4, "seen": 4}}\', {ranged})'
        for run, code, store, at in ((2, "1148", 2, "early"), (3, "1147", 1, "early"), (4, "1148", 2, "time"))
    ),
    "UPDATE stores SET last_scraped = {time} WHERE id = 1",
    "DELETE FROM prices",
    "DELETE FROM price_changes",
    "DELETE FROM missing_listings",
    *(
        "INSERT INTO price_changes (store_id, listing_id, changed_at, kind, price_cents, price_basis, is_estimated,"
        f" is_on_special, crawl_run_id)"
        f" VALUES ({store}, {listing}, {{{at}}}, '{kind}', {cents}, 'each', {{no}}, {{no}}, {run})"
        for store, listing, at, kind, cents, run in (
            # The anchor: 2 changed on the fourth. The member's run of that day saw it too, but wrote no row for it.
            *((1, listing, "early", "own", 100 + listing, 3) for listing in (1, 2, 3)),
            (1, 2, "time", "own", 92, 1),
            # The member: equal on the second except for 3; only the member ranges 4.
            *((2, listing, "early", "own", 100 + listing, 2) for listing in (1, 2, 4)),
            (2, 3, "early", "own", 333, 2),
            (2, 1, "third", "follows", 101, 4),
            (2, 3, "third", "own", 333, 2),  # repeated when the store joined
            (2, 4, "third", "own", 104, 2),
        )
    ),
    *(
        "INSERT INTO prices (store_id, listing_id, price_cents, price_basis, is_estimated, is_on_special, changed_at,"
        f" crawl_run_id) VALUES ({store}, {listing}, {cents}, 'each', {{no}}, {{no}}, {{{at}}}, {run})"
        for store, listing, cents, at, run in (
            (1, 1, 101, "early", 3),
            (1, 2, 92, "time", 1),
            (1, 3, 103, "early", 3),
            (2, 3, 333, "early", 2),
            (2, 4, 104, "early", 2),
        )
    ),
    "UPDATE store_ranges SET ranged = {seven}, available = {seven}, priced = {seven}",
    "INSERT INTO store_ranges (store_id, ranged, available, as_of, priced)"
    " VALUES (2, {fifteen}, {fifteen}, {time}, {fifteen})",
)


def test_a_members_rows_are_what_it_saw_itself(old_url: str) -> None:
    plain = create_engine(old_url)
    lay(plain, "0006")
    kind = plain.dialect.name
    days = {"early": TIME[kind].replace("2026-03-04", "2026-03-02"), "third": TIME[kind].replace("-04", "-03", 1)}
    days["third"] = TIME[kind].replace("2026-03-04", "2026-03-03")
    bits = {"ranged": BYTES[kind].format("0b"), "seven": BYTES[kind].format("07"), "fifteen": BYTES[kind].format("0f")}
    with plain.begin() as connection:
        for statement in MEMBER:
            connection.execute(text(statement.format(time=TIME[kind], no=NO[kind], **days, **bits).replace(":", "\\:")))
    plain.dispose()
    engine = engines.create(old_url)
    engines.migrate(engine)
    check_sound(engine)
    assert cents(engine, "1148") == {"1": 101, "2": 92, "3": 333, "4": 104}
    assert {one.source for one in effective(engine, "1148").values()} == {"own"}
    assert {one.observed_at for one in effective(engine, "1148").values()} == {MARCH}
    entries = query(
        engine, "SELECT listing_id, price_cents FROM price_changes WHERE store_id = 2 ORDER BY 1, changed_at"
    )
    assert entries == [(1, 101), (2, 102), (2, 92), (3, 333), (4, 104)]
    assert query(engine, "SELECT count(*) FROM stores WHERE needs_rescraping") == [(0,)]
    crawl(engine, [row(1, 101), row(2, 92), row(3, 103)], store="1147", now=day(1))
    crawl(engine, [row(1, 101), row(2, 92), row(3, 333), row(4, 104)], store="1148", now=day(1))
    assert cents(engine, "1148") == {"1": 101, "2": 92, "3": 333, "4": 104}
    engine.dispose()
