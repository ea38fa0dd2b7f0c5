"""Spiders whose sites require a session that begins as a shopper's does: with one page, in a browser."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast
from urllib.parse import urlsplit

import platformdirs
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from splitcart_spiders.arguments import truth
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.errors import BlockedError, BrowserMissing, CrawlError
from splitcart_spiders.middlewares import chain_of
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.middlewares.dev import base_url_of
from splitcart_spiders.middlewares.gate import GateShut
from splitcart_spiders.middlewares.hosts import Hosts
from splitcart_spiders.sessions import browser
from splitcart_spiders.sessions.cookies import Cookie, SessionFile

if TYPE_CHECKING:
    from scrapy.http.request import VerboseCookie


class ShopperSpider(ChainSpider):
    """A chain's spider that opens `first_page` before anything else; `-a headful=1` shows it to an operator.

    The session's cookies are sent with the first request and stay in the store's jar. They are kept in a file and
    reused by every store, without those that name a store.
    """

    first_page: ClassVar[str]
    store_cookies: ClassVar[frozenset[str]] = frozenset()
    """Names of cookies that the spider sets itself."""

    def __init__(self, headful: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.headful = truth(headful, "headful")
        self.keep: SessionFile | None = None
        self.is_browser_missing = False
        """Whether the session must begin in a browser and the package that drives one is not installed."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        if spider.headful or browser.wanted(crawler.settings, dev=spider.dev):
            if not browser.is_installed():
                spider.is_browser_missing = True
                return spider
            url = base_url_of(crawler.settings) if spider.dev else cls.first_page
            browser.configure(crawler.settings, url, headful=spider.headful)
            spider.keep = spider.session_file(crawler.settings)
        crawler.signals.connect(spider.forget_refused, signal=signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Begin the session, then crawl with its cookies; shut the gate if there is no session."""
        Hosts.of(self.crawler).name(self.first_page)
        try:
            if self.is_browser_missing:
                raise BrowserMissing(
                    f"{self.name} begins its session in a browser, and scrapy-playwright is not installed."
                )
            cookies = await self.open_session()
        except CrawlError as error:
            self.gate.shut(error)
            return
        except GateShut:
            return
        async for request in super().start():
            own = request.cookies
            named = [{"name": name, "value": value} for name, value in own.items()] if isinstance(own, dict) else own
            request.cookies = cast("list[VerboseCookie]", [*cookies, *named])
            yield request

    async def open_session(self, clock: Clock | None = None) -> list[Cookie]:
        """The session's cookies: kept ones that still open the page, else those of a page opened now.

        Raises a CrawlError if the page cannot be opened, GateShut if the crawl has ended meanwhile.
        """
        visit = browser.PageVisit(self.crawler, self.first_page, headful=self.headful, clock=clock or Clock())
        if self.keep is None:
            return without(await visit.plain_cookies([]), self.store_cookies)
        cookies = None if self.headful else await self.kept(self.keep, visit)
        if cookies is None:
            cookies = without(await visit.cookies(), self.store_cookies)
            self.crawler.stats.inc_value("splitcart/session/opened")
            self.keep.save(cookies)
        return unexpiring(cookies)

    async def kept(self, keep: SessionFile, visit: browser.PageVisit) -> list[Cookie] | None:
        """A kept session, once it has opened the page again; if it does not, None, and its file is deleted."""
        cookies = keep.load()
        if cookies is None:
            return None
        try:
            return without(await visit.plain_cookies(cookies), self.store_cookies)
        except (BlockedError, BrowserMissing):
            keep.forget()
            return None

    def session_file(self, settings: BaseSettings) -> SessionFile:
        """The file of the session of the page's host; each sandbox has its own."""
        folder = settings.get("SESSION_DIR") or platformdirs.user_cache_path("splitcart") / "sessions"
        site = urlsplit(self.first_page).netloc
        if self.dev:
            site = f"{urlsplit(base_url_of(settings)).netloc}/{chain_of(self)}/{site}"
        return SessionFile(Path(folder), site, settings["USER_AGENT"], settings.getfloat("SESSION_MAX_AGE", 3600))

    def forget_refused(self, reason: str) -> None:
        """Delete a session that ended in a block."""
        if self.keep is not None and reason == BlockedError.reason:
            self.keep.forget()


def without(cookies: list[Cookie], names: Collection[str]) -> list[Cookie]:
    """Copies of the cookies without those of the given names; Scrapy modifies the cookies that it gets."""
    return [dict(cookie) for cookie in cookies if cookie["name"] not in names]


def unexpiring(cookies: list[Cookie]) -> list[Cookie]:
    """The cookies as a request takes them."""
    return [{key: value for key, value in cookie.items() if key != "expires"} for cookie in cookies]
