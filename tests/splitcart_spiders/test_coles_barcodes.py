"""Coles' barcodes: a product page for each unknown one, once; the answer is remembered, also that there is none."""

from sqlalchemy import create_engine, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import Outcome, crawl


def product_pages(server: SandboxServer, since: int) -> int:
    return sum("/en/product/" in request.path for request in list(server.log)[since:])


def run(server: SandboxServer, url: str, store: str, **args: str) -> tuple[Outcome, int]:
    since = len(server.log)
    outcome = crawl("coles", server.url, url, store=store, **args)
    assert outcome.status == "complete", outcome.reason
    return outcome, product_pages(server, since)


def barcodes(url: str) -> dict[str, str | None]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {row.sku: row.gtin for row in connection.execute(select(tables.listings))}
    engine.dispose()
    return found


def test_the_first_fill_is_spread_and_the_last_crawl_asks_nothing(sqlite_url: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_id
    true = {row["sku"]: row for row in world.truth("coles", store, 0)}
    with SandboxServer(world) as server:
        assert run(server, sqlite_url, store, gtins="0")[1] == 0
        assert run(server, sqlite_url, store, gtins="25")[1] == 25
        assert sum(1 for gtin in barcodes(sqlite_url).values() if gtin) > 0
        assert run(server, sqlite_url, store)[1] >= len(true) - 25
        assert run(server, sqlite_url, store)[1] == 0
    found = barcodes(sqlite_url)
    wrong = {
        sku: (found[sku], row["gtin"])
        for sku, row in true.items()
        if found[sku] != row["gtin"] and found[sku] not in row["acceptable"].get("gtin", ())
    }
    assert not wrong


def test_a_build_that_turns_stale_in_mid_crawl_loses_nothing(sqlite_url: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_id
    with SandboxServer(world) as server:
        server.faults.add("build", "coles", "/en/browse/", after=5, times=1)
        outcome, _ = run(server, sqlite_url, store, gtins="0")
    assert outcome.stats["splitcart/listing/stale_build"] == 1
