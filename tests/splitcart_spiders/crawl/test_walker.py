"""The walks of one crawl use the run's own gates and clock."""

from collections.abc import Iterator

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.crawl.chain_spider import ChainSpider
from tests.support.crawls import Outcome, crawl, on_day

PATH = "/v3/product-search"
"""The path of Aldi's listing pages."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=5, products=400, stores=1)) as server:
        yield server


@pytest.fixture
def server(sandbox: SandboxServer) -> Iterator[SandboxServer]:
    yield sandbox
    sandbox.faults.clear()


def run(server: SandboxServer, url: str, day: int = 0, probe: str | None = None, **gates: float) -> Outcome:
    store = next(store.store_code for store in server.world.stores("aldi") if store.is_online)
    arguments = {"probe": probe} if probe else {}
    settings = {"RUN_GATES": gates, **on_day(server.world, day)}
    return crawl("aldi", server.url, url, overrides=settings, store=store, **arguments)


def failures(outcome: Outcome) -> list[str]:
    spider = outcome.crawler.spider
    assert isinstance(spider, ChainSpider)
    return [walk.failed for walk in spider.walker.walks.values() if walk.failed]


def test_a_repeated_page_fails_a_walk_only_outside_the_tolerance_of_the_verdict(
    server: SandboxServer, sqlite_url: str
) -> None:
    server.faults.add("page_one", "aldi", PATH)
    strict = run(server, sqlite_url)
    assert (strict.status, any("came again" in why for why in failures(strict))) == ("partial", True)
    loose = run(server, sqlite_url, tolerance=1.0)
    assert (loose.status, failures(loose)) == ("complete", [])


def test_a_probe_draws_other_pages_on_each_day_of_a_rehearsal(server: SandboxServer, sqlite_url: str) -> None:
    assert run(server, sqlite_url).status == "complete"
    draws = []
    for day in (1, 2, 3):
        before = len(server.log)
        assert run(server, sqlite_url, day=day, probe="3").exit_code == 0
        draws.append(frozenset(entry.query for entry in server.log[before:] if entry.path == PATH))
    assert len(set(draws)) == 3
