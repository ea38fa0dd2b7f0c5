import asyncio
from types import SimpleNamespace

import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from splitcart_spiders.errors import (
    BlockedError,
    CatalogueError,
    CertificateRefused,
    LeftHosts,
    StoreLost,
    StoreMismatch,
)
from splitcart_spiders.middlewares.gate import Gate, GateMiddleware, GateShut
from tests.support.manners import FakeClock, crawler_with


class Engine:
    """Remembers why it was asked to close."""

    def __init__(self):
        self.spider = object()
        self.reasons = []

    async def close_spider_async(self, *, reason):
        self.reasons.append(reason)


def test_an_open_gate_lets_every_request_pass():
    middleware = GateMiddleware.from_crawler(crawler_with())
    assert middleware.process_request(Request("https://a.example/")) is None


def test_a_crawler_has_one_gate_and_another_crawler_another():
    crawler = crawler_with()
    assert Gate.of(crawler) is Gate.of(crawler)
    assert Gate.of(crawler) is not Gate.of(crawler_with())


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (CertificateRefused("expired"), True),
        (LeftHosts("elsewhere"), True),
        (CatalogueError("one page"), False),
        (OSError("reset"), False),
        (IgnoreRequest("disallowed"), False),
    ],
)
def test_an_error_that_ends_the_crawl_shuts_the_gate_before_the_errback_receives_it(error, ends):
    crawler = crawler_with()
    crawler.engine = SimpleNamespace(spider=None)
    GateMiddleware.from_crawler(crawler).process_exception(Request("https://a.example/"), error)
    assert (Gate.of(crawler).error is error) is ends


def test_nothing_passes_a_shut_gate_and_the_first_error_is_the_runs():
    crawler = crawler_with()
    gate, middleware = Gate.of(crawler), GateMiddleware.from_crawler(crawler)
    first = BlockedError("denied")
    gate.shut(first)
    gate.shut(StoreMismatch("another"))
    assert gate.error is first
    with pytest.raises(GateShut, match="denied") as raised:
        middleware.process_request(Request("https://a.example/"))
    assert isinstance(raised.value, IgnoreRequest)
    assert raised.value.error is first
    assert crawler.stats.get_value("splitcart/gate/blocked") == 1


def test_the_spider_is_closed_once_with_the_errors_reason():
    crawler = crawler_with()
    crawler.engine = Engine()

    async def scene():
        Gate.of(crawler).shut(BlockedError("denied"))
        Gate.of(crawler).shut(StoreMismatch("another"))
        await asyncio.sleep(0)

    asyncio.run(scene())
    assert crawler.engine.reasons == ["blocked"]


def test_a_sleep_ends_when_the_gate_shuts():
    crawler, clock = crawler_with(), FakeClock()
    gate = Gate.of(crawler)

    async def shut_after(seconds):
        await clock.sleep(seconds)
        gate.shut(BlockedError("denied"))

    error, _ = clock.run(gate.sleep(clock, 100), shut_after(3))
    assert isinstance(error, GateShut)
    assert clock.monotonic() == 103


def test_a_sleep_at_an_open_gate_lasts_its_time():
    clock = FakeClock()
    assert clock.run(Gate.of(crawler_with()).sleep(clock, 7)) == [None]
    assert clock.monotonic() == 107


@pytest.mark.parametrize("first", [None, BlockedError("denied")])
def test_a_lost_lease_breaks_off_what_is_under_way_though_the_gate_was_shut_before(first):
    async def answer():
        gate = Gate.of(crawler_with())
        under_way = asyncio.ensure_future(gate.unless_broken_off(asyncio.sleep(300)))
        await asyncio.sleep(0)
        if first:
            gate.shut(first)
        assert await gate.unless_broken_off(asyncio.sleep(0, "answered")) == "answered"
        gate.shut(StoreLost("another took the store over"))
        await asyncio.wait_for(under_way, 30)

    with pytest.raises(GateShut):
        asyncio.run(answer())


def test_work_that_raises_under_an_open_gate_raises_the_same():
    async def fail():
        raise ZeroDivisionError("its own fault")

    async def answer():
        await Gate.of(crawler_with()).unless_broken_off(fail())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(answer())
