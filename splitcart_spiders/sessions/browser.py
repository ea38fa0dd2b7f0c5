"""One page in a real browser, under our own User-Agent.

Only crawls that call `configure` load playwright. Nothing is disguised and no challenge is solved: the browser runs
the page's own scripts, and with `-a headful=1` an operator sees the page.
"""

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from http.cookies import SimpleCookie
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings

from splitcart_spiders.errors import (
    BlockedError,
    BrowserMissing,
    CatalogueError,
    CertificateRefused,
    CrawlError,
    LeftHosts,
    NetworkDown,
)
from splitcart_spiders.middlewares import is_dev, origin
from splitcart_spiders.middlewares.blocks import block_reason
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.middlewares.dev import base_url_of
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.middlewares.hosts import Hosts
from splitcart_spiders.sessions.cookies import Cookie

if TYPE_CHECKING:
    from playwright.async_api import Cookie as PlaywrightCookie
    from playwright.async_api import Page
    from playwright.async_api import Request as PlaywrightRequest

logger = logging.getLogger(__name__)

HANDLER = "splitcart_spiders.sessions.browser_handler.BrowserHandler"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNNEEDED = frozenset({"image", "media", "font"})
PATIENCE = 15.0
"""Seconds for a page to become the storefront's; its scripts may reload it."""
OPERATORS_PATIENCE = 600.0
"""Seconds that the page stays open for an operator (`-a headful=1`)."""
STOREFRONT = 'id="__NEXT_DATA__"'
"""Text of the storefront's own page, and of no other."""
NO_NETWORK = ("ERR_NAME_", "ERR_CONNECTION_", "ERR_INTERNET_DISCONNECTED", "ERR_ADDRESS_", "ERR_NETWORK_", "ERR_EMPTY_")
NO_TRUST = ("ERR_CERT_", "ERR_CERTIFICATE_", "ERR_SSL_SERVER_CERT", "ERR_SSL_PINNED")
NO_ADDRESS = ("ERR_UNSAFE_REDIRECT", "ERR_UNSAFE_PORT", "ERR_UNKNOWN_URL_SCHEME", "ERR_DISALLOWED_URL_SCHEME")
NO_SCREEN = ("XServer", "X server", "$DISPLAY")
NO_BROWSER = ("Executable doesn't exist", "Failed to launch", "BrowserType.launch")


def chromium_path(settings: BaseSettings) -> str | None:
    """The setting CHROMIUM ($CHROMIUM), else one on PATH, else None: playwright's own."""
    named: str | None = settings.get("CHROMIUM")
    return (shutil.which(named) or named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def is_installed() -> bool:
    """Whether the packages of the extra `coles` are installed."""
    return find_spec("scrapy_playwright") is not None


def wanted(settings: BaseSettings, *, dev: bool) -> bool:
    """Whether the session begins in a browser: the setting BROWSER; else always, but in dev only if one is found."""
    if settings.get("BROWSER") is None:
        return not dev or (is_installed() and chromium_path(settings) is not None)
    return settings.getbool("BROWSER")


def configure(settings: BaseSettings, url: str, *, headful: bool = False) -> None:
    """Put the browser's download handler into a crawl's settings; `url` is that of the page, in dev the sandbox's.

    To be called in a spider's from_crawler, where settings may still change.
    """
    arguments = [f"--host-resolver-rules={only(url)}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    options: dict[str, Any] = {"headless": not headful, "args": arguments}
    path = chromium_path(settings)
    if path:
        options["executable_path"] = path
    values = {
        "DOWNLOAD_HANDLERS": settings.getdict("DOWNLOAD_HANDLERS") | {urlsplit(url).scheme: HANDLER},
        "PLAYWRIGHT_LAUNCH_OPTIONS": options,
        "PLAYWRIGHT_ABORT_REQUEST": unneeded(url),
    }
    settings.setdict(values, priority="spider")


def only(url: str) -> str:
    """Rules for Chromium: only a URL's host, and proxies, have an address. `unneeded` does not see redirects."""
    hosts = {urlsplit(each).hostname for each in (url, *getproxies().values())} - {None}
    return ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(hosts, key=str))])


def unneeded(url: str) -> Callable[["PlaywrightRequest"], bool]:
    """Which of the page's requests the browser does not send: images, media, fonts, and any to another origin."""
    return lambda request: request.resource_type in UNNEEDED or origin(request.url) != origin(url)


class PageVisit:
    """One page of a crawl: opened in the browser until it is the storefront's, or requested without a browser."""

    def __init__(self, crawler: Crawler, url: str, *, headful: bool, clock: Clock) -> None:
        self.crawler = crawler
        self.url = url
        self.patience = OPERATORS_PATIENCE if headful else PATIENCE
        self.clock = clock
        self.gate = Gate.of(crawler)
        self.origin = origin(base_url_of(crawler.settings) if is_dev(crawler.spider) else url)
        self.elsewhere: str | None = None
        """The first address outside its origin that the page went to, or would have gone to."""

    async def cookies(self) -> list[Cookie]:
        """The cookies that the page sets in the browser. Raises a CrawlError if it is not the storefront's."""
        page, status = await self._open()
        try:
            await self._settle(page, status)
            self.watch(page.url)
            self.check()
            return [self._cookie(cookie) for cookie in await page.context.cookies()]
        finally:
            await close(page)

    def asked(self, request: "PlaywrightRequest") -> None:
        """Note where the page itself goes; redirects are seen here as well."""
        from playwright.async_api import Error

        with suppress(Error):  # its frame may be gone
            if request.is_navigation_request() and request.frame.parent_frame is None:
                self.watch(request.url)

    def watch(self, url: str) -> None:
        """Note an address outside the page's origin."""
        self.elsewhere = self.elsewhere or (url if origin(url) != self.origin else None)

    def check(self) -> None:
        """Raises LeftHosts if the page has left its origin."""
        if self.elsewhere is not None:
            raise Hosts.of(self.crawler).error(f"GET {self.url} in the browser", self.elsewhere)

    async def plain_cookies(self, before: list[Cookie]) -> list[Cookie]:
        """The cookies of before and of a plain request. Raises a CrawlError if it is not the storefront's page."""
        header = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in before)
        response = await self._ask({"Cookie": header} if header else {})
        if owner := block_reason(response.status, response.body):
            raise BlockedError(f"{self.url} is a block page ({owner}, {response.status}).")
        if STOREFRONT not in getattr(response, "text", ""):
            raise BrowserMissing(f"{self.url} answered a plain request with a page that only a browser can open.")
        fresh = set_cookies(response)
        names = {cookie["name"] for cookie in fresh}
        return [cookie for cookie in before if cookie["name"] not in names] + fresh

    async def _ask(self, headers: dict[str, str], meta: dict[str, Any] | None = None) -> Response:
        meta = {"expects": "html", "judge_blocks": False, "dont_merge_cookies": True} | (meta or {})
        request = Request(self.url, headers=headers, meta=meta, callback=NO_CALLBACK)
        assert self.crawler.engine is not None
        return await self.crawler.engine.download_async(request)

    async def _open(self) -> tuple["Page", int]:
        """The page in the browser, and its status; a failed connection is retried as for any other request."""
        from playwright.async_api import Error

        settings = self.crawler.settings
        # A service worker's requests would bypass PLAYWRIGHT_ABORT_REQUEST.
        context = {"user_agent": settings["USER_AGENT"], "locale": "en-AU", "service_workers": "block"}
        meta = {
            "playwright": True,
            "playwright_include_page": True,
            "playwright_context_kwargs": context | {"ignore_https_errors": False},
            "playwright_page_event_handlers": {"request": self.asked},
        }
        for left in range(settings.getint("RETRY_TIMES"), -1, -1):
            try:
                response = await self._ask({}, meta)
            except Error as error:
                self.check()
                crawl_error = as_crawl_error(error, self.url)
                if not left or not isinstance(crawl_error, NetworkDown):
                    raise crawl_error from error
                await self.gate.sleep(self.clock, settings.getfloat("RETRY_BACKOFF", 2.0))
            else:
                return response.meta["playwright_page"], response.status
        raise AssertionError("the last try returns or raises")

    async def _settle(self, page: "Page", status: int) -> None:
        """Return once the page is the storefront's: the browser runs its scripts, and an operator may act on it."""
        from playwright.async_api import Error

        until, body = self.clock.monotonic() + self.patience, ""
        while self.clock.monotonic() < until and not page.is_closed():
            try:
                body = await page.content()
            except Error as error:  # it is loading another page
                logger.debug("%s: %s", self.url, error)
            if STOREFRONT in body:
                return
            await self.gate.sleep(self.clock, 1)
        self.check()
        if owner := block_reason(status, body.encode()):
            raise BlockedError(f"{self.url} is a block page in the browser too ({owner}, {status}).")
        raise CatalogueError(f"{self.url} did not become the storefront's page within {self.patience:g} s.")

    def _cookie(self, cookie: "PlaywrightCookie") -> Cookie:
        kept = {key: cookie[key] for key in ("name", "value", "path", "secure", "expires")}
        # In dev the cookie's domain is the sandbox's address: without one the cookie belongs to the requested host.
        return kept if is_dev(self.crawler.spider) else kept | {"domain": cookie["domain"]}


def set_cookies(response: Response) -> list[Cookie]:
    """The cookies of an answer's Set-Cookie headers, for the host that answered."""
    morsels = [
        morsel
        for header in response.headers.getlist("Set-Cookie")
        for morsel in SimpleCookie(header.decode("latin-1")).values()
    ]
    return [{"name": morsel.key, "value": morsel.value, "path": morsel["path"] or "/"} for morsel in morsels]


def as_crawl_error(error: Exception, url: str) -> CrawlError:
    """The CrawlError for a browser's error."""
    message = str(error).strip().partition("\n")[0]
    if any(sign in str(error) for sign in NO_TRUST):
        return CertificateRefused(f"GET {url} in the browser: {message}.")
    if any(sign in str(error) for sign in NO_ADDRESS):
        return LeftHosts(
            f"GET {url} in the browser leads to an address that is not one of this chain's hosts: {message}."
        )
    if any(sign in str(error) for sign in NO_NETWORK):
        return NetworkDown(f"GET {url} in the browser: {message}.")
    if any(sign in str(error) for sign in NO_SCREEN):
        return BrowserMissing("There is no screen to show the page on: use -a headful=1 in a desktop session.")
    if any(sign in str(error) for sign in NO_BROWSER):
        return BrowserMissing(f"The browser did not start: {message}.")
    return CatalogueError(f"GET {url} in the browser: {message}.")


async def close(page: "Page") -> None:
    """Close the page and its browser, which takes half a gigabyte that the crawl does not need."""
    from playwright.async_api import Error

    browser = page.context.browser
    try:
        await page.close()
        if browser is not None:
            await browser.close()
    except Error as error:
        logger.debug("closing the browser: %s", error)
