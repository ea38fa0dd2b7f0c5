import asyncio

import pytest
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response

from splitcart_spiders.errors import BlockedError, CatalogueError, NetworkDown
from splitcart_spiders.middlewares import ROBOTS_META
from splitcart_spiders.middlewares.gate import GateShut
from splitcart_spiders.middlewares.retry import RetryMiddleware
from tests.support.manners import FakeClock, crawler_with

URL = "https://www.igashop.com.au/api/storefront/stores/32600/categoryHierarchy"


class Line:
    """Downloads with given outcomes through the middleware, following its retries."""

    def __init__(self, settings=None, draw=0.0):
        self.crawler = crawler_with({"RETRY_TIMES": 4, "RETRY_BACKOFF": 2} | (settings or {}))
        self.clock = FakeClock()
        self.retry = RetryMiddleware(self.crawler, self.clock, lambda: draw)
        self.tries = 0

    @property
    def gate(self):
        return self.retry.gate

    async def fetch(self, outcomes, request=None):
        request = request or Request(URL, meta={"expects": "json"})
        for outcome in outcomes:
            self.tries += 1
            if isinstance(outcome, Exception):
                result = await self.retry.process_exception(request, outcome)
                if result is None:
                    raise outcome
            else:
                result = await self.retry.process_response(request, outcome)
            if isinstance(result, Response):
                return result
            request = result
        raise AssertionError("asked once too often")

    def run(self, outcomes, request=None):
        return self.clock.run(self.fetch(outcomes, request))[0]


def answer(status=200, body=b'{"a": 1}'):
    return Response(URL, status=status, body=body)


@pytest.mark.parametrize(
    "failure",
    [
        answer(500),
        answer(503),
        answer(429),
        answer(408),
        answer(200, b"<html><title>Oops</title></html>"),
        DownloadTimeoutError("60 s"),
        CannotResolveHostError("no name"),
        DownloadConnectionRefusedError("refused"),
        DownloadFailedError("reset"),
        ResponseDataLossError("cut"),
    ],
)
def test_a_temporary_failure_is_retried(failure):
    line, good = Line(), answer()
    assert line.run([failure, failure, good]) is good
    assert line.tries == 3
    assert line.gate.error is None


@pytest.mark.parametrize("response", [answer(), answer(404), answer(400), answer(404, b"<html>"), answer(403)])
def test_an_answer_is_an_answer(response):
    line = Line()
    assert line.run([response]) is response


def test_a_page_where_a_page_is_due_is_an_answer():
    page = answer(200, b"<html>")
    assert Line().run([page], Request(URL, meta={"expects": "html"})) is page


def test_the_back_off_doubles():
    line = Line()
    line.run([answer(500)] * 4 + [answer()])
    assert line.clock.slept == [2, 4, 8, 16]


def test_the_back_off_is_bounded_and_its_jitter_only_makes_it_longer():
    retry = Line(draw=0.999).retry
    assert [Line().retry.wait(number) for number in (1, 5, 6, 60)] == [2, 32, 60, 60]
    assert 60 < retry.wait(60) <= 90


def test_without_a_back_off_nothing_sleeps():
    line = Line({"RETRY_BACKOFF": 0})
    line.run([answer(500)] * 4 + [answer()])
    assert line.clock.slept == []


@pytest.mark.parametrize(
    "failure",
    [
        CannotResolveHostError("no name"),
        DownloadConnectionRefusedError("refused"),
        DownloadFailedError("reset"),
        DownloadTimeoutError("60 s"),
    ],
)
def test_a_network_without_a_byte_on_every_retry_is_down(failure):
    line = Line()
    error = line.run([failure] * 5)
    assert isinstance(error, NetworkDown)
    assert line.gate.error is error
    assert line.tries == 5
    assert "tried 5 times" in str(error)
    assert URL in str(error)


@pytest.mark.parametrize(
    "failures",
    [
        [answer(503)] + [DownloadConnectionRefusedError("refused")] * 4,
        [ResponseDataLossError("cut")] * 5,
        [answer(500)] * 5,
        [answer(200, b"<html>")] * 5,
    ],
)
def test_a_host_that_sent_a_byte_is_not_a_network_that_is_down(failures):
    line = Line()
    error = line.run(failures)
    assert isinstance(error, CatalogueError)
    assert line.gate.error is None


@pytest.mark.parametrize(("last", "status"), [(answer(503), 503), (answer(200, b"<html>"), None)])
def test_the_error_status_of_the_last_try_is_reported(last, status):
    assert Line().run([answer(500)] * 4 + [last]).status == status


def test_the_head_of_an_answer_is_a_byte():
    line = Line()
    request = Request(URL)
    line.retry.reached(request)
    assert isinstance(line.run([DownloadFailedError("reset")] * 5, request), CatalogueError)


def test_a_slow_page_of_a_host_that_answers_is_a_failed_request():
    line = Line()
    line.run([answer()])
    assert isinstance(line.run([DownloadTimeoutError("60 s")] * 5), CatalogueError)
    assert line.gate.error is None


def test_a_host_that_throttles_every_try_has_denied_us():
    line = Line()
    error = line.run([answer(429)] * 5)
    assert isinstance(error, BlockedError)
    assert line.gate.error is error


def test_throttling_pauses_the_whole_host():
    line = Line()

    async def other():
        await asyncio.sleep(0)
        await line.retry.rate.take_turn("www.igashop.com.au")
        return line.clock.monotonic()

    line.retry.rate.clock = line.clock
    _, left = line.clock.run(line.fetch([answer(429), answer()]), other())
    assert left == 102


def test_the_same_request_asked_anew_has_all_its_retries():
    line = Line()
    request = Request(URL, meta={"expects": "json"})
    response = line.run([answer(500)] * 4 + [answer()], request)
    line.tries = 0
    line.run([answer(500)] * 5, request.replace())
    assert response.status == 200
    assert line.tries == 5


@pytest.mark.parametrize("failures", [[answer(503)] * 5, [DownloadFailedError("reset")] * 5])
def test_robots_txt_is_retried_but_judged_by_its_own_reader(failures):
    line = Line()
    result = line.run(failures, Request("https://www.igashop.com.au/robots.txt", meta={ROBOTS_META: True}))
    assert result is failures[-1]
    assert line.tries == 5
    assert line.gate.error is None


def test_robots_txt_of_a_host_that_is_not_there_is_a_network_that_is_down():
    line = Line()
    request = Request("https://www.igashop.com.au/robots.txt", meta={ROBOTS_META: True})
    assert isinstance(line.run([DownloadConnectionRefusedError("refused")] * 5, request), NetworkDown)


def test_other_errors_than_failures_of_the_network_are_not_retried():
    line = Line()
    error = IgnoreRequest("dropped")
    assert line.run([error]) is error
    assert line.tries == 1


def test_a_retry_that_sleeps_ends_with_the_crawl():
    line = Line()

    async def shut():
        await line.clock.sleep(1)
        line.gate.shut(BlockedError("denied"))

    error, _ = line.clock.run(line.fetch([answer(500), answer()]), shut())
    assert isinstance(error, GateShut)
    assert line.clock.monotonic() == 101


def test_retries_are_counted_by_reason():
    line = Line()
    line.run([answer(500), DownloadFailedError("reset"), answer()])
    assert line.crawler.stats.get_value("splitcart/retry/count") == 2
    assert line.crawler.stats.get_value("splitcart/retry/reason_count/answered 500") == 1
    assert line.crawler.stats.get_value("splitcart/retry/reason_count/DownloadFailedError") == 1
