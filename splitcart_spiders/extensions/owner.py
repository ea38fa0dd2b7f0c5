"""The life of a run, whatever spider it belongs to: opened, judged, ended, reported by its status and exit code."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Self, TypeVar

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from twisted.python.failure import Failure

from models.database import engine as engines
from models.database.retry import original
from models.errors import LeaseLost, StorageError, StoreHeld
from models.runs import endings, opening
from models.runs.endings import Ending
from splitcart.runs.verdict import Verdict
from splitcart_spiders.extensions import clock, database, outcome
from splitcart_spiders.extensions.summary import Changed
from splitcart_spiders.shared import Run, Shared
from splitcart_spiders.storefront import StorefrontSpider

logger = logging.getLogger(__name__)

SpiderT = TypeVar("SpiderT", bound=StorefrontSpider)


class RunOwner(Generic[SpiderT]):
    """One run, from its row in crawl_runs to its verdict and exit code.

    A subclass names the spiders whose runs it owns, and overrides `open_run`, `begin` and `conclude`.
    """

    spiders: ClassVar[type[StorefrontSpider]]
    title: ClassVar[str]
    """What the log calls the run."""
    lease_setting: ClassVar[str]
    """The setting that holds the seconds of its lease."""
    refusals: ClassVar[Mapping[type[StorageError], str]]
    """Errors that refuse to open a run, each with Scrapy's reason for the close."""
    staging: Run
    """Where the last pipeline puts what the run keeps."""

    def __init__(self, crawler: Crawler, url: str) -> None:
        self.crawler = crawler
        self.url = url
        self.engine: Engine | None = None
        self.run: opening.Run | None = None
        self.exceptions: list[str] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not issubclass(crawler.spidercls, cls.spiders):
            raise NotConfigured  # another owner has its run
        owner = cls(crawler, database.url_of(crawler.settings))
        connect = crawler.signals.connect
        connect(owner.opened, signal=signals.spider_opened)
        for signal in (signals.spider_error, signals.item_error):
            connect(owner.spider_error, signal=signal)
        connect(owner.closed, signal=signals.spider_closed)
        Shared.of(crawler).run = owner.staging
        return owner

    def ahead(self) -> timedelta:
        """By how much a rehearsal's clock is ahead of the machine's."""
        return clock.ahead(self.crawler)

    def now(self) -> datetime:
        """The time that runs are dated with."""
        return clock.now() + self.ahead()

    # Opening ---------------------------------------------------------------------------------------------------

    async def opened(self, spider: SpiderT) -> None:
        """Open the run, or close the spider before its first request."""
        try:
            self.engine = await asyncio.to_thread(self.connect)
            await asyncio.to_thread(self.check_clock, spider)
            self.run = await self.take(spider)
            await self.begin(spider)
        except tuple(self.refusals) as refusal:
            outcome.report(self.crawler, "held" if isinstance(refusal, StoreHeld) else "failed", str(refusal))
            raise CloseSpider(self.refusals[type(refusal)]) from None
        except Exception as error:
            self.exceptions.append(f"{type(error).__name__}: {error}")
            raise outcome.not_opened(self.crawler, error) from error

    def connect(self) -> Engine:
        """The engine of the database. Raises SchemaMismatch if its schema is not this code's."""
        engine = engines.create(self.url)
        engines.check_schema(engine)
        return engine

    def check_clock(self, spider: SpiderT) -> None:
        """Raises ClockWrong for a clock that cannot be right."""
        assert self.engine is not None
        most = self.crawler.settings.getfloat("CLOCK_MOST_DAYS")
        clock.check(self.engine, self.now(), self.ahead(), most_days=most, trusted=spider.trusts_clock)

    async def take(self, spider: SpiderT) -> opening.Run:
        """The run of this crawl. Raises StoreHeld."""
        return await asyncio.to_thread(self.open_run, spider)

    def open_run(self, spider: SpiderT, **options: Any) -> opening.Run:
        """Open the run in the database. options: further arguments of `opening.open_run`."""
        assert self.engine is not None
        target = opening.Target(
            company=spider.chain.COMPANY,
            slug=spider.chain.SLUG,
            store_code=spider.store_code,
            flip_weekday=spider.flip.weekday,
            flip_hour=spider.flip.hour,
            timezone=spider.timezone,
        )
        return opening.open_run(
            self.engine,
            target,
            spider=spider.name,
            now=self.now(),
            lease_seconds=self.crawler.settings.getint(self.lease_setting),
            host=socket.gethostname(),
            pid=os.getpid(),
            **options,
        )

    async def begin(self, spider: SpiderT) -> None:
        """Hook: prepare the crawl once the run is open."""

    # Working ---------------------------------------------------------------------------------------------------

    def spider_error(self, failure: Failure) -> None:
        """Record an exception of a callback, of start() or of a pipeline: a run that had one is never complete."""
        self.exceptions.append(f"{type(failure.value).__name__}: {failure.value}")

    # Closing ---------------------------------------------------------------------------------------------------

    async def closed(self, spider: SpiderT, reason: str) -> None:
        """Judge and publish; an error here is reported by the exit code too."""
        if self.run is None:
            outcome.report_unless_reported(self.crawler, "failed", f"the run could not be opened ({reason})")
            return
        try:
            await self.staging.end_staging()
            judged, changed = await asyncio.to_thread(self.conclude, spider, reason, self.now())
            engines.check_file(self.engine)
            outcome.report(self.crawler, judged.status, judged.reason, judged, changed)
        except Exception as error:
            logger.exception("%s %s could not be concluded", self.title, self.run.id)
            why = f"the run could not be concluded: {original(error)}".strip()
            outcome.report(self.crawler, *await asyncio.to_thread(self.give_up, why, self.now()))
        finally:
            if self.engine is not None:
                await asyncio.to_thread(self.engine.dispose)

    def conclude(self, spider: SpiderT, reason: str, now: datetime) -> tuple[Verdict, Changed]:
        """Judge the run and end it in the database: the verdict, and what it changed."""
        raise NotImplementedError(f"{type(self).__name__} must judge its runs")

    def give_up(self, why: str, now: datetime) -> tuple[str, str]:
        """End the run as failed if the database allows it, so that the next crawl need not wait for its lease.

        Returns its status and reason: those of an earlier ending if that was committed and only the reply to the COMMIT
        was lost.
        """
        assert self.run is not None
        assert self.engine is not None
        failed, counts = Verdict("failed", why, "nothing", {}), {"exceptions": self.exceptions[:10]}
        try:
            try:
                opening.finish(self.engine, self.run, Ending(verdict=failed, now=now, counts=counts))
            except LeaseLost:
                logger.info("%s %s has ended or is another's by now", self.title, self.run.id)
                endings.release_store(self.engine, self.run)
                ended = endings.ended_as(self.engine, self.run)
                engines.check_file(self.engine)  # a commit to a file that is gone proves nothing
                return ended or ("failed", why)
        except (SQLAlchemyError, StorageError) as error:
            logger.error("%s %s stays open until its lease ends: %s", self.title, self.run.id, original(error))
        return "failed", why
