"""Owns the run of one store's crawl: keeps its lease alive, judges it, publishes it or not."""

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from scrapy import signals
from scrapy.crawler import Crawler
from sqlalchemy.exc import SQLAlchemyError

from models.errors import ClockWrong, SchemaMismatch, StoreHeld, StoreUnlisted
from models.products import barcodes
from models.publishing import probes, stores
from models.publishing import publish as publishing
from models.publishing.publish import Published
from models.runs import opening
from models.runs.endings import Ending
from models.staging.writer import StagingWriter
from models.stores import companies
from splitcart.periods import crosses
from splitcart.runs.verdict import Counts, Gates, History, Verdict, is_proven, verdict
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.errors import CrawlError
from splitcart_spiders.extensions import listed, outcome
from splitcart_spiders.extensions.lease import LeaseKeeper
from splitcart_spiders.extensions.owner import RunOwner
from splitcart_spiders.extensions.staging import Staging
from splitcart_spiders.extensions.threads import in_daemon_thread
from splitcart_spiders.middlewares.gate import Gate

logger = logging.getLogger(__name__)

LOST_LEASE_TIMEOUT = 5.0
"""Seconds within which a run that has lost its lease must have ended itself in the database."""


class RunExtension(RunOwner[ChainSpider]):
    """One crawl of one store: the lease is kept alive, and the verdict decides what is published."""

    spiders = ChainSpider
    title = "Run"
    lease_setting = "LEASE_SECONDS"
    refusals: ClassVar = {
        StoreHeld: "store_held",
        SchemaMismatch: "schema_mismatch",
        ClockWrong: "clock",
        StoreUnlisted: "unlisted",
    }
    staging: Staging

    def __init__(self, crawler: Crawler, url: str) -> None:
        super().__init__(crawler, url)
        self.staging = Staging()
        self.history = History()
        self.lease: LeaseKeeper | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = super().from_crawler(crawler)
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            crawler.signals.connect(extension.staging.item_done, signal=signal)
        return extension

    # Opening ---------------------------------------------------------------------------------------------------

    async def take(self, spider: ChainSpider) -> opening.Run:
        """The run of this crawl; with `-a wait=1` as soon as the store is free. Raises StoreHeld, StoreUnlisted."""
        assert self.engine is not None
        await listed.check(self.engine, self.crawler, spider)
        while True:
            try:
                return await super().take(spider)
            except StoreHeld as held:
                if not spider.wait:
                    raise
                logger.info("%s; waiting", held)
                await asyncio.sleep(max(1.0, min(30.0, (held.until - self.now()).total_seconds())))

    def open_run(self, spider: ChainSpider, **options: Any) -> opening.Run:
        """Open the run, with what the spider's arguments ask for."""
        delay = timedelta(minutes=self.crawler.settings.getfloat("SCHEDULE_FAILURE_MINUTES"))
        return super().open_run(spider, resume=spider.resume, token=spider.lease, failure_delay=delay, **options)

    async def begin(self, spider: ChainSpider) -> None:
        """Give the spider what earlier runs saw, and start the staging and the heartbeats."""
        assert self.run is not None
        assert self.engine is not None
        spider.fulfilled_by = self.run.fulfilled_by
        self.history = await asyncio.to_thread(opening.history, self.engine, self.run)
        sizes = {key: seen[-1] for key, seen in self.history.categories.items() if seen}
        spider.walker.known_sizes = sizes
        spider.walker.day, spider.walker.gates = self.now().date(), self.gates()
        if spider.probe:
            spider.walker.plan = await asyncio.to_thread(probes.plan, self.engine, self.run, sizes)
        proven = (category.key for category in self.run.resumed if is_proven(category, self.gates()))
        spider.walker.proven_before = frozenset(proven)  # a capped one is walked again, for the sake of its children
        if spider.asks_barcodes:
            known = await asyncio.to_thread(barcodes.known, self.engine, self.run.company_id, self.now())
            spider.barcodes_known = known
        known_skus = functools.partial(companies.known_skus, self.engine, self.run.company_id)
        self.staging.begin(spider, StagingWriter.of(self.engine, self.run, batch=1000, buffer=3000), known_skus)
        every = self.crawler.settings.getfloat("HEARTBEAT_SECONDS")
        self.lease = LeaseKeeper(self.heartbeat, self.lost, every=every, lasts=self.run.lease_seconds)
        self.lease.start()

    def heartbeat(self) -> Callable[[], None]:
        """A function that writes a heartbeat, with the categories whose rows are staged by now."""
        assert self.engine is not None
        assert self.run is not None
        return functools.partial(opening.heartbeat, self.engine, self.run, self.now(), self.staging.ended_and_staged())

    def lost(self, error: CrawlError) -> None:
        """End the crawl: another run may have the store."""
        self.exceptions.append(str(error))
        assert self.crawler.stats is not None
        self.crawler.stats.set_value(f"splitcart/run/{error.reason}", 1)
        self.staging.give_up(str(error))
        Gate.of(self.crawler).shut(error)

    # Closing ---------------------------------------------------------------------------------------------------

    async def closed(self, spider: ChainSpider, reason: str) -> None:
        """End the run; one that has lost its lease publishes nothing."""
        if self.lease is not None:
            self.lease.stop()
        if self.lease is not None and self.lease.error is not None:
            await self.end_after_lost_lease(self.lease.error)
        else:
            await super().closed(spider, reason)

    async def end_after_lost_lease(self, error: CrawlError) -> None:
        """End a run that has lost its lease, if the database answers in time. The exit code does not depend on that."""
        assert self.engine is not None
        why = f"{error.reason}: {error}"
        try:
            await asyncio.wait_for(in_daemon_thread(self.give_up, why, self.now()), LOST_LEASE_TIMEOUT)
            self.engine.dispose()
        except TimeoutError:
            logger.error("The run stays open until its lease ends: the database does not answer")
        outcome.report(self.crawler, "failed", why)

    def conclude(self, spider: ChainSpider, reason: str, now: datetime) -> tuple[Verdict, Published | None]:
        """The verdict, and what it changed."""
        assert self.run is not None
        assert self.engine is not None
        measured = self.measured(spider, now)
        resumed = [category for category in self.run.resumed if category.key not in spider.walker.walks]
        categories = [*resumed, *(walk.category() for walk in spider.walker.walks.values())]
        barcodes.into_staging(self.engine, self.run, self.staging.barcodes)
        judged = verdict(reason, measured, categories, self.history, self.gates(), now=now)
        exceptions = self.exceptions + self.staging.errors
        counts = outcome.figures(self.crawler, measured, self.run.started_at, now, exceptions)
        ending = Ending(verdict=judged, now=now, categories=categories, answered_for=spider.answered_for, counts=counts)
        published: Published | None = self.finisher(judged)(self.engine, self.run, ending)
        self.learn(spider, judged, now)
        return judged, published

    def learn(self, spider: ChainSpider, judged: Verdict, now: datetime) -> None:
        """Store what later runs may use. The run has ended by now: a failure here does not change its outcome."""
        assert self.run is not None
        assert self.engine is not None
        try:
            barcodes.remember(self.engine, self.run, self.staging.barcodes, now)
            if spider.accept_fulfilment and judged.publishes != "nothing":
                stores.learn_fulfilment(self.engine, self.run, spider.answered_for)
        except SQLAlchemyError:
            logger.exception("What run %s learnt could not be kept", self.run.id)

    def finisher(self, judged: Verdict) -> Callable[..., Any]:
        """The function that ends the run: it publishes, or not."""
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
