"""Stores in one process: each sees its own prices only; what was killed, limited or capped is known for what it is."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import crawl, load, submit
from tests.support.truth import check_truth

CHAINS = ("woolworths", "coles", "aldi", "iga")
QUICK = {"BROWSER": False}
NO_BARCODES = {"coles": {"gtins": "0"}}


@pytest.mark.parametrize("chain", CHAINS)
def test_two_stores_crawled_at_once_never_see_each_others_prices(chain: str, postgres_url: str, tmp_path: Path) -> None:
    world = World(seed=8, products=120, stores=3, noise=0.3)
    first, second = [store.store_code for store in world.stores(chain) if store.is_online][:2]
    cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "cache")}
    with SandboxServer(world) as server:
        runs = [
            submit(chain, server.url, postgres_url, args={"store": store}, **QUICK, **cache)
            for store in (first, second)
        ]
        assert [run.result(120).status for run in runs] == ["complete", "complete"]
    engine = create_engine(postgres_url)
    for store in (first, second):
        check_truth(engine, chain, store, world.truth(chain, store, 0), texts=False)
    engine.dispose()


def test_a_store_that_another_run_holds_is_refused_by_name(sqlite_url: str) -> None:
    world = World(seed=8, products=120, stores=1)
    store = world.stores("aldi")[0].store_code
    with SandboxServer(world) as server:
        server.faults.add("delay", "aldi", "product-category-tree", seconds=1.5, times=1)
        first = submit("aldi", server.url, sqlite_url, args={"store": store})
        while not [request for request in list(server.log) if request.chain == "aldi"]:
            pass
        second = crawl("aldi", server.url, sqlite_url, store=store)
        assert (second.status, second.exit_code) == ("held", 3)
        assert store in str(second.reason)
        assert first.result(60).status == "complete"


@pytest.mark.parametrize(
    ("chain", "cap", "world"),
    [
        ("woolworths", 40, {"products": 500, "woolworths_cap": 40}),
        ("coles", 49, {"products": 900, "coles_page_cap": 1}),
    ],
)
def test_a_category_above_the_cap_is_crawled_by_its_children(
    chain: str, cap: int, world: dict[str, int], sqlite_url: str
) -> None:
    spider = type("Capped", (load(chain),), {"cap": cap})
    world = World(seed=2, stores=1, **world)
    store = world.stores(chain)[0].store_code
    with SandboxServer(world) as server:
        outcome = crawl(spider, server.url, sqlite_url, overrides=QUICK, store=store, **NO_BARCODES.get(chain, {}))
    walks = outcome.crawler.spider.walker.walks.values()
    assert [walk for walk in walks if walk.split and walk.capped]
    assert outcome.status == "complete", outcome.reason
    engine = create_engine(sqlite_url)
    truth = world.truth(chain, store, 0)
    check_truth(engine, chain, store, truth, texts=chain not in NO_BARCODES)
    engine.dispose()


def test_a_probe_asks_for_so_many_pages_and_delists_nothing(sqlite_url: str) -> None:
    world = World(seed=8, products=300, stores=1)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        assert crawl("woolworths", server.url, sqlite_url, store=store).status == "complete"
        asked = len(server.log)
        outcome = crawl("woolworths", server.url, sqlite_url, store=store, probe="8")
        pages = [entry for entry in list(server.log)[asked:] if entry.method == "POST"]
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("partial", "requested", 0)
    assert len(pages) == 8
    engine = create_engine(sqlite_url)
    check_truth(engine, "woolworths", store, world.truth("woolworths", store, 0))
    with engine.connect() as connection:
        assert connection.execute(select(tables.missing_listings)).all() == []
        run = connection.execute(select(tables.crawl_runs).order_by(tables.crawl_runs.c.id.desc())).first()
        assert (run.counts["probe"], run.figures["probe"]["outcome"]) == (8, "agrees")
        assert connection.execute(select(tables.stores.c.verified_at)).scalar() == run.finished_at
    engine.dispose()


def test_skipped_roots_are_named_in_the_run_row(sqlite_url: str) -> None:
    world = World(seed=8, products=120, stores=1)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        crawl("woolworths", server.url, sqlite_url, store=store)
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        run = connection.execute(select(tables.crawl_runs)).one()
    engine.dispose()
    assert "Everyday Market" in run.skipped_roots
    assert run.answered_for == store
    assert run.counts["drops"]
