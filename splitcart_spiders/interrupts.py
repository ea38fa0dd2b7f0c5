"""Logs at once what Ctrl-C does to a crawl."""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler

from splitcart_spiders.crawl.chain_spider import ChainSpider

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Logs a line before Scrapy's own handlers act: the first signal ends the crawl in order, the second at once."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        # Scrapy installs its handlers when the reactor starts, before the engine does.
        crawler.signals.connect(self.listen, signal=signals.engine_started)

    def listen(self) -> None:
        """Install the first message before Scrapy's handlers."""
        self.before(self.finishing)

    def before(self, announce: Callable[[], None]) -> None:
        """Call `announce` on the event loop when a signal comes, then the handler that was installed before."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            scrapys: Any = signal.getsignal(number)

            def handle(number: int, frame: FrameType | None, scrapys: Any = scrapys) -> None:
                loop.call_soon_threadsafe(announce)
                if callable(scrapys):
                    scrapys(number, frame)

            signal.signal(number, handle)

    def finishing(self) -> None:
        """Log what the crawl waits for, and what becomes of what was seen."""
        engine, kept = self.crawler.engine, "the stores found so far are kept"
        waiting = len(engine.downloader.active) if engine is not None else 0
        if isinstance(self.crawler.spider, ChainSpider):
            kept = "what was seen is published, and nothing is delisted"
        logger.info(
            "stopping: waiting for %d answers under way, then %s. Ctrl-C again ends it at once, publishing nothing",
            waiting,
            kept,
        )
        self.before(self.ending)

    def ending(self) -> None:
        """Log that nothing is published, and how to resume the crawl."""
        logger.warning("ended at once, nothing more is published; a store's crawl is resumed with -a resume=1")
