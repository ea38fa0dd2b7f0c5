"""A store that the chain's locator does not list is refused before anything is asked; the operator may overrule."""

from collections.abc import Iterator

import forget_fulfilment
import pytest
from sqlalchemy import Engine, select, update

from models.database import engine as engines
from models.publishing import stores as locate
from models.runs import opening
from models.runs.endings import Ending
from models.tables import stores
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart.runs.verdict import EVERY_STORE, Verdict
from tests.support.crawls import crawl
from tests.support.storage import crawl as store_crawl
from tests.support.storage import day, row, target

FOUND = {"1703": "Newtown", "1704": "Glebe", "9999": "Perth", "1579": "Ryde"}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=9, products=40, stores=1)) as started:
        yield started


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    created = engines.create(sqlite_url)
    yield created
    created.dispose()


def located(engine: Engine, status: str = "complete", found: dict[str, str] = FOUND) -> None:
    """A locator run that found these stores, as the extension writes it."""
    run = opening.open_run(engine, target(EVERY_STORE), spider="woolworths_stores", now=day(0), host="h", pid=1)
    rows = {
        store: dict.fromkeys(locate.LOCATED) | {"store_name": name, "is_online": True} for store, name in found.items()
    }
    verdict = Verdict(status, "finished", "all" if status == "complete" else "seen", {})
    locate.publish_stores(engine, run, Ending(verdict=verdict, now=day(0)), rows)


def test_a_store_that_the_last_complete_locator_run_does_not_list_is_refused_by_name(server, engine, database_url):
    located(engine)
    server.log.clear()
    outcome = crawl("woolworths", server.url, database_url, store="1705")
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "does not list store 1705: closest are 1703 (Newtown), 1704 (Glebe), " in outcome.reason
    assert "scrapy crawl woolworths_stores" in outcome.reason
    assert "-a unlisted=1" in outcome.reason
    assert server.log == []


def test_a_store_that_the_last_complete_run_missed_is_listed_no_longer(server, engine, database_url):
    located(engine)
    located(engine, found={"1703": "Newtown"})
    server.log.clear()
    assert "does not list store 1704" in crawl("woolworths", server.url, database_url, store="1704").reason
    assert server.log == []


@pytest.mark.parametrize("arguments", [{"unlisted": "1"}, {}])
def test_a_store_that_is_vouched_for_or_listed_is_crawled(arguments, server, sqlite_url, sqlite_engine):
    own = server.world.stores("woolworths")[0].store_code
    located(sqlite_engine, found=FOUND if arguments else FOUND | {own: "Own"})
    outcome = crawl("woolworths", server.url, sqlite_url, store=own, **arguments)
    assert outcome.status == "complete"


@pytest.mark.parametrize("before", ["nothing", "partial"])
def test_without_a_complete_locator_run_the_crawl_continues_with_a_warning(
    before, server, sqlite_url, sqlite_engine, caplog
):
    if before == "partial":
        located(sqlite_engine, "partial")
    own = server.world.stores("woolworths")[0].store_code
    outcome = crawl("woolworths", server.url, sqlite_url, store=own)
    assert outcome.status == "complete"
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"whether Woolworths has a store {own} is not known" in warning
    assert "scrapy crawl woolworths_stores" in warning


def test_accepting_fulfilment_logs_what_it_stores_and_how_to_take_it_back(server, sqlite_url, caplog):
    own = server.world.stores("woolworths")[0].store_code
    with caplog.at_level("INFO"):
        crawl("woolworths", server.url, sqlite_url, store=own, accept_fulfilment="1")
    assert f"is remembered as the one which fulfils {own}" in caplog.text
    assert f"python scripts/forget_fulfilment.py --company woolworths --store {own}" in caplog.text


def test_a_stored_fulfilment_is_taken_back(engine, database_url, monkeypatch, capsys):
    store_crawl(engine, [row(1)])
    with engine.begin() as connection:
        connection.execute(update(stores).values(fulfilled_by="1101"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    asked = ["--company=woolworths", "--store=1147"]
    assert forget_fulfilment.main(asked) == 0
    assert "store 1101 no longer fulfils it" in capsys.readouterr().out
    with engine.connect() as connection:
        assert connection.execute(select(stores.c.fulfilled_by)).scalars().all() == [None]
    assert forget_fulfilment.main([*asked, "--json"]) == 0
    assert '"fulfilled_by": null' in capsys.readouterr().out
    assert forget_fulfilment.main(["--company=woolworths", "--store=1"]) == 1
    assert "store '1' is unknown" in capsys.readouterr().err
