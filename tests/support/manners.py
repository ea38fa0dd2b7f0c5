"""A clock that moves only when all coroutines sleep, and middlewares driven without a network."""

import asyncio
import heapq
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy.crawler import Crawler
from scrapy.utils.test import get_crawler

from splitcart_spiders.middlewares.host_rate import HostRate

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class FakeClock:
    """Time stands still while a coroutine can run, then jumps to the time at which the next one wakes."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time - 100.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, len(self.slept), future))
        await future

    async def play(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run them all to their end; exceptions are results."""
        gathered = asyncio.gather(*coroutines, return_exceptions=True)
        while not gathered.done():
            for _ in range(50):
                await asyncio.sleep(0)
            if not gathered.done() and self._sleepers:
                self.time, _, future = heapq.heappop(self._sleepers)
                if not future.done():
                    future.set_result(None)
        return gathered.result()

    def run(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        return asyncio.run(self.play(*coroutines))


def crawler_with(settings: dict[str, Any] | None = None, *, dev: bool = False, name: str = "woolworths") -> Crawler:
    """A crawler that has its spider, as middlewares find it in from_crawler, but no engine."""
    crawler = get_crawler(settings_dict={"USER_AGENT": "SplitCart/0.1 (contact: a@b.c)"} | (settings or {}))
    crawler.spider = crawler._create_spider(name=name, dev="1" if dev else None)
    return crawler


def record_departures(monkeypatch: Any) -> list[float]:
    """When each request leaves, on the monotonic clock; arrivals would also depend on how busy the machine is."""
    departures: list[float] = []
    take_turn = HostRate.take_turn

    async def recorded(self: HostRate, host: str) -> None:
        await take_turn(self, host)
        departures.append(self._of(host).last_sent)

    monkeypatch.setattr(HostRate, "take_turn", recorded)
    return departures
