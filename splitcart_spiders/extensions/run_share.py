"""Gives each run its share of the fleet's rate: HOST_RATE over the live runs of its chain."""

import asyncio
import logging
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from sqlalchemy.exc import SQLAlchemyError

from models.errors import StorageError
from models.runs import leases
from models.runs.opening import Run
from splitcart_spiders.extensions.owner import RunOwner
from splitcart_spiders.extensions.threads import in_daemon_thread
from splitcart_spiders.middlewares import is_dev, manners_on
from splitcart_spiders.middlewares.host_rate import HostRate

logger = logging.getLogger(__name__)

HOLD = 1.25
"""Heartbeats that a run waits when others are live: by then each of them has read its smaller share."""


class ShareExtension:
    """Reads the share when the run is open, and again with every heartbeat.

    The sum never exceeds HOST_RATE: a run that finds others live sends nothing until they have made room for it.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not manners_on(crawler.settings, dev=is_dev(crawler.spider)):
            raise NotConfigured  # in dev without POLITE=1
        self.crawler = crawler
        self.rate = HostRate.of(crawler)
        self.heartbeat = crawler.settings.getfloat("HEARTBEAT_SECONDS", 30)
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        # By then the run is open, and nothing has been sent.
        crawler.signals.connect(extension.started, signal=signals.engine_started)
        crawler.signals.connect(extension.closed, signal=signals.spider_closed)
        return extension

    async def started(self) -> None:
        """Read the first share, and wait if others must make room."""
        owner = self.crawler.get_extension(RunOwner)
        if owner is None or owner.run is None:
            return
        if await self.take(owner, owner.run) > 1:
            self.rate.hold(HOLD * self.heartbeat)
        self.task = asyncio.ensure_future(self.follow(owner, owner.run))

    async def follow(self, owner: RunOwner[Any], run: Run) -> None:
        """Read the share with every heartbeat; if the database cannot be read, the last one stays in force."""
        while True:
            await asyncio.sleep(self.heartbeat)
            try:
                await self.take(owner, run)
            except (SQLAlchemyError, StorageError) as error:
                logger.warning("The share of run %s could not be read: %s", run.id, error)

    async def take(self, owner: RunOwner[Any], run: Run) -> int:
        """Set the share. Returns how many runs are live, this one included."""
        now = owner.now()
        live = max(1, await in_daemon_thread(leases.live_runs, owner.engine, run.company_id, now))
        self.rate.share = 1 / live
        return live

    def closed(self) -> None:
        """Read no more: nothing will be sent."""
        if self.task is not None:
            self.task.cancel()
