"""Owns a locator's run: every store that it finds is written when it ends, in one transaction."""

import asyncio
import logging
import os
import socket
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from twisted.python.failure import Failure

from models.database import engine as engines
from models.database.retry import original
from models.errors import ClockWrong, StorageError
from models.publishing import stores
from models.runs import opening
from models.runs.endings import Ending
from models.stores.listed import EVERY_STORE
from splitcart.runs.verdict import Verdict
from splitcart_spiders.crawl.locator_spider import LocatorSpider
from splitcart_spiders.extensions import clock, database, outcome
from splitcart_spiders.items import BarcodeItem, StoreItem
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.shared import Shared

logger = logging.getLogger(__name__)

LEAST_SHARE = 0.5
"""A run that finds less of the known open stores than this is never complete."""


class StoresExtension:
    """One locator run, from its row in crawl_runs to its verdict and exit code."""

    def __init__(self, crawler: Crawler, url: str) -> None:
        self.crawler = crawler
        self.url = url
        self.engine: Engine | None = None
        self.run: opening.Run | None = None
        self.found: dict[str, dict[str, Any]] = {}
        self.exceptions: list[str] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not issubclass(crawler.spidercls, LocatorSpider):
            raise NotConfigured  # a store's crawl finds none
        extension = cls(crawler, database.url_of(crawler.settings))
        connect = crawler.signals.connect
        connect(extension.opened, signal=signals.spider_opened)
        for signal in (signals.spider_error, signals.item_error):
            connect(extension.spider_error, signal=signal)
        connect(extension.closed, signal=signals.spider_closed)
        Shared.of(crawler).run = extension
        return extension

    def now(self) -> datetime:
        """The time that runs are dated with."""
        return clock.now() + clock.ahead(self.crawler)

    async def opened(self, spider: LocatorSpider) -> None:
        """Take the chain's locator, or close the spider before its first request."""
        try:
            self.engine, self.run = await asyncio.to_thread(self.open, spider)
        except (opening.StoreHeld, engines.SchemaMismatch, ClockWrong) as refusal:
            status = "held" if isinstance(refusal, opening.StoreHeld) else "failed"
            outcome.say(self.crawler, status, str(refusal))
            raise CloseSpider(status) from None
        except Exception as error:
            raise outcome.not_opened(self.crawler, error) from error

    def open(self, spider: LocatorSpider) -> tuple[Engine, opening.Run]:
        engine = engines.create(self.url)
        engines.check_schema(engine)
        rehearsed, most = clock.ahead(self.crawler), self.crawler.settings.getfloat("CLOCK_MOST_DAYS")
        clock.check(engine, self.now(), rehearsed, most_days=most, trusted=spider.trusts_clock)
        target = opening.Target(
            company=spider.chain.COMPANY,
            slug=spider.chain.SLUG,
            store_code=EVERY_STORE,
            flip_weekday=spider.flip.weekday,
            flip_hour=spider.flip.hour,
        )
        run = opening.open_run(
            engine,
            target,
            spider=spider.name,
            now=self.now(),
            lease_seconds=self.crawler.settings.getint("LOCATOR_LEASE_SECONDS"),
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        return engine, run

    async def stage_store(self, item: StoreItem) -> None:
        """Keep one store; a chain has at most a few thousand."""
        row = asdict(item)
        self.found[row.pop("store_id")] = {name: row[name] for name in stores.LOCATED}

    async def stage(self, row: dict[str, Any]) -> None:
        """A locator finds stores, not products."""
        raise TypeError(f"a locator yielded product {row.get('sku')}")

    async def stage_barcode(self, item: BarcodeItem) -> None:
        """A locator finds stores, not products."""
        raise TypeError(f"a locator yielded the barcode of {item.sku}")

    async def end_staging(self) -> None:
        """Nothing is buffered outside this object."""

    def spider_error(self, failure: Failure) -> None:
        """An exception in a callback, in start() or in a pipeline is no mere log line."""
        self.exceptions.append(f"{type(failure.value).__name__}: {failure.value}")

    async def closed(self, spider: LocatorSpider, reason: str) -> None:
        """Judge and write; whatever goes wrong here is said in the exit code, too."""
        if self.run is None:
            outcome.say_unless_said(self.crawler, "failed", f"the run could not be opened ({reason})")
            return
        try:
            judged, located = await asyncio.to_thread(self.conclude, spider, reason, self.now())
            engines.check_file(self.engine)
            outcome.say(self.crawler, judged.status, judged.reason, judged, located)
        except Exception as error:
            logger.exception("Locator run %s could not be concluded", self.run.id)
            told = f"the run could not be concluded: {original(error)}".strip()
            await asyncio.to_thread(self.give_up, told, self.now())
            outcome.say(self.crawler, "failed", told)
        finally:
            if self.engine is not None:
                await asyncio.to_thread(self.engine.dispose)

    def conclude(self, spider: LocatorSpider, reason: str, now: datetime) -> tuple[Verdict, stores.Located | None]:
        """The verdict, and what it changed."""
        assert self.engine is not None
        assert self.run is not None
        judged = self.judge(spider, reason, stores.open_stores(self.engine, self.run.company_id))
        counts = {"unanswered": spider.unanswered[:20], "exceptions": self.exceptions[:10]}
        ending = Ending(verdict=judged, now=now, counts=counts)
        if judged.publishes == "nothing":
            opening.finish(self.engine, self.run, ending)
            return judged, None
        return judged, stores.publish_stores(self.engine, self.run, ending, self.found)

    def give_up(self, why: str, now: datetime) -> None:
        """End the run as failed where the database lets us: its lease is long, and the next would wait for it."""
        assert self.engine is not None
        assert self.run is not None
        failed, counts = Verdict("failed", why, "nothing", {}), {"exceptions": self.exceptions[:10]}
        try:
            opening.finish(self.engine, self.run, Ending(verdict=failed, now=now, counts=counts))
        except (StorageError, SQLAlchemyError) as error:
            logger.error("Locator run %s could not be ended: %s", self.run.id, original(error))

    def judge(self, spider: LocatorSpider, reason: str, known: int) -> Verdict:
        """Complete only when every request was answered and the chain did not shrink to less than half."""
        figures: dict[str, object] = {"found": len(self.found), "known": known}
        if error := Gate.of(self.crawler).error:
            status = "blocked" if error.reason == "blocked" else "failed"
            return Verdict(status, error.reason, "nothing", figures)
        if not self.found:
            return Verdict("failed", f"no_stores: 0 found, {known} known", "nothing", figures)
        if reason != "finished" or self.exceptions or spider.unanswered:
            why = [*self.exceptions, *spider.unanswered, reason][0]
            return Verdict("partial", f"unanswered: {why}", "seen", figures)
        if len(self.found) < LEAST_SHARE * known:
            return Verdict("partial", f"too_few_stores: {len(self.found)} found, {known} known", "seen", figures)
        return Verdict("complete", "finished", "all", figures)
