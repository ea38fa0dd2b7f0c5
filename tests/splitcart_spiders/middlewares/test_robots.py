import asyncio
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, DownloadFailedError, IgnoreRequest, NotConfigured
from scrapy.http import Response

from splitcart_spiders.errors import BlockedError, CatalogueError, CertificateRefused, LeftHosts, NetworkDown
from splitcart_spiders.middlewares import ROBOTS_META
from splitcart_spiders.middlewares.gate import Gate, GateShut
from splitcart_spiders.middlewares.host_rate import HostRate
from splitcart_spiders.middlewares.robots import Disallowed, RobotsMiddleware
from tests.support.manners import crawler_with

HOST = "www.coles.com.au"
RULES = b"""User-agent: *
Disallow: /search
Disallow: /*?filter=
Allow: /search/about
Crawl-delay: 3

User-agent: OtherBot
Disallow: /

User-agent: SplitCart
Disallow: /private
"""


class Engine:
    """Answers robots.txt requests with one outcome, a turn of the loop later."""

    def __init__(self, outcome):
        self.spider = object()
        self.outcome = outcome
        self.asked = []
        self.closed = []

    async def download_async(self, request):
        self.asked.append(request)
        await asyncio.sleep(0)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        status, body = self.outcome
        return Response(request.url, status=status, body=body)

    async def close_spider_async(self, *, reason):
        self.closed.append(reason)


class Scene:
    def __init__(self, outcome, settings=None):
        self.crawler = crawler_with(settings)
        self.crawler.engine = self.engine = Engine(outcome)
        self.robots = RobotsMiddleware.from_crawler(self.crawler)

    @property
    def error(self):
        return Gate.of(self.crawler).error

    def ask(self, *paths):
        async def scene():
            requests = [Request(f"https://{HOST}{path}") for path in paths]
            return await asyncio.gather(*map(self.robots.process_request, requests), return_exceptions=True)

        return asyncio.run(scene())


def test_nothing_that_robots_txt_disallows_is_sent_and_its_errback_is_called():
    scene = Scene((200, RULES), {"USER_AGENT": "AnyBot/1.0"})
    allowed, search, filtered, about = scene.ask("/browse/bakery", "/search?q=a", "/browse?filter=x", "/search/about")
    assert allowed is about is None
    for refused in (search, filtered):
        assert isinstance(refused, Disallowed)
        assert isinstance(refused, IgnoreRequest)
    assert "/search?q=a" in str(search)
    assert scene.crawler.stats.get_value("splitcart/robots/disallowed") == 2
    assert scene.error is None


def test_the_group_of_our_own_name_holds():
    scene = Scene((200, RULES))
    search, private = scene.ask("/search?q=a", "/private/x")
    assert search is None
    assert isinstance(private, Disallowed)


def test_robots_txt_is_asked_once_a_host_before_anything_else_without_cookies():
    scene = Scene((200, RULES))
    scene.ask("/a", "/b", "/c")
    (request,) = scene.engine.asked
    assert request.url == f"https://{HOST}/robots.txt"
    assert request.meta[ROBOTS_META] is True
    assert request.meta["dont_merge_cookies"] is True


def test_each_host_has_its_own():
    scene = Scene((200, RULES))

    async def both():
        await scene.robots.process_request(Request(f"https://{HOST}/a"))
        await scene.robots.process_request(Request("https://api.coles.com.au:444/a"))

    asyncio.run(both())
    assert [request.url for request in scene.engine.asked] == [
        f"https://{HOST}/robots.txt",
        "https://api.coles.com.au:444/robots.txt",
    ]


@pytest.mark.parametrize("status", [404, 410])
def test_a_host_without_robots_txt_allows_everything(status):
    scene = Scene((status, b"<html>"))
    assert scene.ask("/search") == [None]
    assert scene.error is None


UNAVAILABLE = [
    (401, b""),
    (403, b"<html><title>Access Denied</title></html>"),
    (200, b"<html><title>Pardon Our Interruption</title></html>"),
    (500, b""),
    (503, b""),
    (429, b""),
    (400, b""),
    DownloadFailedError("reset"),
    IgnoreRequest("max redirections reached"),
    DownloadCancelledError(),
    ValueError("no address"),
    zlib.error("cut"),
    CatalogueError("answered 429"),
]


@pytest.mark.parametrize("outcome", UNAVAILABLE)
def test_a_robots_txt_that_cannot_be_had_stops_the_crawl(outcome):
    scene = Scene(outcome)
    results = scene.ask("/a", "/b")
    assert all(isinstance(result, GateShut) for result in results)
    assert isinstance(scene.error, BlockedError)
    assert HOST in str(scene.error)
    assert str(scene.error).partition("cannot be had")[2].strip(" ().:") or "denied" in str(scene.error)
    assert scene.engine.closed == ["blocked"]
    assert len(scene.engine.asked) == 1


@pytest.mark.parametrize("outcome", UNAVAILABLE)
def test_the_operator_may_crawl_all_the_same(outcome):
    scene = Scene(outcome, {"ROBOTS_UNAVAILABLE": "allow"})
    assert scene.ask("/a", "/b") == [None, None]
    assert scene.error is None
    assert scene.crawler.stats.get_value("splitcart/robots/unavailable") == 1


def test_a_robots_txt_that_is_elsewhere_names_both_addresses_and_the_operator_may_do_without():
    error = LeftHosts(f"https://{HOST}/robots.txt leads to https://www.evil.example/")
    scene = Scene(error)
    (result,) = scene.ask("/a")
    assert isinstance(result, GateShut)
    assert scene.error is error
    assert Scene(error, {"ROBOTS_UNAVAILABLE": "allow"}).ask("/a") == [None]


def test_a_refused_certificate_ends_the_crawl_even_if_robots_unavailable_is_allow():
    error = CertificateRefused("it has expired")
    scene = Scene(error, {"ROBOTS_UNAVAILABLE": "allow"})
    (result,) = scene.ask("/a")
    assert isinstance(result, GateShut)
    assert scene.error is error


def test_a_network_that_is_down_is_reported():
    error = NetworkDown("refused")
    (result,) = Scene(error, {"ROBOTS_UNAVAILABLE": "allow"}).ask("/a")
    assert isinstance(result, GateShut)
    assert result.error is error


def test_its_crawl_delay_reaches_the_sender():
    scene = Scene((200, RULES), {"USER_AGENT": "AnyBot/1.0"})
    scene.ask("/a")
    assert HostRate.of(scene.crawler).delay(HOST) == 3


@pytest.mark.parametrize("delay", ["600", "999999999999", "9" * 400, "9" * 5000])
@pytest.mark.parametrize("name", ["Crawl-delay", "crawl-delay ", "  CRAWL-DELAY"])
def test_a_crawl_delay_above_120_seconds_ends_the_run(delay, name):
    scene = Scene((200, f"User-agent: *\n{name}: {delay}\n".encode()))
    (result,) = scene.ask("/a")
    assert isinstance(result, GateShut)
    assert isinstance(scene.error, BlockedError)
    assert f" {min(float(delay), 999999999):g} s" in str(scene.error)


@pytest.mark.parametrize("delay", ["-5", "nan", "inf", "soon", "-" + "9" * 400])
def test_an_unreadable_crawl_delay_is_ignored(delay):
    scene = Scene((200, f"User-agent: *\nCrawl-delay: {delay}\nDisallow: /b\n".encode()))
    allowed, refused = scene.ask("/a", "/b")
    assert (allowed, type(refused), scene.error) == (None, Disallowed, None)
    assert HostRate.of(scene.crawler).delay(HOST) == 1


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"<html><body>hello</body></html>", b"Disallow: /"])
def test_a_file_without_rules_for_us_allows(body):
    assert Scene((200, body)).ask("/a") == [None]


@given(
    st.binary(max_size=400) | st.text("*$/%:#\n\r User-agent Disallow Crawl-delay 0129", max_size=400).map(str.encode)
)
def test_no_file_makes_its_reader_raise(body):
    (result,) = Scene((200, body)).ask("/a*b$%zz?c=%ff")
    assert result is None or isinstance(result, Disallowed | GateShut)


def test_robots_txt_itself_is_not_judged():
    scene = Scene((200, RULES))
    request = Request(f"https://{HOST}/robots.txt", meta={ROBOTS_META: True})
    asyncio.run(scene.robots.process_request(request))
    assert scene.engine.asked == []


def test_in_dev_robots_txt_is_asked_with_polite_only():
    with pytest.raises(NotConfigured):
        RobotsMiddleware.from_crawler(crawler_with(dev=True))
    assert RobotsMiddleware.from_crawler(crawler_with({"POLITE": "1"}, dev=True))
