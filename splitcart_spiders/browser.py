"""Begins a session as a shopper does: one page in a real browser, under our own User-Agent.

Only spiders that call `configure` load playwright. Nothing is disguised and no challenge is solved: the browser runs
the page's own scripts, and with `-a headful=1` an operator sees the page.
"""

import logging
import os
import shutil
from collections.abc import Callable, Collection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import platformdirs
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings

from splitcart_spiders.errors import BlockedError, BrowserMissing, CatalogueError, CrawlError, NetworkDown
from splitcart_spiders.middlewares import chain_of, is_dev
from splitcart_spiders.middlewares.blocks import block_reason
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.middlewares.dev import base_url_of
from splitcart_spiders.middlewares.gate import Gate, GateShut
from splitcart_spiders.sessions import Cookie, SessionFile

if TYPE_CHECKING:
    from playwright.async_api import Page

logger = logging.getLogger(__name__)

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNNEEDED = frozenset({"image", "media", "font"})
PATIENCE = 15.0
"""Seconds for a page to become the storefront's; its scripts may load it once more."""
OPERATORS_PATIENCE = 600.0
"""Seconds that the page stays open for an operator (`-a headful=1`)."""
STOREFRONT = 'id="__NEXT_DATA__"'
"""What the page says once it is the storefront's own."""
NO_NETWORK = ("ERR_NAME_", "ERR_CONNECTION_", "ERR_INTERNET_DISCONNECTED", "ERR_ADDRESS_", "ERR_NETWORK_", "ERR_EMPTY_")
NO_BROWSER = ("Executable doesn't exist", "Failed to launch", "BrowserType.launch", "XServer", "$DISPLAY")


def chromium_path(settings: BaseSettings) -> str | None:
    """The setting CHROMIUM ($CHROMIUM), else one on PATH, else None: playwright's own."""
    named: str | None = settings.get("CHROMIUM")
    return (shutil.which(named) or named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def configure(crawler: Crawler, spider: Spider, url: str, *, headful: bool = False) -> None:
    """Give a crawl the browser's download handler; for a spider's from_crawler, where settings may still change.

    `url` is the page that `open_session` will open. A kept session spares the browser, unless `headful`, and so does
    the setting BROWSER=False, with which a plain request opens the page.
    """
    settings = crawler.settings
    if not settings.getbool("BROWSER", True) or (
        not headful and session_file(settings, spider, url).load() is not None
    ):
        return
    options: dict[str, Any] = {"headless": not headful, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}
    path = chromium_path(settings)
    if path:
        options["executable_path"] = path
    opened = base_url_of(settings) if is_dev(spider) else url
    values = {
        "DOWNLOAD_HANDLERS": settings.getdict("DOWNLOAD_HANDLERS") | {urlsplit(opened).scheme: HANDLER},
        "PLAYWRIGHT_LAUNCH_OPTIONS": options,
        "PLAYWRIGHT_ABORT_REQUEST": unneeded(urlsplit(opened).netloc),
    }
    settings.setdict(values, priority="spider")


def unneeded(netloc: str) -> Callable[[Any], bool]:
    """Which of the page's requests the browser does not send: pictures, films, fonts, and all to other hosts."""
    return lambda request: request.resource_type in UNNEEDED or urlsplit(request.url).netloc != netloc


def session_file(settings: BaseSettings, spider: Spider, url: str) -> SessionFile:
    """Where the session of a page's host is kept; dev's are the sandbox's own."""
    folder = settings.get("SESSION_DIR") or platformdirs.user_cache_path("splitcart") / "sessions"
    site = urlsplit(url).netloc
    if is_dev(spider):
        site = f"{urlsplit(base_url_of(settings)).netloc}/{chain_of(spider)}/{site}"
    return SessionFile(Path(folder), site, settings["USER_AGENT"], settings.getfloat("SESSION_MAX_AGE", 3600))


async def open_session(
    crawler: Crawler, url: str, *, headful: bool = False, without: Collection[str] = (), clock: Clock | None = None
) -> list[Cookie]:
    """The cookies of a session at `url`'s host, for Request(cookies=...): kept ones, else those of a page opened now.

    Cookies called as in `without` are left out: what names a store is the spider's to set. To be awaited before
    anything else is asked. When no session can be had the gate is shut and GateShut raised.
    """
    assert crawler.spider is not None
    keep = session_file(crawler.settings, crawler.spider, url)
    # A session that is refused is not offered again; the crawler holds what the signal refers to weakly.
    crawler.splitcart_session = Forgetful(keep)  # type: ignore[attr-defined]
    crawler.signals.connect(crawler.splitcart_session.closed, signal=signals.spider_closed)  # type: ignore[attr-defined]
    cookies = None if headful else keep.load()
    if cookies is None:
        page = PageVisit(crawler, url, headful=headful, clock=clock or Clock())
        cookies = [cookie for cookie in await page.cookies() if cookie["name"] not in without]
        keep.save(cookies)
        if crawler.stats:
            crawler.stats.inc_value("splitcart/session/opened")
    return [{key: value for key, value in cookie.items() if key != "expires"} for cookie in cookies]


class Forgetful:
    """Forgets a session that ended in a block."""

    def __init__(self, keep: SessionFile) -> None:
        self.keep = keep

    def closed(self, reason: str) -> None:
        """For the signal spider_closed."""
        if reason == BlockedError.reason:
            self.keep.forget()


class PageVisit:
    """One page, opened once, looked at until it is the storefront's, and closed with its browser."""

    def __init__(self, crawler: Crawler, url: str, *, headful: bool, clock: Clock) -> None:
        self.crawler = crawler
        self.url = url
        self.patience = OPERATORS_PATIENCE if headful else PATIENCE
        self.clock = clock
        self.gate = Gate.of(crawler)
        self.by_browser = bool(crawler.settings.get("PLAYWRIGHT_LAUNCH_OPTIONS"))

    async def cookies(self) -> list[Cookie]:
        """The cookies that the page left. Shuts the gate and raises GateShut where it is not the storefront's."""
        try:
            if not self.by_browser:
                return plain_cookies(self._judged(await self._ask()))
            page, status = await self._open()
            try:
                await self._settle(page, status)
                return [self._cookie(cookie) for cookie in await page.context.cookies()]
            finally:
                await close(page)
        except CrawlError as error:
            self.gate.shut(error)
            raise GateShut(error) from error

    async def _ask(self, **meta: Any) -> Response:
        meta |= {"expects": "html", "judge_blocks": False, "dont_merge_cookies": True}
        assert self.crawler.engine is not None
        return await self.crawler.engine.download_async(Request(self.url, meta=meta, callback=NO_CALLBACK))

    async def _open(self) -> tuple["Page", int]:
        from playwright.async_api import Error

        context = {"user_agent": self.crawler.settings["USER_AGENT"], "locale": "en-AU"}
        try:
            response = await self._ask(playwright=True, playwright_include_page=True, playwright_context_kwargs=context)
        except Error as error:
            raise as_crawl_error(error, self.url) from error
        return response.meta["playwright_page"], response.status

    def _judged(self, response: Response) -> Response:
        owner = block_reason(response.status, response.body)
        if owner:
            raise BlockedError(f"{self.url} is a block page ({owner}, {response.status}).")
        return response

    async def _settle(self, page: "Page", status: int) -> None:
        """Return once the page is the storefront's; the browser runs its scripts, or the operator looks after it."""
        from playwright.async_api import Error

        until, body = self.clock.monotonic() + self.patience, ""
        while self.clock.monotonic() < until and not page.is_closed():
            try:
                body = await page.content()
            except Error as error:  # it is loading something else just now
                logger.debug("%s: %s", self.url, error)
            if STOREFRONT in body:
                return
            await self.gate.sleep(self.clock, 1)
        if owner := block_reason(status, body.encode()):
            raise BlockedError(f"{self.url} is a block page in the browser too ({owner}, {status}).")
        raise CatalogueError(f"{self.url} did not become the storefront's page within {self.patience:g} s.")

    def _cookie(self, cookie: Any) -> Cookie:
        kept = {key: cookie[key] for key in ("name", "value", "path", "secure", "expires")}
        # In dev the sandbox's address is the cookie's domain: without one it belongs to whom the request asks.
        return kept if is_dev(self.crawler.spider) else kept | {"domain": cookie["domain"]}


def plain_cookies(response: Response) -> list[Cookie]:
    """The cookies of an answer's Set-Cookie headers, for the host that answered."""
    morsels = [
        morsel
        for header in response.headers.getlist("Set-Cookie")
        for morsel in SimpleCookie(header.decode("latin-1")).values()
    ]
    return [{"name": morsel.key, "value": morsel.value, "path": morsel["path"] or "/"} for morsel in morsels]


def as_crawl_error(error: Exception, url: str) -> CrawlError:
    """What a browser's error means for the crawl."""
    said = str(error).strip().partition("\n")[0]
    if any(sign in str(error) for sign in NO_NETWORK):
        return NetworkDown(f"GET {url} in the browser: {said}.")
    if any(sign in str(error) for sign in NO_BROWSER):
        return BrowserMissing(f"The browser did not start: {said}.")
    return CatalogueError(f"GET {url} in the browser: {said}.")


async def close(page: "Page") -> None:
    """Close the page and its browser: half a gigabyte that the crawl does not need."""
    from playwright.async_api import Error

    browser = page.context.browser
    try:
        await page.close()
        if browser is not None:
            await browser.close()
    except Error as error:
        logger.debug("closing the browser: %s", error)
