"""Keeps a run's lease alive while it crawls, and ends the crawl once the lease is lost."""

import asyncio
import logging
import time
from collections.abc import Callable

from models.database.retry import original
from models.errors import DatabaseReplaced, LeaseLost
from splitcart_spiders.errors import CrawlError, DatabaseLost, StoreLost
from splitcart_spiders.extensions.threads import in_daemon_thread

logger = logging.getLogger(__name__)

LEAST = 2.0
"""Seconds that a heartbeat may take at least, however short the lease is."""


class LeaseKeeper:
    """A heartbeat every `every` seconds; `lost` is called once, with the reason, when the crawl must end.

    The lease is lost at once when another run has taken the run or its store, or the database's file is gone. While the
    database does not answer, heartbeats are retried for as long as the lease lasts, and no longer: after that another
    run may take the store, and the fleet no longer counts this run in its rate.
    """

    def __init__(
        self,
        beat: Callable[[], Callable[[], None]],
        lost: Callable[[CrawlError], None],
        *,
        every: float,
        lasts: float,
    ) -> None:
        self.beat, self.lost, self.every, self.lasts = beat, lost, every, lasts
        """`beat` is called on the event loop; what it returns writes one heartbeat and may block."""
        self.error: CrawlError | None = None
        """Why the lease is lost; None while it is held."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the heartbeats; to be called on the event loop."""
        self._task = asyncio.ensure_future(self._keep())

    def stop(self) -> None:
        """Send no further heartbeat. The task never waits for the close of the spider, which may wait for this."""
        if self._task is not None:
            self._task.cancel()

    async def _keep(self) -> None:
        held = time.monotonic()
        while self.error is None:
            await asyncio.sleep(self.every)
            began = time.monotonic()
            try:
                await asyncio.wait_for(in_daemon_thread(self.beat()), max(LEAST, held + self.lasts - began))
                held = began
            except LeaseLost as lost:
                self._end(StoreLost(str(lost)))
            except DatabaseReplaced as replaced:
                self._end(DatabaseLost(str(replaced)))
            except Exception as error:
                why, since = str(original(error)).strip() or "it does not answer", time.monotonic() - held
                logger.warning("A heartbeat failed, %.0f s after the last one that did not", since, exc_info=True)
                if since >= self.lasts:
                    self._end(DatabaseLost(f"no heartbeat has reached the database for {since:.0f} s: {why}"))

    def _end(self, error: CrawlError) -> None:
        self.error = error
        self.lost(error)
