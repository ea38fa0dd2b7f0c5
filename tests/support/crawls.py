"""Many crawls in one process on one reactor, which runs in its own thread."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

from scrapy import Spider
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.project import get_project_settings

LIMIT = 300


@dataclass(frozen=True)
class Outcome:
    """How one crawl ended."""

    status: str | None
    reason: str | None
    exit_code: int | None
    stats: dict[str, Any]
    crawler: Crawler


@cache
def loop() -> asyncio.AbstractEventLoop:
    """The event loop of the reactor's thread; started once."""
    own = asyncio.new_event_loop()
    ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(own)
        from twisted.internet import asyncioreactor

        asyncioreactor.install(own)
        from twisted.internet import reactor

        reactor.callWhenRunning(ready.set)
        reactor.run(installSignalHandlers=False)

    threading.Thread(target=run, name="reactor", daemon=True).start()
    ready.wait(30)
    return own


def settings(sandbox_url: str, database_url: str | None, **overrides: Any) -> Settings:
    """The project's own settings, pointed at a sandbox and a database."""
    values = get_project_settings()
    values.setdict(
        {
            "DEV_BASE_URL": sandbox_url,
            "DATABASE_URL": database_url,
            "LOG_ENABLED": False,
            "RETRY_BACKOFF": 0,
            "BROWSER": False,
        },
        "cmdline",
    )
    values.setdict(overrides, "cmdline")
    return values


def load(spider: str) -> type[Spider]:
    """A spider's class, as Scrapy finds it by name."""
    return SpiderLoader.from_settings(get_project_settings()).load(spider)


def on_day(world: Any, day: int) -> dict[str, float]:
    """Settings by which a run is dated on a sandbox day, at noon in Sydney: flips fall where the sandbox has them."""
    noon = datetime.combine(world.date_of(day), time(2), tzinfo=UTC)
    return {"CLOCK_AHEAD": (noon - datetime.now(UTC)).total_seconds()}


def submit(
    spider: Any, sandbox_url: str, database_url: str | None, *, args: dict[str, Any], **overrides: Any
) -> Future[Outcome]:
    """Begin a crawl; its outcome comes through the future, so that two may run at once."""

    async def go() -> Outcome:
        runner = AsyncCrawlerRunner(settings(sandbox_url, database_url, **overrides))
        crawler = runner.create_crawler(spider)
        await runner.crawl(crawler, **{"dev": "1", **args})
        stats = crawler.stats.get_stats()
        run = {key: stats.get(f"splitcart/run/{key}") for key in ("status", "reason", "exit_code")}
        return Outcome(**run, stats=dict(stats), crawler=crawler)

    return asyncio.run_coroutine_threadsafe(go(), loop())


def crawl(
    spider: Any, sandbox_url: str, database_url: str | None, *, overrides: dict[str, Any] | None = None, **args: Any
) -> Outcome:
    """One complete crawl of `spider` (name or class); `args` are its -a arguments, `overrides` settings."""
    return submit(spider, sandbox_url, database_url, args=args, **(overrides or {})).result(LIMIT)
