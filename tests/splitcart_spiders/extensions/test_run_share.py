"""A run's share of the fleet's rate, by itself and beside another."""

import itertools

import pytest
from scrapy.exceptions import NotConfigured

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.extensions.run_share import ShareExtension
from splitcart_spiders.middlewares.host_rate import HostRate
from tests.support.crawls import submit
from tests.support.manners import crawler_with

RATE = 20


@pytest.mark.parametrize("chain", ["woolworths"])
def test_two_runs_at_once_share_the_rate(sqlite_url, chain):
    world = World(seed=8, products=150, stores=2)
    settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
    with SandboxServer(world) as server:
        futures = [
            submit(chain, server.url, sqlite_url, args={"store": store.store_id}, **settings)
            for store in world.stores(chain)[:2]
        ]
        outcomes = [future.result(120) for future in futures]
    assert [outcome.status for outcome in outcomes] == ["complete", "complete"]
    assert HostRate.of(outcomes[0].crawler) is not HostRate.of(outcomes[1].crawler)
    times = [entry.time for entry in server.log]
    assert len(times) > 40
    # Two runs in turn: of 22 requests in a row each sent at most 11, which take it 10 delays of 2 / RATE.
    spans = [times[place + 21] - times[place] for place in range(len(times) - 21)]
    assert min(spans) >= 20 / RATE * 0.95


def test_a_run_alone_has_all_of_it(sqlite_url):
    world = World(seed=8, products=60, stores=1)
    with SandboxServer(world) as server:
        store = world.stores("aldi")[0].store_id
        settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
        outcome = submit("aldi", server.url, sqlite_url, args={"store": store}, **settings).result(120)
    assert outcome.status == "complete"
    assert HostRate.of(outcome.crawler).share == 1
    times = [entry.time for entry in server.log]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 1 / RATE * 0.5


def test_in_dev_without_polite_there_is_nothing_to_share():
    with pytest.raises(NotConfigured):
        ShareExtension.from_crawler(crawler_with(dev=True))
