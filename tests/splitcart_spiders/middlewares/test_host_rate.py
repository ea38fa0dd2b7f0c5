import asyncio
import itertools
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.errors import BlockedError
from splitcart_spiders.middlewares.gate import Gate, GateShut
from splitcart_spiders.middlewares.host_rate import MOST_SECONDS, HostRate, HostRateMiddleware, limit_of, retry_after
from tests.support.manners import START, FakeClock, crawler_with

HOST = "www.coles.com.au"


class Wire:
    """Sends requests through the middleware and writes down when each left; an answer takes `latency` seconds."""

    def __init__(self, rate=1.0, limit=2, latency=0.3):
        self.clock = FakeClock()
        self.gate = Gate.of(crawler_with())
        self.rate = HostRate(self.gate, rate, limit, self.clock)
        self.middleware = HostRateMiddleware(self.rate)
        self.latency = latency
        self.left = []
        self.under_way = self.most_under_way = 0
        self.answers = {}

    async def send(self, url="https://www.coles.com.au/browse", after=0.0):
        await self.clock.sleep(after)
        request = Request(url)
        try:
            await self.middleware.process_request(request)
        except GateShut as error:
            self.middleware.process_exception(request, error)
            raise
        number = len(self.left)
        self.left.append(self.clock.monotonic() - 100)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.clock.sleep(self.latency)
        self.under_way -= 1
        answer = self.answers.get(number, {})
        if isinstance(answer, Exception):
            return self.middleware.process_exception(request, answer)
        return self.middleware.process_response(request, Response(request.url, **answer))

    def send_all(self, count, **kwargs):
        return self.clock.run(*(self.send(**kwargs) for _ in range(count)))


def gaps(times):
    return [b - a for a, b in itertools.pairwise(times)]


@pytest.mark.parametrize("latency", [0.01, 0.3, 1.7, 5])
@pytest.mark.parametrize("rate", [1.0, 4.0, 0.1])
def test_n_requests_take_n_minus_one_delays_however_many_are_waiting(rate, latency):
    wire = Wire(rate=rate, latency=latency)
    wire.send_all(16)
    assert len(wire.left) == 16
    assert wire.left[-1] - wire.left[0] >= 15 / rate
    assert min(gaps(wire.left)) >= 1 / rate - 1e-9


def test_no_jitter_makes_it_slower_than_the_rate():
    wire = Wire(latency=0.3)
    wire.send_all(16)
    assert wire.left[-1] == pytest.approx(0.3 + 15)


def test_the_second_request_counts_from_the_first_ones_answer():
    wire = Wire(latency=5)
    wire.send_all(2)
    assert wire.left == pytest.approx([0, 6])


def test_hosts_do_not_wait_for_each_other():
    wire = Wire()
    wire.clock.run(*(wire.send(f"https://{host}/") for host in ("a.example", "b.example", "a.example", "b.example")))
    assert wire.left == pytest.approx([0, 0, 1.3, 1.3])


def test_no_more_are_under_way_than_the_limit():
    wire = Wire(rate=10, latency=3, limit=2)
    wire.send_all(16)
    assert wire.most_under_way == 2


def test_in_dev_nothing_is_spaced_and_the_limit_holds():
    wire = Wire(rate=None, limit=2, latency=1)
    wire.answers = {0: {"status": 429, "headers": {"Retry-After": "60"}}}
    wire.send_all(16)
    assert wire.left[-1] == pytest.approx(7)
    assert wire.most_under_way == 2


def test_a_share_is_a_share_of_the_rate():
    wire = Wire(rate=1.0, latency=0.1)
    wire.rate.share = 0.25
    wire.send_all(4)
    assert min(gaps(wire.left)) >= 4 - 1e-9


def test_a_heartbeat_brings_a_new_share_to_the_requests_that_wait():
    wire = Wire(rate=1.0, latency=0)

    async def heartbeat():
        await wire.clock.sleep(2.5)
        wire.rate.share = 0.5

    wire.clock.run(*(wire.send() for _ in range(5)), heartbeat())
    assert wire.left == pytest.approx([0, 1, 2, 4, 6])


@pytest.mark.parametrize("share", [0, -1, 1.1, float("nan")])
def test_a_share_that_is_not_above_0_and_at_most_1_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        Wire().rate.share = share


@pytest.mark.parametrize(("asked", "delay"), [(5, 5), (0.5, 1), (120, 120), (-3, 1)])
def test_crawl_delay_holds_where_it_is_longer(asked, delay):
    wire = Wire(latency=0)
    wire.rate.crawl_delay(HOST, asked)
    wire.send_all(4)
    assert gaps(wire.left) == pytest.approx([delay] * 3)


def test_the_fleet_shares_a_crawl_delay_too():
    wire = Wire(latency=0)
    wire.rate.crawl_delay(HOST, 5)
    wire.rate.share = 0.5
    assert wire.rate.delay(HOST) == 10


def test_a_crawl_delay_above_120_seconds_ends_the_run():
    wire = Wire()
    wire.rate.crawl_delay(HOST, 121)
    assert isinstance(wire.gate.error, BlockedError)
    assert "121 s" in str(wire.gate.error)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["30", format_datetime(START.replace(second=37), usegmt=True)])
def test_nothing_leaves_before_retry_after(status, value):
    wire = Wire(latency=0, limit=16)
    wire.answers = {0: {"status": status, "headers": {"Retry-After": value}}}
    wire.send_all(6)
    assert wire.left == pytest.approx([0, 30, 31, 32, 33, 34])


def test_a_pause_holds_those_that_already_wait_for_their_turn():
    wire = Wire(latency=0.9, limit=16)
    wire.answers = {2: {"status": 429, "headers": {"Retry-After": "10"}}}
    wire.send_all(5)
    answered = wire.left[2] + 0.9
    assert wire.left[3] >= answered + 10 - 1e-9


@pytest.mark.parametrize("value", ["121", "86400", format_datetime(START.replace(hour=9), usegmt=True)])
def test_a_retry_after_above_120_seconds_ends_the_run_and_names_the_time(value):
    wire = Wire(latency=0)
    wire.answers = {0: {"status": 429, "headers": {"Retry-After": value}}}
    results = wire.send_all(16)
    assert wire.left == [0]
    assert isinstance(wire.gate.error, BlockedError)
    assert "until 2026-03-0" in str(wire.gate.error)
    assert sum(isinstance(result, GateShut) for result in results) == 15


def test_after_a_block_at_most_the_limit_less_one_are_under_way():
    wire = Wire(rate=None, limit=2, latency=0.1)

    async def block():
        await wire.clock.sleep(0.25)
        wire.gate.shut(BlockedError("denied"))
        return len(wire.left)

    *_, before = wire.clock.run(*(wire.send() for _ in range(16)), block())
    assert len(wire.left) == before


def test_a_run_that_is_held_sends_nothing_to_any_host():
    wire = Wire(latency=0)
    wire.rate.hold(5)
    wire.clock.run(wire.send("https://a.example/"), wire.send("https://b.example/"))
    assert wire.left == pytest.approx([5, 5])


def test_a_request_that_fails_gives_its_turn_back():
    wire = Wire(limit=1, latency=0)
    wire.answers = {number: OSError("reset") for number in range(4)}
    wire.send_all(5)
    assert len(wire.left) == 5


def test_an_answer_that_took_no_turn_gives_none_back():
    wire = Wire()
    request = Request("https://www.coles.com.au/")
    wire.middleware.process_response(request, Response(request.url))
    wire.middleware.process_exception(request, OSError())
    wire.send_all(4)
    assert min(gaps(wire.left)) >= 1 - 1e-9


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": format_datetime(START.replace(second=17), usegmt=True)}, 10),
        (
            {
                "Retry-After": format_datetime(START.replace(hour=12, second=17), usegmt=True),
                "Date": format_datetime(START.replace(hour=12), usegmt=True),
            },
            10,
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "60 s"}, None),
        ({"Retry-After": "999999999999"}, MOST_SECONDS),
        ({"Retry-After": "9" * 400}, MOST_SECONDS),
        ({"Retry-After": "9" * 10_000}, MOST_SECONDS),
        ({"Retry-After": "0" * 400 + "7"}, 7),
        ({"Retry-After": ["7", "soon", "9" * 400]}, MOST_SECONDS),
        ({"Retry-After": ["9", "7"]}, 9),
        ({"Retry-After": b"\xff\xfe"}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}, MOST_SECONDS),
        ({"Retry-After": "Fri, 31 Dec 10000 23:59:59 GMT"}, MOST_SECONDS),
        ({"Retry-After": "Fri, 31 Dec " + "9" * 400 + " 23:59:59 GMT"}, MOST_SECONDS),
        ({"Retry-After": "Fri, 31 Dec 2026 23:59:59 +" + "9" * 20}, MOST_SECONDS),
        ({"Retry-After": "7", "Date": "Fri, 31 Dec 99999 23:59:59 GMT"}, 7),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(headers, seconds):
    assert retry_after(Response("https://a.example/", headers=headers), START) == seconds


@pytest.mark.parametrize("seconds", [121, 1e12, 1e300, float("inf")])
def test_a_wait_longer_than_a_calendar_holds_blocks_until_a_time_that_is_named(seconds):
    wire = Wire(latency=0)
    wire.rate.pause(HOST, seconds)
    assert isinstance(wire.gate.error, BlockedError)
    until = datetime.fromisoformat(str(wire.gate.error).rpartition(" until ")[2].rstrip("."))
    assert START <= until <= START + timedelta(seconds=MOST_SECONDS)


DATES = st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,9} (Dec|[A-Z][a-z]{2}) [0-9]{1,30} [0-9:]{1,9} [+A-Z0-9-]{1,9}", fullmatch=True
)


@given(st.binary(max_size=60) | DATES)
def test_no_retry_after_makes_its_reader_raise(value):
    raw = value if isinstance(value, bytes) else value.encode()
    found = retry_after(Response("https://a.example/", headers={"Retry-After": raw}), START)
    assert found is None or found <= MOST_SECONDS


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf"])
def test_a_rate_that_is_not_a_number_above_0_is_refused_by_name(rate):
    with pytest.raises(ValueError, match="HOST_RATE"):
        HostRate.of(crawler_with({"HOST_RATE": rate}))


def test_one_rate_a_crawler_from_its_settings():
    crawler = crawler_with({"HOST_RATE": "4"})
    assert HostRateMiddleware.from_crawler(crawler).rate is HostRate.of(crawler)
    assert HostRate.of(crawler).delay(HOST) == 0.25
    assert HostRate.of(crawler_with({"HOST_RATE": "4"}, dev=True)).delay(HOST) == 0
    assert HostRate.of(crawler_with({"HOST_RATE": "4", "POLITE": "1"}, dev=True)).delay(HOST) == 0.25


def test_the_default_is_a_request_a_second():
    assert HostRate.of(crawler_with()).delay(HOST) == 1


def test_scrapys_own_queue_never_holds_a_request_that_had_its_turn():
    assert limit_of(crawler_with({"CONCURRENT_REQUESTS_PER_DOMAIN": 16}).settings) == 2
    assert limit_of(crawler_with({"CONCURRENT_REQUESTS_PER_DOMAIN": 1}).settings) == 1


def test_waiting_ends_when_the_crawl_does():
    wire = Wire(latency=0)
    wire.rate.pause(HOST, 100)

    async def scene():
        waiting = asyncio.ensure_future(wire.middleware.process_request(Request("https://www.coles.com.au/")))
        await wire.clock.sleep(1)
        wire.gate.shut(BlockedError("denied"))
        with pytest.raises(GateShut):
            await waiting

    assert wire.clock.run(scene()) == [None]
    assert wire.clock.monotonic() == 101
