"""Logs what is crawled when it begins, and how far it is every PROGRESS_SECONDS."""

import asyncio
import logging
import time
from typing import Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from models.database.secrets import shown_url
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.walker import Walker
from splitcart_spiders.extensions import database
from splitcart_spiders.extensions.summary import name_of
from splitcart_spiders.middlewares import is_dev
from splitcart_spiders.middlewares.dev import base_url_of
from splitcart_spiders.storefront import StorefrontSpider

logger = logging.getLogger(__name__)

UNKNOWN = "time left unknown"
LIVE = {"splitcart_live": True}
"""Marks a record that the next one replaces on a terminal."""


class ProgressExtension:
    """The first line of a crawl, and a line every PROGRESS_SECONDS; 0 turns these off."""

    def __init__(self, crawler: Crawler) -> None:
        if not issubclass(crawler.spidercls, StorefrontSpider):
            raise NotConfigured
        self.crawler = crawler
        self.every = crawler.settings.getfloat("PROGRESS_SECONDS")
        self.began = time.monotonic()
        self.reported = (self.began, 0)
        """Time of the last line (monotonic), and the requests made by then."""
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        connect = crawler.signals.connect
        connect(extension.opened, signal=signals.spider_opened)
        connect(extension.started, signal=signals.engine_started)
        connect(extension.closed, signal=signals.spider_closed)
        return extension

    def opened(self, spider: Spider) -> None:
        """Log the store, the sandbox in dev, and the database that the prices are written to."""
        asked = f" from the sandbox at {base_url_of(self.crawler.settings)}" if is_dev(spider) else ""
        place = shown_url(database.url_of(self.crawler.settings))
        logger.info("crawling %s%s into %s", name_of(spider), asked, place)

    async def started(self) -> None:
        """Begin to report."""
        self.began = time.monotonic()
        self.reported = (self.began, 0)
        if self.every > 0:
            self.task = asyncio.ensure_future(self.report())

    async def report(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            logger.info("%s", self.line(time.monotonic()), extra=LIVE)

    def line(self, now: float) -> str:
        """How far the crawl is at `now` (monotonic)."""
        assert self.crawler.stats is not None
        requests = self.crawler.stats.get_value("downloader/request_count", 0)
        (last, before), self.reported = self.reported, (now, requests)
        rate = f"{(requests - before) / max(now - last, 0.001):.1f} requests a second"
        spider = self.crawler.spider
        if not isinstance(spider, ChainSpider):
            stores = self.crawler.stats.get_value("item_scraped_count", 0)
            return f"{spider.name if spider else ''}: {stores:,} stores, {requests:,} requests, {rate}"
        walker = spider.walker
        there_are = len(walker.walks) + len(walker.promos)
        done = len(walker.walks) - len(walker.unfinished)
        parts = [
            f"{done} of {there_are} categories" if there_are else "no category yet",
            f"{sum(len(walk.skus) for walk in walker.walks.values()):,} products",
            rate,
        ]
        if not spider.probe:
            parts.append(time_left(walker, now - self.began))
        return f"{name_of(spider)}: {', '.join(parts)}"

    def closed(self) -> None:
        """Report no more: the outcome is the last line."""
        if self.task is not None:
            self.task.cancel()


def time_left(walker: Walker, elapsed: float) -> str:
    """How long the walk will take from now, at its pace so far; elapsed: seconds since it began."""
    if walker.walks and not walker.unfinished and not walker.promos:
        return "last answers under way"
    seen = total = 0
    for key, walk in walker.walks.items():
        size = walk.expected if walk.expected is not None else walker.known_sizes.get(key)
        if key in walker.unfinished and size is None:
            return UNKNOWN
        seen += len(walk.skus)
        total += max(len(walk.skus), size or 0) if key in walker.unfinished else len(walk.skus)
    total += sum(walker.known_sizes.get(node.key, 0) for node in walker.promos)
    if not seen:
        return UNKNOWN
    left = elapsed * (total - seen) / seen
    return f"about {_duration(left)} left" if round(left) else "nearly done"


def _duration(seconds: float) -> str:
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60} s"
    return f"{rounded // 3600} h {rounded % 3600 // 60} min"
