"""Owns the crawl run: opens it, keeps its lease alive, asks the verdict, publishes or not."""

import asyncio
import functools
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from twisted.python.failure import Failure

from models.database import engine as engines
from models.database.retry import original
from models.errors import ClockWrong, StorageError, StoreUnlisted
from models.products import barcodes
from models.publishing import probes, stores
from models.publishing import publish as publishing
from models.publishing.publish import Published
from models.runs import endings, opening
from models.runs.endings import Ending
from models.staging.writer import StagingWriter
from models.stores import companies
from splitcart.periods import crosses
from splitcart.runs.verdict import Counts, Gates, History, Verdict, verdict
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.walk import is_proven
from splitcart_spiders.errors import CrawlError
from splitcart_spiders.extensions import clock, database, listed, outcome
from splitcart_spiders.extensions.apart import apart
from splitcart_spiders.extensions.lease import LeaseKeeper
from splitcart_spiders.extensions.staging import Staging
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.shared import Shared

logger = logging.getLogger(__name__)

REFUSED = {engines.SchemaMismatch: "schema_mismatch", ClockWrong: "clock", StoreUnlisted: "unlisted"}
"""Scrapy's reason for the close, by what refuses to open a run."""
LAST_WORD = 5.0
"""Seconds that a run which has lost its lease may take to end itself in the database."""


class RunExtension:
    """One crawl of one store, from its row in crawl_runs to its verdict and exit code."""

    def __init__(self, crawler: Crawler, url: str) -> None:
        self.crawler = crawler
        self.url = url
        self.engine: Engine | None = None
        self.run: opening.Run | None = None
        self.history = History()
        self.staging = Staging()
        self.exceptions: list[str] = []
        self.lease: LeaseKeeper | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not issubclass(crawler.spidercls, ChainSpider):
            raise NotConfigured  # a locator crawls no store
        extension = cls(crawler, database.url_of(crawler.settings))
        connect = crawler.signals.connect
        connect(extension.opened, signal=signals.spider_opened)
        for signal in (signals.spider_error, signals.item_error):
            connect(extension.spider_error, signal=signal)
        connect(extension.closed, signal=signals.spider_closed)
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            connect(extension.staging.item_done, signal=signal)
        Shared.of(crawler).run = extension.staging
        return extension

    def ahead(self) -> timedelta:
        """By how much a rehearsal's clock is ahead of the machine's."""
        return clock.ahead(self.crawler)

    def now(self) -> datetime:
        """The time that runs are dated with."""
        return clock.now() + self.ahead()

    # Opening ---------------------------------------------------------------------------------------------------

    async def opened(self, spider: ChainSpider) -> None:
        """Take the store, or close the spider before its first request."""
        try:
            self.gates()  # a slip in them is told before a store is crawled in vain
            self.engine = await asyncio.to_thread(self.connect)
            await asyncio.to_thread(self.check_clock, spider)
            await listed.check(self.engine, self.crawler, spider)
            self.run = await self.take(spider)
            await self.begin(spider)
        except opening.StoreHeld as held:
            outcome.say(self.crawler, "held", str(held))
            raise CloseSpider("store_held") from None
        except (engines.SchemaMismatch, ClockWrong, StoreUnlisted) as refusal:
            outcome.say(self.crawler, "failed", str(refusal))
            raise CloseSpider(REFUSED[type(refusal)]) from None
        except Exception as error:
            self.exceptions.append(f"{type(error).__name__}: {error}")
            raise outcome.not_opened(self.crawler, error) from error

    def connect(self) -> Engine:
        engine = engines.create(self.url)
        engines.check_schema(engine)
        return engine

    def check_clock(self, spider: ChainSpider) -> None:
        assert self.engine is not None
        most = self.crawler.settings.getfloat("CLOCK_MOST_DAYS")
        clock.check(self.engine, self.now(), self.ahead(), most_days=most, trusted=spider.trusts_clock)

    async def take(self, spider: ChainSpider) -> opening.Run:
        """The run of this crawl; with `-a wait=1` as soon as the store is free."""
        target = opening.Target(
            company=spider.chain.COMPANY,
            slug=spider.chain.SLUG,
            store_code=spider.store_id,
            flip_weekday=spider.flip.weekday,
            flip_hour=spider.flip.hour,
            timezone=spider.timezone,
        )
        while True:
            try:
                assert self.engine is not None
                return await asyncio.to_thread(
                    opening.open_run,
                    self.engine,
                    target,
                    spider=spider.name,
                    now=self.now(),
                    resume=spider.resume,
                    lease_seconds=self.crawler.settings.getint("LEASE_SECONDS"),
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    token=spider.lease,
                    failure_delay=timedelta(minutes=self.crawler.settings.getfloat("SCHEDULE_FAILURE_MINUTES")),
                )
            except opening.StoreHeld as held:
                if not spider.wait:
                    raise
                logger.info("%s; waiting", held)
                await asyncio.sleep(max(1.0, min(30.0, (held.until - self.now()).total_seconds())))

    async def begin(self, spider: ChainSpider) -> None:
        assert self.run is not None
        assert self.engine is not None
        spider.fulfilled_by = self.run.fulfilled_by
        self.history = await asyncio.to_thread(opening.history, self.engine, self.run)
        sizes = {key: seen[-1] for key, seen in self.history.categories.items() if seen}
        spider.walker.known_sizes = sizes
        if spider.probe:
            spider.walker.plan = await asyncio.to_thread(probes.plan, self.engine, self.run, sizes)
        spider.walker.proven_before = frozenset(category.key for category in self.run.adopted if is_proven(category))
        if spider.asks_barcodes:
            known = await asyncio.to_thread(barcodes.known, self.engine, self.run.company_id, self.now())
            spider.barcodes_known = known
        known_skus = functools.partial(companies.known_skus, self.engine, self.run.company_id)
        self.staging.begin(spider, StagingWriter.of(self.engine, self.run, batch=1000, buffer=3000), known_skus)
        every = self.crawler.settings.getfloat("HEARTBEAT_SECONDS")
        self.lease = LeaseKeeper(self.heartbeat, self.lost, every=every, lasts=self.run.lease_seconds)
        self.lease.start()

    def heartbeat(self) -> Callable[[], None]:
        """What writes a heartbeat, with the categories whose rows are staged by now."""
        assert self.engine is not None
        assert self.run is not None
        return functools.partial(opening.heartbeat, self.engine, self.run, self.now(), self.staging.ended_and_staged())

    def lost(self, error: CrawlError) -> None:
        """End the crawl: the store may be another's."""
        self.exceptions.append(str(error))
        assert self.crawler.stats is not None
        self.crawler.stats.set_value(f"splitcart/run/{error.reason}", 1)
        self.staging.give_up(str(error))
        Gate.of(self.crawler).shut(error)

    def spider_error(self, failure: Failure) -> None:
        """An exception in a callback, in start() or in a pipeline is no mere log line."""
        self.exceptions.append(f"{type(failure.value).__name__}: {failure.value}")

    # Closing ---------------------------------------------------------------------------------------------------

    async def closed(self, spider: ChainSpider, reason: str) -> None:
        """Judge and publish; whatever goes wrong here is said in the exit code, too."""
        if self.lease is not None:
            self.lease.stop()
        if self.run is None:
            outcome.say_unless_said(self.crawler, "failed", f"the run could not be opened ({reason})")
            return
        if self.lease is not None and self.lease.error is not None:
            await self.part(self.lease.error)
            return
        try:
            await self.staging.end_staging()
            judged, published = await asyncio.to_thread(self.conclude, spider, reason, self.now())
            engines.check_file(self.engine)
            outcome.say(self.crawler, judged.status, judged.reason, judged, published)
        except Exception as error:
            logger.exception("Run %s could not be concluded", self.run.id)
            told = f"the run could not be concluded: {original(error)}".strip()
            outcome.say(self.crawler, *await asyncio.to_thread(self.give_up, told, self.now()))
        finally:
            if self.engine is not None:
                await asyncio.to_thread(self.engine.dispose)

    async def part(self, error: CrawlError) -> None:
        """End a run that has lost its lease, where the database answers soon; the exit code does not wait for it."""
        assert self.engine is not None
        why = f"{error.reason}: {error}"
        try:
            await asyncio.wait_for(apart(self.give_up, why, self.now()), LAST_WORD)
            self.engine.dispose()
        except TimeoutError:
            logger.error("The run stays open until its lease ends: the database does not answer")
        outcome.say(self.crawler, "failed", why)

    def conclude(self, spider: ChainSpider, reason: str, now: datetime) -> tuple[Verdict, Published | None]:
        """The verdict, and what it changed."""
        assert self.run is not None
        assert self.engine is not None
        measured = self.measured(spider, now)
        adopted = [category for category in self.run.adopted if category.key not in spider.walker.walks]
        categories = [*adopted, *(walk.category() for walk in spider.walker.walks.values())]
        barcodes.into_staging(self.engine, self.run, self.staging.barcodes)
        judged = verdict(reason, measured, categories, self.history, self.gates(), now=now)
        exceptions = self.exceptions + self.staging.errors
        counts = outcome.figures(self.crawler, measured, self.run.started_at, now, exceptions)
        by = spider.answered_for
        ending = Ending(verdict=judged, now=now, categories=categories, answered_for=by, counts=counts)
        published: Published | None = self.finisher(judged)(self.engine, self.run, ending)
        self.learn(spider, judged, now)
        return judged, published

    def learn(self, spider: ChainSpider, judged: Verdict, now: datetime) -> None:
        """Keep what later runs may use. The run has ended by now: a failure here does not change how."""
        assert self.run is not None
        assert self.engine is not None
        try:
            barcodes.remember(self.engine, self.run, self.staging.barcodes, now)
            if spider.accept_fulfilment and judged.publishes != "nothing":
                stores.learn_fulfilment(self.engine, self.run, spider.answered_for)
        except SQLAlchemyError:
            logger.exception("What run %s learnt could not be kept", self.run.id)

    def give_up(self, why: str, now: datetime) -> tuple[str, str]:
        """End the run as failed where the database lets us, so that the next crawl need not wait for its lease.

        Its status and reason: those of an ending that was committed though the answer was lost for good, where it was.
        """
        assert self.run is not None
        assert self.engine is not None
        failed, told = Verdict("failed", why, "nothing", {}), {"exceptions": self.exceptions[:10]}
        try:
            try:
                opening.finish(self.engine, self.run, Ending(verdict=failed, now=now, counts=told))
            except opening.LeaseLost:
                logger.info("Run %s has ended or is another's by now", self.run.id)
                endings.let_go(self.engine, self.run)
                ended = endings.ended_as(self.engine, self.run)
                engines.check_file(self.engine)  # what was committed to a file that is gone tells nothing
                return ended or ("failed", why)
        except (SQLAlchemyError, StorageError) as error:
            logger.error("Run %s stays open until its lease ends: %s", self.run.id, original(error))
        return "failed", why

    def finisher(self, judged: Verdict) -> Callable[..., Any]:
        return opening.finish if judged.publishes == "nothing" else publishing.publish

    def measured(self, spider: ChainSpider, now: datetime) -> Counts:
        """The counts that the verdict judges: those of the pipeline, of the database, and the first error."""
        assert self.run is not None
        assert self.engine is not None
        totals = self.staging.totals
        return replace(
            opening.measure(self.engine, self.run),
            accepted=totals.accepted if totals else -1,
            quarantined=totals.quarantined if totals else 0,
            unnamed=self.staging.unnamed,
            requested=bool(spider.wanted or spider.probe),
            crosses_flip=crosses(spider.flip, self.run.timezone, self.run.started_at, now),
            error=self.worst(),
            drops=outcome.drops(self.crawler),
        )

    def worst(self) -> str | None:
        """The error that the verdict judges, as `reason: what happened`."""
        if error := Gate.of(self.crawler).error:
            return f"{error.reason}: {error}"
        return f"failed: {self.exceptions[0]}" if self.exceptions else None

    def gates(self) -> Gates:
        """The quality gates, from setting RUN_GATES."""
        return Gates.of(self.crawler.settings.getdict("RUN_GATES"))
