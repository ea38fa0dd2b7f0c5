"""A session that begins in real Chromium, and everything that can be tested without one."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from scrapy import Request

from splitcart_spiders.chains import coles
from splitcart_spiders.errors import (
    BlockedError,
    BrowserMissing,
    CatalogueError,
    CertificateRefused,
    CrawlError,
    LeftHosts,
    NetworkDown,
)
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.sessions import browser
from splitcart_spiders.sessions.shopper import ShopperSpider
from tests.support.crawls import crawl
from tests.support.manners import FakeClock, crawler_with
from tests.support.tls import Authority, Listener, serving

URL = "https://www.coles.com.au/"
BLOCK = "<html><head><title>Pardon Our Interruption</title></head><body><h1>Pardon Our Interruption</h1></body></html>"
STOREFRONT = """<html><head><title>Shop</title><img src="/picture.png"><img src="http://elsewhere.invalid/p.png"></head>
<body><script id="__NEXT_DATA__" type="application/json">{"buildId": "b1"}</script></body></html>"""
SCRIPTED = """<html><head><script>document.cookie = "shopper=1; path=/"; location.reload();</script></head></html>"""


class Site(ThreadingHTTPServer):
    """Serves one page under every path; `pages` are served in turn, the last for ever."""

    def __init__(self, *pages: tuple[int, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = list(pages)
        self.log: list[tuple[str, dict[str, str]]] = []
        self.location = ""
        """Where its redirects lead."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.log.append((self.path, dict(self.headers)))
        status, text = self.server.pages.pop(0) if len(self.server.pages) > 1 else self.server.pages[0]
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        if 300 <= status < 400:
            self.send_header("Location", self.server.location)
        self.send_header("Set-Cookie", "session=s1; Path=/; HttpOnly")
        self.send_header("Set-Cookie", "fulfillmentStoreId=1; Path=/")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Shopper(ShopperSpider):
    """Begins a session, then asks one page plainly with its cookies."""

    name = "coles"
    chain = coles
    first_page = URL
    store_cookies = frozenset({"fulfillmentStoreId"})
    custom_settings: ClassVar[dict[str, Any]] = {"EXTENSIONS": {}, "ITEM_PIPELINES": {}}
    session: list[dict[str, Any]] | None = None

    async def open_session(self, clock: Any = None) -> list[dict[str, Any]]:
        self.session = await super().open_session(clock)
        return [dict(cookie) for cookie in self.session]

    def tree_request(self) -> Request:
        meta = {"expects": "html"}
        return self.request(f"{URL}plain", self.parse, kind="session", meta=meta, cookies={"fulfillmentStoreId": "7"})

    def parse(self, response: Any) -> None:
        """The page came."""


@pytest.fixture
def site() -> Iterator[Any]:
    sites = []

    def serve(*pages: tuple[int, str]) -> Site:
        sites.append(Site(*pages))
        return sites[-1]

    yield serve
    for each in sites:
        each.shutdown()
        each.server_close()


def shop(site: Site, folder: Any, *, browser: bool = True, **settings: Any) -> tuple[Shopper, CrawlError | None]:
    values = {"SESSION_DIR": str(folder), "DOWNLOAD_TIMEOUT": 20, "BROWSER": browser, "RETRY_TIMES": 1}
    outcome = crawl(Shopper, site.url, None, overrides=values | settings, store="7")
    return outcome.crawler.spider, Gate.of(outcome.crawler).error


def named(cookies: list[dict[str, Any]] | None) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in cookies or []}


def test_a_session_begins_in_a_browser_goes_on_plainly_and_is_kept(site, tmp_path):
    server = site((200, SCRIPTED), (200, STOREFRONT))
    spider, error = shop(server, tmp_path)
    assert error is None
    assert named(spider.session) == {"session": "s1", "shopper": "1"}
    assert [path for path, _ in server.log] == ["/coles/", "/coles/", "/coles/plain"]
    (agent,) = {headers["User-Agent"] for _, headers in server.log}
    assert agent.startswith("SplitCart/")
    assert sorted(server.log[-1][1]["Cookie"].split("; ")) == ["fulfillmentStoreId=7", "session=s1", "shopper=1"]

    server.log.clear()
    again, error = shop(server, tmp_path, CHROMIUM="/nowhere/chromium")
    assert (named(again.session), error) == (named(spider.session), None)
    assert [path for path, _ in server.log] == ["/coles/", "/coles/plain"]
    assert sorted(server.log[0][1]["Cookie"].split("; ")) == ["session=s1", "shopper=1"]


def test_a_kept_session_that_is_refused_is_followed_by_a_new_one(site, tmp_path):
    server = site((200, STOREFRONT))
    shop(server, tmp_path)
    server.pages = [(200, BLOCK), (200, STOREFRONT)]
    server.log.clear()
    spider, error = shop(server, tmp_path)
    assert error is None
    assert [path for path, _ in server.log] == ["/coles/", "/coles/", "/coles/plain"]
    assert spider.crawler.stats.get_value("splitcart/session/opened") == 1


def test_a_session_that_ends_in_a_block_is_forgotten(site, tmp_path):
    server = site((200, STOREFRONT), (403, BLOCK))
    _, error = shop(server, tmp_path)
    assert isinstance(error, BlockedError)
    assert list(tmp_path.iterdir()) == []


def test_a_block_page_in_the_browser_ends_the_crawl(site, tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "PATIENCE", 0.1)
    server = site((200, BLOCK))
    spider, error = shop(server, tmp_path)
    assert isinstance(error, BlockedError)
    assert spider.session is None
    assert {path for path, _ in server.log} == {"/coles/"}


WAYS = {
    "script": '<script>location.href = "{}"</script>',
    "meta refresh": '<meta http-equiv="refresh" content="0;url={}">',
    "form": '<form id="f" action="{}" method="post"></form><script>document.getElementById("f").submit()</script>',
}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_of_the_browsers_page_elsewhere_ends_the_crawl_and_gives_no_cookies(site, tmp_path, host, status):
    other = site((200, STOREFRONT))
    server = site((status, ""))
    server.location = other.url.replace("127.0.0.1", host) + "/coles/"
    spider, error = shop(server, tmp_path)
    assert isinstance(error, LeftHosts)
    assert URL in str(error)
    assert server.location in str(error)
    assert (spider.session, list(tmp_path.iterdir())) == (None, [])
    # Another port of the site's own host has an address; no other host has.
    assert host == "127.0.0.1" or other.log == []


@pytest.mark.parametrize("way", WAYS)
def test_a_page_that_sends_the_browser_elsewhere_is_not_followed(site, tmp_path, monkeypatch, way):
    monkeypatch.setattr(browser, "PATIENCE", 2)
    other = site((200, STOREFRONT))
    server = site((200, f"<html><body>{WAYS[way].format(other.url + '/coles/')}</body></html>"))
    spider, error = shop(server, tmp_path)
    assert isinstance(error, LeftHosts)
    assert other.url in str(error)
    assert (spider.session, other.log) == (None, [])


def test_a_redirect_of_the_browsers_page_to_no_host_at_all_is_named(site, tmp_path):
    server = site((302, ""))
    server.location = "file:///etc/passwd"
    _, error = shop(server, tmp_path)
    assert isinstance(error, LeftHosts)


def test_a_redirect_of_the_browsers_page_on_its_host_is_followed(site, tmp_path):
    server = site((302, ""), (200, STOREFRONT))
    server.location = "/coles/home"
    spider, error = shop(server, tmp_path)
    assert error is None
    assert [path for path, _ in server.log] == ["/coles/", "/coles/home", "/coles/plain"]
    assert spider.session


def test_the_browser_itself_refuses_a_certificate(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    # Scrapy trusts the test's authority, for robots.txt; Chromium does not.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(Listener("http://127.0.0.1:1", authority.certificate("localhost"))) as server:
        server.answer = lambda host, path: (404, [], b"") if path == "/robots.txt" else (200, [], STOREFRONT.encode())
        secure = type("Secure", (Shopper,), {"first_page": f"https://localhost:{server.server_port}/"})
        values = {"SESSION_DIR": str(tmp_path / "sessions"), "BROWSER": True, "HOST_RATE": 100}
        outcome = crawl(secure, "http://127.0.0.1:1", None, overrides=values, store="7", dev=None)
    error = Gate.of(outcome.crawler).error
    assert isinstance(error, CertificateRefused)
    assert "ERR_CERT_" in str(error)
    assert server.log == ["/robots.txt"]


def test_a_site_that_is_not_there_is_a_network_that_is_down(site, tmp_path):
    server = site((200, STOREFRONT))
    server.shutdown()
    server.server_close()
    _, error = shop(server, tmp_path)
    assert isinstance(error, NetworkDown)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ((200, STOREFRONT), None),
        ((200, BLOCK), BlockedError),
        ((403, "no"), BlockedError),
        ((200, SCRIPTED), BrowserMissing),
    ],
)
def test_without_the_browser_a_plain_request_opens_the_page(site, tmp_path, page, kind):
    server = site(page)
    spider, error = shop(server, tmp_path, browser=False, CHROMIUM="/nowhere/chromium")
    assert type(error) is (kind or type(None))
    assert list(tmp_path.iterdir()) == []
    if kind is None:
        assert named(spider.session) == {"session": "s1"}
        assert sorted(server.log[-1][1]["Cookie"].split("; ")) == ["fulfillmentStoreId=7", "session=s1"]


def test_a_missing_chromium_is_reported_with_its_remedy(site, tmp_path):
    server = site((200, STOREFRONT))
    _, error = shop(server, tmp_path, CHROMIUM="/nowhere/chromium")
    assert isinstance(error, BrowserMissing)
    assert "/nowhere/chromium" in str(error)
    assert "apt-get install chromium" in error.remedy
    assert server.log == []


def test_chromium_is_the_named_one_else_one_on_path_else_playwrights_own(monkeypatch):
    settings = crawler_with().settings
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "chromium" else None)
    assert browser.chromium_path(settings) == "/usr/bin/chromium"
    assert browser.chromium_path(crawler_with({"CHROMIUM": "/opt/chromium"}).settings) == "/opt/chromium"
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    assert browser.chromium_path(settings) is None


def test_a_browser_is_always_wanted_but_in_dev_only_where_one_is(monkeypatch):
    settings = crawler_with().settings
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    assert browser.wanted(settings, dev=False)
    assert not browser.wanted(settings, dev=True)
    assert browser.wanted(crawler_with({"CHROMIUM": "/nowhere"}).settings, dev=True)
    assert browser.wanted(crawler_with({"BROWSER": "1"}).settings, dev=True)
    assert not browser.wanted(crawler_with({"BROWSER": "0"}).settings, dev=False)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Page.goto: net::ERR_NAME_NOT_RESOLVED at https://a/", NetworkDown),
        ("Page.goto: net::ERR_CONNECTION_REFUSED at https://a/", NetworkDown),
        ("BrowserType.launch: Executable doesn't exist at /x", BrowserMissing),
        ("BrowserType.launch: closed\n Missing X server or $DISPLAY", BrowserMissing),
        ("Page.goto: Timeout 30000ms exceeded.", CatalogueError),
        ("Page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://a/", CertificateRefused),
        ("Page.goto: net::ERR_CERT_COMMON_NAME_INVALID at https://a/", CertificateRefused),
        ("Page.goto: net::ERR_CERT_DATE_INVALID at https://a/", CertificateRefused),
        ("Page.goto: net::ERR_SSL_SERVER_CERT_BAD_FORMAT at https://a/", CertificateRefused),
        ("Page.goto: net::ERR_UNSAFE_REDIRECT at https://a/", LeftHosts),
    ],
)
def test_a_browsers_error_is_one_of_ours(message, kind):
    assert type(browser.as_crawl_error(Exception(message + "\nCall log: ..."), URL)) is kind


def test_the_browser_requests_no_other_host_and_no_images():
    refuses = browser.unneeded(URL)
    ask = SimpleNamespace
    assert not refuses(ask(resource_type="document", url=URL))
    assert not refuses(ask(resource_type="script", url=f"{URL}_Incapsula_Resource?a=1"))
    assert refuses(ask(resource_type="image", url=f"{URL}a.png"))
    assert refuses(ask(resource_type="script", url="https://elsewhere.example/a.js"))
    assert refuses(ask(resource_type="document", url=URL.replace("https:", "http:")))
    assert refuses(ask(resource_type="document", url=f"{URL[:-1]}:8443/"))


def test_no_other_host_has_an_address_in_the_browser_but_a_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert browser.only(URL) == "MAP * ~NOTFOUND, EXCLUDE www.coles.com.au"
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert browser.only(URL) == "MAP * ~NOTFOUND, EXCLUDE proxy.example, EXCLUDE www.coles.com.au"


class Page:
    """A page that shows `before` until `seconds` have passed, then `after`."""

    def __init__(self, clock: FakeClock, seconds: float, before: str, after: str) -> None:
        self.clock, self.until, self.before, self.after = clock, clock.monotonic() + seconds, before, after
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    async def content(self) -> str:
        return self.after if self.clock.monotonic() >= self.until else self.before


def settle(seconds, *, headful, after=STOREFRONT):
    crawler, clock = crawler_with(), FakeClock()
    visit = browser.PageVisit(crawler, URL, headful=headful, clock=clock)
    (result,) = clock.run(visit._settle(Page(clock, seconds, BLOCK, after), 200))
    return result, clock.monotonic() - 100


def test_an_operator_has_ten_minutes():
    assert settle(590, headful=True) == (None, 590)
    result, waited = settle(9999, headful=True)
    assert isinstance(result, BlockedError)
    assert waited == 600


def test_without_an_operator_a_page_has_a_moment_for_its_own_scripts():
    assert settle(3, headful=False) == (None, 3)
    result, waited = settle(60, headful=False)
    assert isinstance(result, BlockedError)
    assert waited == 15


def test_a_page_that_is_neither_blocked_nor_the_storefronts_is_a_catalogue_error():
    result, _ = settle(0, headful=False, after="<html><title>Maintenance</title></html>")
    assert isinstance(result, CatalogueError)


def test_other_spiders_never_load_playwright():
    code = (
        "import sys, importlib, pkgutil, splitcart_spiders.spiders as s, splitcart_spiders.sessions.shopper\n"
        "for m in pkgutil.iter_modules(s.__path__): importlib.import_module(f'{s.__name__}.{m.name}')\n"
        "from scrapy.utils.project import get_project_settings\n"
        "from scrapy.core.downloader.handlers import DownloadHandlers\n"
        "handlers = get_project_settings().getwithbase('DOWNLOAD_HANDLERS').values()\n"
        "assert not [name for name in sys.modules if 'playwright' in name], 'loaded'\n"
        "assert not [each for each in handlers if 'playwright' in str(each)], 'configured'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
