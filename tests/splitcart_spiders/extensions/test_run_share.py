"""A run's share of the fleet's rate, by itself and beside another."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from scrapy.exceptions import NotConfigured

from models.database import engine as engines
from models.scheduling.taking import Taken, take
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart.scheduling.rule import Rules
from splitcart_spiders.extensions.run_share import ShareExtension
from splitcart_spiders.middlewares.host_rate import HostRate
from tests.support.crawls import submit
from tests.support.manners import crawler_with, record_departures
from tests.support.schedules import HOLDER, company_of

RATE = 20


def test_two_runs_at_once_share_the_rate(sqlite_url, monkeypatch):
    left = record_departures(monkeypatch)
    world = World(seed=8, products=150, stores=2)
    settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
    with SandboxServer(world) as server:
        futures = [
            submit("woolworths", server.url, sqlite_url, args={"store": store.store_code}, **settings)
            for store in world.stores("woolworths")[:2]
        ]
        outcomes = [future.result(120) for future in futures]
    assert [outcome.status for outcome in outcomes] == ["complete", "complete"]
    assert HostRate.of(outcomes[0].crawler) is not HostRate.of(outcomes[1].crawler)
    assert len(left) == len(server.log) > 40
    # Two runs in turn: of 22 requests in a row each sent at most 11, which take it 10 delays of 2 / RATE.
    assert min(left[place + 21] - left[place] for place in range(len(left) - 21)) >= 20 / RATE


def work(engine, company, sandbox_url, database_url, settings):
    """A worker without its processes: takes stores and crawls them until none is offered; how each crawl ended."""
    ended = []
    while isinstance(found := take(engine, company, Rules(), datetime.now(UTC), holder=HOLDER), Taken):
        args = {"store": found.store_code, "lease": found.lease_token}
        ended.append(submit("aldi", sandbox_url, database_url, args=args, **settings).result(120).status)
    return ended


def test_four_workers_on_one_host_stay_inside_the_hosts_rate(sqlite_url, monkeypatch):
    left = record_departures(monkeypatch)
    world = World(seed=8, products=40, stores=6)
    rate, workers = 30, 4
    settings = {"POLITE": True, "HOST_RATE": rate, "HEARTBEAT_SECONDS": 0.2}
    engine = engines.create(sqlite_url)
    online = [store.store_code for store in world.stores("aldi") if store.is_online]
    company = company_of(engine, online)
    with SandboxServer(world) as server, ThreadPoolExecutor(workers) as pool:
        begun = [pool.submit(work, engine, company, server.url, sqlite_url, settings) for _ in range(workers)]
        ended = [each.result(240) for each in begun]
    engine.dispose()
    assert [len(each) > 0 for each in ended] == [True] * workers
    assert [status for each in ended for status in each] == ["complete"] * len(online)
    # A run sends one more than its share in any time, and another one if its share grew meanwhile: two a worker.
    times = [entry.time for entry in server.log]
    assert len(left) == len(times) > 100
    assert times[-1] - times[0] >= (len(times) - 2 * workers) / rate
    assert min(left[place + 39] - left[place] for place in range(len(left) - 39)) >= (40 - 2 * workers) / rate


def test_a_run_alone_has_all_of_it(sqlite_url):
    world = World(seed=8, products=60, stores=1)
    with SandboxServer(world) as server:
        store = world.stores("aldi")[0].store_code
        settings = {"POLITE": True, "HOST_RATE": RATE, "HEARTBEAT_SECONDS": 0.2}
        outcome = submit("aldi", server.url, sqlite_url, args={"store": store}, **settings).result(120)
    assert outcome.status == "complete"
    assert HostRate.of(outcome.crawler).share == 1
    times = [entry.time for entry in server.log]
    assert times[-1] - times[0] >= (len(times) - 1) / RATE


def test_in_dev_without_polite_there_is_nothing_to_share():
    with pytest.raises(NotConfigured):
        ShareExtension.from_crawler(crawler_with(dev=True))
