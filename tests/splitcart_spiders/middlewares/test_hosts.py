"""A crawl stays on its chain's hosts, whatever a response contains: rules in tables, then whole crawls."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.project import get_project_settings
from sqlalchemy import create_engine, func, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.errors import BlockedError, LeftHosts
from splitcart_spiders.middlewares import ROBOTS_META, host_of, origin
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.middlewares.hosts import FirstRequestsMiddleware, Hosts, HostsMiddleware, RedirectMiddleware
from splitcart_spiders.spiders.iga_stores import IgaStoresSpider
from tests.support.crawls import Outcome, crawl
from tests.support.manners import crawler_with
from tests.support.tls import Authority, Front, Listener, serving

HOST = "www.woolworths.com.au"
SITE = f"https://{HOST}"
BEGUN = f"{SITE}/apis/ui/browse/category"
ELSEWHERE = [
    "https://www.evil.example/x",
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/",
    "http://127.0.0.1:9/",
    "http://localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    f"http://{HOST}/x",
    f"http://{HOST}:443/x",
    f"{SITE}:8443/x",
    f"{SITE}:80/x",
    f"https://{HOST}@www.evil.example/",
    f"https://{HOST}%40www.evil.example/",
    f"https://{HOST}:443@www.evil.example/",
    f"https://user@{HOST}/x",
    f"https://user:secret@{HOST}/x",
    f"https://{HOST}.evil.example/",
    f"https://{HOST}./x",
    "https://woolworths.com.au/",
    "https://api.woolworths.com.au/",
    "https://a.www.woolworths.com.au/",
    "https://www.wооlworths.com.au/",
    "https://www.xn--wlworths-1yab.com.au/",
    f"https://evil.example#{HOST}",
    f"https://evil.example?{HOST}",
    f"https://evil.example\\@{HOST}/",
    f"{SITE}\t.evil.example/",
    f"https://{HOST}%2eevil.example/",
    "https:\\\\evil.example/x",
    " https://www.evil.example/",
    "//www.evil.example/x",
    "///www.evil.example/x",
    "////www.evil.example/x",
    "//169.254.169.254/latest",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,hello",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    f"file://{HOST}/etc/passwd",
    f"ftp://{HOST}/x",
    "s3://bucket/x",
    "mailto:a@b.example",
    "about:blank",
]
UNREADABLE = ["http://[", "https://[::1", f"{SITE}:99999999/", f"{SITE}:port/", "http:evil.example/x"]
SAME = [
    ("/x", f"{SITE}/x"),
    ("x?y=1", f"{SITE}/apis/ui/browse/x?y=1"),
    ("?page=2", f"{BEGUN}?page=2"),
    (f"{SITE}/x", f"{SITE}/x"),
    (f"HTTPS://{HOST.upper()}/x", f"{SITE}/x"),
    (f"{SITE}:443/x", f"{SITE}:443/x"),
    (f"//{HOST}/x", f"{SITE}/x"),
    ("/x?next=https://www.evil.example/", f"{SITE}/x?next=https://www.evil.example/"),
    ("/@www.evil.example", f"{SITE}/@www.evil.example"),
    # Where two readers might differ, what is judged is what is asked.
    (f"{SITE}:/x", f"{SITE}/x"),
    (f"{SITE}\\.evil.example/", f"{SITE}/.evil.example/"),
    ("/\\evil.example", f"{SITE}/%5Cevil.example"),
    ("https:///x", f"{SITE}/x"),
    ("https:evil.example", f"{SITE}/apis/ui/browse/evil.example"),
]


class Scene:
    def __init__(self, *, dev: bool = False, hosts: tuple[str, ...] = (HOST,), **settings: Any) -> None:
        self.crawler = crawler_with(settings, dev=dev)
        self.crawler.engine = SimpleNamespace(spider=None)
        for host in hosts:
            Hosts.of(self.crawler).name(f"https://{host}/")
        self.redirects = RedirectMiddleware.from_crawler(self.crawler)

    @property
    def error(self) -> Exception | None:
        return Gate.of(self.crawler).error

    def answer(self, location: str | bytes, status: int = 302, **request: Any) -> Any:
        raw = location if isinstance(location, bytes) else location.encode()
        response = Response(BEGUN, status=status, headers={"Location": raw})
        return self.redirects.process_response(Request(BEGUN, **request), response)

    def ask(self, url: str) -> None:
        HostsMiddleware.from_crawler(self.crawler).process_request(Request(url))


@pytest.mark.parametrize("dev", [False, True])
@pytest.mark.parametrize("location", ELSEWHERE + UNREADABLE)
def test_a_redirect_elsewhere_ends_the_crawl_naming_both_addresses(location, dev):
    scene = Scene(dev=dev)
    with pytest.raises(LeftHosts) as raised:
        scene.answer(location)
    assert scene.error is raised.value
    assert BEGUN in str(raised.value)
    named = str(raised.value).partition(" leads to ")[2].partition(", which")[0]
    words = re.findall(r"[a-z0-9]+", location.casefold())
    assert [word for word in words if word not in named.casefold()] in ([], ["w", "lworths"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_every_kind_of_redirect_is_judged(status, method):
    with pytest.raises(LeftHosts):
        Scene().answer("https://www.evil.example/", status, method=method)
    assert Scene().answer("/x", status, method=method).url == f"{SITE}/x"


@pytest.mark.parametrize("dev", [False, True])
@pytest.mark.parametrize(("location", "url"), SAME)
def test_a_redirect_on_the_host_is_followed(location, url, dev):
    scene = Scene(dev=dev)
    followed = scene.answer(location)
    assert isinstance(followed, Request)
    assert (followed.url.casefold(), scene.error) == (url.casefold(), None)
    scene.ask(followed.url)


def test_redirects_on_the_host_are_bounded():
    most = get_project_settings().getint("REDIRECT_MAX_TIMES")
    scene = Scene(REDIRECT_MAX_TIMES=most)
    request = Request(BEGUN)
    for _ in range(most):
        response = Response(BEGUN, status=302, headers={"Location": "/again"})
        request = scene.redirects.process_response(request, response)
    with pytest.raises(IgnoreRequest, match="max redirections"):
        scene.redirects.process_response(request, Response(BEGUN, status=302, headers={"Location": "/again"}))
    assert most <= 20


@pytest.mark.parametrize("location", [b"\xff\xfe//evil", b"https://www.\xd0\xb5vil.example/", b"//\x00evil.example/"])
def test_an_address_of_odd_bytes_never_leads_off_the_site(location):
    scene = Scene()
    try:
        followed = scene.answer(location)
    except LeftHosts:
        return
    assert followed.url.startswith(f"{SITE}/")


def test_only_a_redirect_status_with_an_address_is_a_redirect():
    redirects = Scene().redirects
    for status, headers in ((200, {"Location": "https://evil.example/"}), (302, {}), (404, {"Location": "x"})):
        response = Response(BEGUN, status=status, headers=headers)
        assert redirects.process_response(Request(BEGUN), response) is response


@pytest.mark.parametrize("url", [one for one in ELSEWHERE if "://" in one])
@pytest.mark.parametrize("dev", [False, True])
def test_a_request_that_a_spider_makes_from_a_body_is_not_sent_elsewhere(url, dev):
    with pytest.raises(LeftHosts):
        Scene(dev=dev).ask(url)


def test_an_error_is_bounded_however_long_the_address():
    with pytest.raises(LeftHosts) as raised:
        Scene().ask("https://www.evil.example/" + "x" * 100_000)
    assert len(str(raised.value)) < 2_000


def test_a_redirect_of_robots_txt_elsewhere_is_left_to_the_robots_middleware():
    scene = Scene()
    with pytest.raises(LeftHosts):
        scene.answer("https://www.evil.example/robots.txt", meta={ROBOTS_META: True})
    assert scene.error is None


def test_the_sandboxes_copy_of_the_chain_is_the_chains_in_dev_only():
    copy = "http://127.0.0.1:8000/woolworths/x"
    Scene(dev=True).ask(copy)
    assert Scene(dev=True).answer(copy).url == copy
    for other in (copy.replace("woolworths", "coles"), "http://127.0.0.1:8000/", "http://127.0.0.1:8001/woolworths/x"):
        with pytest.raises(LeftHosts):
            Scene(dev=True).ask(other)
    with pytest.raises(LeftHosts):
        Scene().ask(copy)


@pytest.mark.parametrize("dev", [False, True])
def test_first_requests_and_hosts_are_allowed_over_http_in_dev_only(dev):
    crawler = crawler_with()
    crawler.spider = IgaStoresSpider(dev="1" if dev else None)
    middleware = FirstRequestsMiddleware.from_crawler(crawler)

    async def begin() -> list[Any]:
        async def start() -> Any:
            for url in ("https://embed.salefinder.com.au/location?x", "http://www.clear.example/"):
                yield Request(url)
            yield "an item"

        return [each async for each in middleware.process_start(start())]

    assert len(asyncio.run(begin())) == 3
    clear = {"http://www.clear.example"} if dev else set()
    assert Hosts.of(crawler).origins == {"https://www.igashop.com.au", "https://embed.salefinder.com.au"} | clear


def test_a_host_with_its_schemes_own_port_is_one_host():
    assert host_of(Request(f"{SITE}:443/x")) == host_of(Request(f"{SITE}/x")) == HOST
    assert origin(f"{SITE}:443/x") == origin(SITE) == SITE
    assert host_of(Request(f"{SITE}:444/x")) == f"{HOST}:444"


def test_pages_that_send_their_reader_elsewhere_and_other_schemes_are_off():
    settings = get_project_settings()
    assert not settings.getbool("METAREFRESH_ENABLED")
    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}


# Whole crawls ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, products=40, stores=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def front(world: World, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """The chains' own hosts over TLS: what the next crawl asks, through a proxy."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    certificate = authority.certificate(HOST, "www.coles.com.au", "www.evil.example", "www.igashop.com.au")
    with SandboxServer(world, day=1) as sandbox, serving(Front(sandbox.url, certificate)) as server:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def clear(authority: Authority) -> Iterator[Listener]:
    """Another host, which must hear nothing."""
    with serving(Listener("http://127.0.0.1:1")) as server:
        server.answer = lambda host, path: (200, [], b"{}")
        yield server


def sends(path: str, to: str, status: int = 302) -> Callable[[str, str], Any]:
    """A host that sends whoever asks for a path elsewhere."""
    return lambda host, asked: (status, [("Location", to)], b"") if path in asked and "evil" not in host else None


def outside_dev(world: World, spider: str, database: str, **overrides: Any) -> Outcome:
    store = {} if spider.endswith("_stores") else {"store": world.stores(spider)[0].store_code}
    return crawl(spider, "http://127.0.0.1:1", database, overrides={"HOST_RATE": 500} | overrides, dev=None, **store)


@contextmanager
def database(url: str) -> Iterator[Any]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


PLACES = [
    ("woolworths", "/robots.txt"),
    ("woolworths", "/"),
    ("woolworths", "/apis/ui/PiesCategoriesWithSpecials"),
    ("woolworths", "/apis/ui/browse/category"),
    ("woolworths_stores", "/apis/ui/StoreLocator"),
    ("coles", "/browse"),
    ("coles", "/_next/data"),
    ("coles", "/en/product/"),
    ("iga", "/search"),
]


@pytest.mark.parametrize(("spider", "path"), PLACES)
def test_wherever_a_crawl_is_sent_elsewhere_it_ends_and_stores_nothing(
    spider, path, front, world, sqlite_url, tmp_path
):
    front.answer = sends(path, "https://www.evil.example/x", 307)
    outcome = outside_dev(world, spider, sqlite_url, SESSION_DIR=str(tmp_path))
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "left_hosts", 1)
    error = str(Gate.of(outcome.crawler).error)
    assert path in error
    assert "https://www.evil.example/x" in error
    assert not any("evil" in host for host in front.connects)
    with database(sqlite_url) as connection:
        assert connection.execute(select(func.count()).select_from(tables.prices)).scalar_one() == 0


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_address_on_this_machine_is_asked_for_prices(status, front, clear, world, database_url):
    for host in ("127.0.0.1", "localhost", "127.1"):
        front.answer = sends("/browse/category", f"http://{host}:{clear.server_port}/latest", status)
        outcome = outside_dev(world, "woolworths", database_url)
        assert (outcome.reason, clear.connects) == ("left_hosts", [])
    with database(database_url) as connection:
        rows = connection.execute(select(tables.crawl_runs)).all()
        assert connection.execute(select(func.count()).select_from(tables.prices)).scalar_one() == 0
    assert {(row.status, row.reason) for row in rows} == {("failed", "left_hosts")}


def test_a_downgrade_to_http_is_not_asked(front, world, sqlite_url):
    front.answer = sends("/browse/category", f"http://{HOST}/apis/ui/browse/category", 308)
    outcome = outside_dev(world, "woolworths", sqlite_url)
    assert outcome.reason == "left_hosts"
    assert not any(url.startswith("http://") for url in front.log)


def test_a_redirect_on_the_host_leaves_a_run_complete(front, world, sqlite_url):
    moved = (302, [("Location", f"https://{HOST}:443/apis/ui/PiesCategoriesWithSpecials?again=1")], b"")
    front.answer = lambda host, path: moved if path.endswith("WithSpecials") else None
    outcome = outside_dev(world, "woolworths", sqlite_url)
    assert (outcome.status, outcome.exit_code) == ("complete", 0)
    assert f"{SITE}/apis/ui/PiesCategoriesWithSpecials?again=1" in front.log
    assert front.log.count(f"{SITE}/robots.txt") == 1


def test_a_robots_txt_that_is_elsewhere_may_be_done_without_by_the_operator_only(front, world, sqlite_url):
    front.answer = sends("/robots.txt", "https://www.evil.example/robots.txt")
    outcome = outside_dev(world, "woolworths", sqlite_url, ROBOTS_UNAVAILABLE="allow")
    assert (outcome.status, outcome.exit_code) == ("complete", 0)
    assert not any("evil" in host for host in front.connects)


@pytest.mark.parametrize("delay", ["0", "1", "0.5"])
def test_a_meta_refresh_is_not_followed(delay, front, world, sqlite_url):
    page = f'<html><meta http-equiv="refresh" content="{delay};url=https://www.evil.example/"><p>{"x" * 5000}</html>'
    headers = [("Content-Type", "text/html"), ("Refresh", f"{delay};url=https://www.evil.example/")]
    front.answer = lambda host, path: (200, headers, page.encode()) if "category" in path else None
    outcome = outside_dev(world, "woolworths", sqlite_url, RETRY_TIMES=1)
    assert outcome.exit_code == 1
    assert not any("evil" in url for url in [*front.connects, *front.log])


class Follower(Spider):
    """Follows an address in a body, as no spider of the project should."""

    name = "woolworths"
    failed: Any = None

    async def start(self) -> Any:
        yield Request(f"{SITE}/", self.parse)

    def parse(self, response: Response) -> Any:
        for url in (f"{SITE}/own", "https://www.evil.example/", f"{SITE}/never"):
            yield Request(url, self.parse_no_more, errback=self.fail, priority=-len(url), dont_filter=True)

    def parse_no_more(self, response: Response) -> None:
        """The page came."""

    def fail(self, failure: Any) -> None:
        self.failed = self.failed or failure.value


def test_an_address_out_of_a_body_ends_the_crawl(front):
    bare = {"EXTENSIONS": {}, "ITEM_PIPELINES": {}, "HOST_RATE": 500}
    outcome = crawl(Follower, "http://127.0.0.1:1", None, overrides=bare, dev=None)
    error = Gate.of(outcome.crawler).error
    assert isinstance(error, LeftHosts)
    assert outcome.stats["finish_reason"] == "left_hosts"
    assert "https://www.evil.example/" in str(error)
    assert not any("evil" in host for host in front.connects)


def test_a_block_page_is_still_a_block_page(front, world, sqlite_url):
    front.answer = lambda host, path: (403, [("Location", "https://www.evil.example/")], b"")
    outcome = outside_dev(world, "woolworths", sqlite_url)
    assert isinstance(Gate.of(outcome.crawler).error, BlockedError)
