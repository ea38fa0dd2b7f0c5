"""A run's share of the fleet's rate, by itself and beside another."""

import pytest
from scrapy.exceptions import NotConfigured

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.extensions.run_share import ShareExtension
from splitcart_spiders.middlewares.host_rate import HostRate
from tests.support.crawls import submit
from tests.support.manners import crawler_with, record_departures

RATE = 20


def test_two_runs_at_once_share_the_rate(sqlite_url, monkeypatch):
    left = record_departures(monkeypatch)
    world = World(seed=8, products=150, stores=2)
    settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
    with SandboxServer(world) as server:
        futures = [
            submit("woolworths", server.url, sqlite_url, args={"store": store.store_id}, **settings)
            for store in world.stores("woolworths")[:2]
        ]
        outcomes = [future.result(120) for future in futures]
    assert [outcome.status for outcome in outcomes] == ["complete", "complete"]
    assert HostRate.of(outcomes[0].crawler) is not HostRate.of(outcomes[1].crawler)
    assert len(left) == len(server.log) > 40
    # Two runs in turn: of 22 requests in a row each sent at most 11, which take it 10 delays of 2 / RATE.
    assert min(left[place + 21] - left[place] for place in range(len(left) - 21)) >= 20 / RATE


def test_a_run_alone_has_all_of_it(sqlite_url):
    world = World(seed=8, products=60, stores=1)
    with SandboxServer(world) as server:
        store = world.stores("aldi")[0].store_id
        settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
        outcome = submit("aldi", server.url, sqlite_url, args={"store": store}, **settings).result(120)
    assert outcome.status == "complete"
    assert HostRate.of(outcome.crawler).share == 1
    times = [entry.time for entry in server.log]
    assert times[-1] - times[0] >= (len(times) - 1) / RATE


def test_in_dev_without_polite_there_is_nothing_to_share():
    with pytest.raises(NotConfigured):
        ShareExtension.from_crawler(crawler_with(dev=True))
