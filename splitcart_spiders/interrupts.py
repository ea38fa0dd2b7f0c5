"""What Ctrl-C does to a crawl, said at once."""

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

HEARD = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Speaks before Scrapy's own handlers act: the first ends the crawl in order, the second at once."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        # Scrapy installs its handlers when the reactor starts, before the engine does.
        crawler.signals.connect(self.listen, signal=signals.engine_started)

    def listen(self) -> None:
        """Put ours before the handlers that are there."""
        self.before(self.finishing)

    def before(self, tell: Callable[[], None]) -> None:
        """Let `tell` speak, on the event loop, when a signal comes."""
        loop = asyncio.get_running_loop()
        for number in HEARD:
            scrapys: Any = signal.getsignal(number)

            def heard(number: int, frame: FrameType | None, scrapys: Any = scrapys) -> None:
                loop.call_soon_threadsafe(tell)
                if callable(scrapys):
                    scrapys(number, frame)

            signal.signal(number, heard)

    def finishing(self) -> None:
        """What is waited for, and what becomes of what was seen."""
        engine, kept = self.crawler.engine, "the stores found so far are kept"
        waiting = len(engine.downloader.active) if engine is not None else 0
        if isinstance(self.crawler.spider, ChainSpider):
            kept = "what was seen is published, and nothing is taken for gone"
        logger.info(
            "stopping: waiting for %d answers under way, then %s. Ctrl-C again ends it at once, publishing nothing",
            waiting,
            kept,
        )
        self.before(self.ending)

    def ending(self) -> None:
        """That nothing is published, and how it may go on."""
        logger.warning("ended at once, nothing more is published; a store's crawl goes on with -a resume=1")
