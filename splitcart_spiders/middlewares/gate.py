"""The gate: through it any part of a crawl ends the crawl, and it keeps the error that ended it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from splitcart_spiders.errors import CrawlError, ends_crawl
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.shared import Shared

logger = logging.getLogger(__name__)

T = TypeVar("T")


class GateShut(IgnoreRequest):
    """Passed to the errback of every request that reaches the gate after it was shut; `error` is what shut it."""

    def __init__(self, error: CrawlError) -> None:
        super().__init__(f"not sent, the crawl is over: {error}")
        self.error = error


class Gate:
    """Open until something ends the crawl. One per crawler: `Gate.of(crawler)`."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.error: CrawlError | None = None
        """The first error that shut the gate; None while it is open."""
        self._shut = asyncio.Event()
        self._broken_off = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, crawler: Crawler) -> "Gate":
        """The crawler's own gate, made on first use."""
        return Shared.of(crawler).one(cls, lambda: cls(crawler))

    def shut(self, error: CrawlError) -> None:
        """End the crawl with reason `error.reason`: nothing more is sent. Later errors change nothing."""
        if error.breaks_off:
            self._broken_off.set()
        if self.error is not None:
            return
        self.error = error
        self._shut.set()
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"splitcart/gate/{error.reason}")
        logger.info("stopping: %s", error)  # the last lines of the crawl log it as an error
        self._close_spider(error.reason)

    def check(self) -> None:
        """Raises GateShut when the gate is shut."""
        if self.error is not None:
            raise GateShut(self.error)

    async def sleep(self, clock: Clock, seconds: float) -> None:
        """Sleep, but wake up at once when the gate shuts; raises GateShut then."""
        self.check()
        if seconds > 0:
            tasks = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(self._shut.wait())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
        self.check()

    async def unless_broken_off(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; cancel it and raise GateShut once an error with `breaks_off` shuts the gate."""
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self._broken_off.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                return tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)  # by then its connection is closed
        self.check()
        raise AssertionError("only a shut gate breaks off")

    def _close_spider(self, reason: str) -> None:
        try:
            engine = self.crawler.engine
        except RuntimeError:  # not made yet: nothing runs that could be closed
            return
        if engine.spider is not None:
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason=reason))


class GateMiddleware:
    """Refuses every request once the gate is shut."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Gate.of(crawler))

    def process_request(self, request: Request) -> None:
        """Raises GateShut once the crawl is over."""
        self.gate.check()

    def process_exception(self, request: Request, exception: Exception) -> None:
        """End the crawl before the next request leaves, if the error of this one ends it."""
        if ends_crawl(exception):
            self.gate.shut(exception)
