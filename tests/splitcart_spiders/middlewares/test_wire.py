"""The manners where they count: in the sandbox's log of what came in, with 16 requests wanted at once."""

import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.http import Response
from twisted.python.failure import Failure

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.chains import woolworths
from splitcart_spiders.errors import BlockedError, CrawlError, NetworkDown
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.storefront import StorefrontSpider
from tests.support.crawls import crawl
from tests.support.manners import record_departures

HOST = "https://www.woolworths.com.au"
AGENT = "SplitCart/0.1 (contact: a@b.c)"


class Pages(Spider):
    """Asks `count` pages at once and keeps what its callbacks and errbacks got."""

    name = "woolworths"

    def __init__(self, count: str = "30", paths: str = "/?page={}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls = [HOST + path.format(n) for n in range(int(count)) for path in paths.split()]
        self.answered: list[str] = []
        self.failed: list[Failure] = []

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            yield Request(url, self.parse, errback=self.failed.append, meta={"cookiejar": "1", "expects": "html"})

    def parse(self, response: Response) -> None:
        self.answered.append(response.url)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, products=50, stores=1)


@pytest.fixture
def server(world: World) -> Iterator[SandboxServer]:
    with SandboxServer(world) as server:
        yield server


class Crawled:
    def __init__(self, server, *, polite=True, spider=Pages, args=None, **settings):
        values = {"POLITE": polite, "HOST_RATE": 50, "EXTENSIONS": {}, "ITEM_PIPELINES": {}, "USER_AGENT": AGENT}
        outcome = crawl(spider, server.url, None, overrides=values | settings, **(args or {}))
        self.stats = outcome.stats
        self.spider: Pages = outcome.crawler.spider
        self.error: CrawlError | None = Gate.of(outcome.crawler).error
        self.log = list(server.log)

    @property
    def times(self) -> list[float]:
        return [entry.time for entry in self.log]

    def after(self, kind: str) -> int:
        """How many requests came in after the first that a fault met."""
        first = next(index for index, entry in enumerate(self.log) if kind in entry.faults)
        return len(self.log) - first - 1


BLOCKS = [
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 401, "body": ""},
    *(
        {"kind": "block", "form": form}
        for form in ("imperva", "imperva_script", "imperva_incident", "akamai", "cloudflare")
    ),
]


@pytest.mark.parametrize("polite", [True, False])
@pytest.mark.parametrize("fault", BLOCKS, ids=lambda fault: fault.get("form") or str(fault["status"]))
@pytest.mark.parametrize("times", [1, None])
def test_after_a_block_at_most_three_more_requests_leave(server, fault, polite, times):
    server.faults.add(chain="woolworths", match=r"page=", after=7, times=times, **fault)
    crawled = Crawled(server, polite=polite)
    assert crawled.after(fault["kind"]) <= 3
    assert isinstance(crawled.error, BlockedError)
    assert crawled.stats["finish_reason"] == "blocked"
    assert any(isinstance(failure.value, BlockedError) for failure in crawled.spider.failed)


def test_n_requests_take_n_minus_one_delays_retries_and_robots_txt_included(server):
    server.faults.add("status", "woolworths", "page=", after=3, times=4, status=500)
    crawled = Crawled(server, args={"count": 20})
    assert len(crawled.log) == 1 + 20 + 4
    assert len(crawled.spider.answered) == 20
    assert crawled.times[-1] - crawled.times[0] >= (len(crawled.log) - 1) / 50


def test_nothing_is_sent_inside_a_retry_after(server):
    server.faults.add("status", "woolworths", "page=", after=5, times=1, status=429, retry_after="1")
    crawled = Crawled(server, args={"count": 12})
    throttled = next(entry for entry in crawled.log if entry.status == 429)
    later = [time - throttled.time for time in crawled.times if time > throttled.time]
    assert min(later) >= 1
    assert len(crawled.spider.answered) == 12


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "value",
    [
        "121",
        "999999999999",
        "9" * 15,
        "9" * 400,
        "9" * 4000,
        "0" * 400 + "121",
        "121.5",
        "9" * 400 + ".5",
        "Fri, 31 Dec 2100 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Fri, 31 Dec 12026 23:59:59 GMT",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Friday, 31-Dec-60 23:59:59 GMT",
    ],
)
def test_a_retry_after_that_is_too_long_ends_the_run(server, value, status):
    server.faults.add("status", "woolworths", "page=", after=5, times=1, status=status, retry_after=value)
    crawled = Crawled(server)
    assert crawled.after("status") <= 3
    assert isinstance(crawled.error, BlockedError)
    assert "until 2" in str(crawled.error)


@pytest.mark.parametrize("value", ["-5", "-" + "9" * 400, "soon", "inf", "nan", "1e400", "0x99", "", "²", "00:00:99"])
def test_an_unreadable_retry_after_leaves_the_back_off(server, value):
    server.faults.add("status", "woolworths", "page=", after=5, times=1, status=503, retry_after=value)
    crawled = Crawled(server, args={"count": 8})
    assert crawled.error is None
    assert len(crawled.spider.answered) == 8


def test_a_robots_txt_that_is_larger_than_any_page_may_be_cannot_be_had(server):
    server.robots["woolworths"] = (200, "User-agent: *\nDisallow: /x\n" * 9000)
    crawled = Crawled(server, DOWNLOAD_MAXSIZE=100_000)
    assert {entry.path for entry in crawled.log} == {"/robots.txt"}
    assert isinstance(crawled.error, BlockedError)
    assert "larger than DOWNLOAD_MAXSIZE" in str(crawled.error)
    server.log.clear()
    allowed = Crawled(server, DOWNLOAD_MAXSIZE=100_000, ROBOTS_UNAVAILABLE="allow", args={"count": 3})
    assert (allowed.error, len(allowed.spider.answered)) == (None, 3)


def test_nothing_is_sent_inside_a_crawl_delay(server, monkeypatch):
    left = record_departures(monkeypatch)
    server.robots["woolworths"] = (200, "User-agent: *\nCrawl-delay: 0.15\n")
    crawled = Crawled(server, args={"count": 6})
    assert len(crawled.log) == 7
    assert min(b - a for a, b in itertools.pairwise(left)) >= 0.15
    assert crawled.times[-1] - crawled.times[0] >= 6 * 0.15


def test_nothing_that_robots_txt_disallows_is_sent(server):
    server.robots["woolworths"] = (200, "User-agent: SplitCart\nDisallow: /shop\n")
    crawled = Crawled(server, args={"count": 5, "paths": "/?page={} /shop/{}"})
    assert [entry.path for entry in crawled.log] == ["/robots.txt"] + ["/"] * 5
    assert len(crawled.spider.failed) == crawled.stats["splitcart/robots/disallowed"] == 5
    assert crawled.error is None


def test_robots_txt_comes_first_and_every_request_names_us(server):
    crawled = Crawled(server, args={"count": 3})
    assert crawled.log[0].path == "/robots.txt"
    assert {entry.headers["User-Agent"] for entry in crawled.log} == {AGENT}
    assert crawled.log[0].cookies == {}


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_robots_txt_that_cannot_be_had_stops_the_crawl_before_it_begins(server, status):
    server.faults.add("status", "woolworths", "robots.txt", status=status)
    crawled = Crawled(server, RETRY_TIMES=1)
    assert {entry.path for entry in crawled.log} == {"/robots.txt"}
    assert isinstance(crawled.error, BlockedError)


@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "block"}, {"kind": "cut"}])
def test_an_unreachable_robots_txt_stops_the_crawl_unless_the_operator_allows(server, fault):
    server.robots["woolworths"] = (200, "User-agent: *\nDisallow: /x\n" * 9)
    server.faults.add(chain="woolworths", match="robots.txt", **fault)
    assert isinstance(Crawled(server, RETRY_TIMES=1).error, BlockedError)
    server.log.clear()
    allowed = Crawled(server, RETRY_TIMES=1, ROBOTS_UNAVAILABLE="allow", args={"count": 3})
    assert allowed.error is None
    assert len(allowed.spider.answered) == 3


@pytest.mark.parametrize("polite", [True, False])
def test_a_network_that_is_down_ends_the_crawl_as_such(server, polite):
    server.network_down()
    crawled = Crawled(server, polite=polite, args={"count": 2})
    assert isinstance(crawled.error, NetworkDown)
    assert crawled.stats["finish_reason"] == "network_down"


def test_connections_that_are_reset_on_every_retry_are_a_network_that_is_down(server):
    server.faults.add("reset", "woolworths", "page=4 ")
    crawled = Crawled(server, args={"count": 5})
    assert isinstance(crawled.error, NetworkDown)
    assert crawled.stats["splitcart/retry/count"] == 4


def test_a_body_that_is_cut_each_time_is_the_pages_own_failure(server):
    server.faults.add("cut", "woolworths", "page=4 ")
    crawled = Crawled(server, args={"count": 8})
    assert crawled.error is None
    assert len(crawled.spider.answered) == 7
    assert [failure.value.reason for failure in crawled.spider.failed] == ["catalogue_error"]


def test_a_fault_that_passes_is_not_noticed(server):
    for kind in ("reset", "cut"):
        server.faults.add(kind, "woolworths", "page=", after=2, times=2)
    server.faults.add("status", "woolworths", "page=", after=6, times=3, status=502)
    crawled = Crawled(server, polite=False, args={"count": 12})
    assert crawled.error is None
    assert len(crawled.spider.answered) == 12


def test_in_dev_without_polite_robots_txt_is_not_asked(server):
    server.robots["woolworths"] = (200, "User-agent: *\nDisallow: /\n")
    crawled = Crawled(server, polite=False, args={"count": 4})
    assert [entry.path for entry in crawled.log] == ["/"] * 4
    assert all(url.startswith(HOST) for url in crawled.spider.answered)


class Jars(StorefrontSpider):
    """Asks one page after another, each from the jar and host that it names."""

    name = "woolworths"
    chain = woolworths
    hosts = frozenset({"www.woolworths.com.au", "www.coles.com.au"})

    async def start(self) -> AsyncIterator[Request]:
        for jar, host in (("1", HOST), ("1", HOST), ("2", HOST), ("1", "https://www.coles.com.au")):
            request = Request(f"{host}/", meta={"cookiejar": jar}, dont_filter=True)
            await self.crawler.engine.download_async(request)
        return
        yield


def test_two_stores_share_no_cookie_nor_do_two_hosts_on_one_sandbox(server):
    crawled = Crawled(server, spider=Jars, polite=False)
    first, again, other_store, other_host = (dict(entry.cookies) for entry in crawled.log)
    assert first == other_store == other_host == {}
    assert again
