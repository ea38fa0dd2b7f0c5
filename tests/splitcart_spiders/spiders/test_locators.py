"""Locators: every store of a chain, with its group; moved, reopened, closed by the second miss in a row."""

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import OperationalError

from models import tables
from models.publishing import stores as locate
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.spiders.iga_stores import IgaStoresSpider
from tests.support.crawls import crawl

CHAINS = ("woolworths", "coles", "aldi", "iga")


def stores(engine: Engine, chain: str) -> dict[str, Any]:
    """The chain's rows of stores by id."""
    rows, companies = tables.stores, tables.companies
    joined = select(rows).join_from(rows, companies, companies.c.id == rows.c.company_id)
    with engine.connect() as connection:
        return {row.store_code: row for row in connection.execute(joined.where(companies.c.slug == chain))}


def find(chain: str, url: str, database_url: str) -> Any:
    return crawl(f"{chain}_stores", url, database_url)


@pytest.mark.parametrize(
    ("chain", "url"), [*((chain, "sqlite_url") for chain in CHAINS), ("woolworths", "postgres_url")]
)
def test_a_locator_finds_every_store_with_its_zone_and_gives_each_a_group(
    chain: str, url: str, request: pytest.FixtureRequest
) -> None:
    world, database_url = World(seed=4, stores=24), request.getfixturevalue(url)
    engine = create_engine(database_url)
    with SandboxServer(world) as server:
        outcome = find(chain, server.url, database_url)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    found = stores(engine, chain)
    true = {store.store_code: store for store in world.stores(chain) if store.is_online}
    assert true.keys() <= found.keys()
    assert {store_id for store_id, row in found.items() if row.is_online} == true.keys()
    for store_id, store in true.items():
        row = found[store_id]
        assert str(row.suburb).casefold() == store.suburb.casefold()
        assert (row.state, row.postcode) == (store.state, store.postcode)
        assert row.timezone == store.timezone
        assert row.latitude == pytest.approx(store.latitude, abs=0.001)
    with engine.connect() as connection:
        members = connection.execute(select(tables.store_group_memberships.c.store_id)).scalars().all()
        anchors = connection.execute(select(tables.store_groups.c.anchor_id)).scalars().all()
    assert sorted(members) == sorted(anchors) == sorted(row.id for row in found.values())
    engine.dispose()


@pytest.mark.parametrize(
    ("sent", "zone"),
    [
        ("Australia/Perth", "Australia/Perth"),
        *(
            (other, "Australia/Sydney")
            for other in ("AUS Eastern Standard Time", "+10:00", "../etc/passwd", "No/Zone", 10)
        ),
    ],
)
def test_a_time_zone_is_one_that_can_be_reckoned_with(sent: object, zone: str) -> None:
    (store,) = IgaStoresSpider().store("32600", store_name="IGA", state="NSW", timezone=sent)
    assert store.timezone == zone


def test_every_text_of_a_locators_store_can_be_stored() -> None:
    (store,) = IgaStoresSpider().store(32600, store_name=" a\ud800b\x00 ", suburb="N/A", address_line_1="x" * 5000)
    assert (store.store_id, store.store_name, store.suburb) == ("32600", "ab", None)
    assert len(str(store.address_line_1)) == 200


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"state": 613, "postcode": 822}, ("NT", "0822", "Australia/Darwin")),
        ({"state": None, "postcode": "6053"}, ("WA", "6053", "Australia/Perth")),
        ({"state": "N/A", "postcode": "3056"}, ("VIC", "3056", "Australia/Melbourne")),
        ({"state": "Queensland", "postcode": "2484"}, ("QLD", "2484", "Australia/Brisbane")),
        ({"state": "ZZ", "postcode": "56"}, (None, None, None)),
    ],
)
def test_an_unknown_state_follows_from_the_postcode(sent: dict[str, Any], fields: tuple[Any, ...]) -> None:
    (store,) = IgaStoresSpider().store("32600", store_name="IGA", **sent)
    assert (store.state, store.postcode, store.timezone) == fields


def test_a_store_is_called_as_people_read_it() -> None:
    sent = {"store_name": "King &amp;amp; Sons<br>North", "suburb": "O&#39;Connor", "address_line_1": "1 <b>A</b> St"}
    (store,) = IgaStoresSpider().store("32600", **sent)
    assert (store.store_name, store.suburb, store.address_line_1) == ("King & Sons North", "O'Connor", "1 A St")


def test_a_store_closes_only_when_two_complete_runs_in_a_row_miss_it(sqlite_url: str) -> None:
    few, many = World(seed=4, stores=6), World(seed=4, stores=8)
    with SandboxServer(many) as server:
        assert find("woolworths", server.url, sqlite_url).status == "complete"
    first = {store.store_code for store in many.stores("woolworths")}
    gone = first - {store.store_code for store in few.stores("woolworths")}
    assert gone
    with SandboxServer(few) as server:
        for closed in (False, True):
            outcome = find("woolworths", server.url, sqlite_url)
            assert outcome.status == "complete", outcome.reason
            rows = crawled(sqlite_url)
            assert {row.store_code for row in rows.values() if row.missing_since} == gone
            assert {row.store_code for row in rows.values() if row.closed_at} == (gone if closed else set())
    with SandboxServer(many) as server:
        assert find("woolworths", server.url, sqlite_url).status == "complete"
    assert not [row for row in crawled(sqlite_url).values() if row.closed_at or row.missing_since]


def crawled(url: str) -> dict[str, Any]:
    engine = create_engine(url)
    try:
        return stores(engine, "woolworths")
    finally:
        engine.dispose()


@pytest.mark.parametrize("chain", ["woolworths", "coles", "iga"])
def test_a_locator_without_all_answers_is_not_complete_and_closes_nothing(chain: str, sqlite_url: str) -> None:
    world = World(seed=4, stores=8)
    path = {"woolworths": "StoreLocator", "coles": "stores/search", "iga": "RSID"}[chain]
    with SandboxServer(world) as server:
        assert find(chain, server.url, sqlite_url).status == "complete"
        server.faults.add("invalid_json", chain, path, after=1 if chain != "woolworths" else 0)
        outcome = find(chain, server.url, sqlite_url)
    assert outcome.status in ("partial", "failed")
    assert outcome.exit_code in (1, 2)
    engine = create_engine(sqlite_url)
    assert not [row for row in stores(engine, chain).values() if row.missing_since or row.closed_at]
    engine.dispose()


def test_a_locator_whose_stores_cannot_be_written_leaves_no_lease_behind(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    monkeypatch.setattr(locate, "publish_stores", failing)
    engine = create_engine(sqlite_url)
    with SandboxServer(World(seed=4, stores=4)) as server:
        outcome = find("woolworths", server.url, sqlite_url)
    why = "the run could not be concluded: disk is full"
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", why, 1)
    runs = tables.crawl_runs.c
    with engine.connect() as connection:
        assert connection.execute(select(runs.status, runs.reason, runs.lease_token)).all() == [("failed", why, None)]
    engine.dispose()


def test_a_locator_whose_commit_reply_was_lost_exits_as_its_run_ended(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = locate.publish_stores

    def lost(*args: Any, **kwargs: Any) -> None:
        publish(*args, **kwargs)
        raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(locate, "publish_stores", lost)
    with SandboxServer(World(seed=4, stores=4)) as server:
        outcome = find("woolworths", server.url, sqlite_url)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("complete", "finished", 0)
    engine = create_engine(sqlite_url)
    runs = tables.crawl_runs.c
    with engine.connect() as connection:
        assert connection.execute(select(runs.status, runs.reason)).all() == [("complete", "finished")]
    engine.dispose()
