"""Writes a crawl's rows to staged_items from its own thread. The event loop never waits for the database."""

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, delete, func, select

from models.database import bulk
from models.database.retry import delays, is_poison, is_transient, original
from models.errors import StorageError
from models.runs.run import Run, hold_lease
from models.staging.quarantine import Poison, quarantine
from models.staging.rows import COLUMNS, staged_row
from models.tables import quarantined_items, staged_items

logger = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
"""A batch that does not fill is written after this long, so that a kill loses little."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the rows of one run, those of the walk that it resumed included."""

    accepted: int
    staged: int
    quarantined: int
    error: str | None
    """Why the writer gave up; None when every accepted row is staged or quarantined."""


class StagingWriter:
    """`start()`, `await put(row)` for each row, `await close()`; one writer a run, used from one event loop.

    Rows are kept until the commit that holds them succeeds. A lost database is tried again with a growing delay for
    `patience` seconds; after that the writer gives up: `error` has the reason, further rows are counted and discarded,
    and the totals do not add up, so that the run cannot be complete. A row that the database refuses goes to
    quarantined_items. With `token` each batch proves the lease: a process that slept while its run was abandoned or
    taken over writes nothing, else it would overwrite the rows of the process that resumed the walk.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        *,
        token: str | None = None,
        resumed: int = 0,
        batch: int = 2000,
        buffer: int = 10000,
        patience: float = 300.0,
    ) -> None:
        self.engine, self.run_id, self.token, self.resumed = engine, run_id, token, resumed
        self.batch, self.buffer, self.patience = batch, buffer, patience
        self.error: str | None = None
        self.accepted = self.staged = self.quarantined = 0
        self._rows: deque[dict[str, Any]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._given_up = False
        self._ended = threading.Event()
        self._room: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=f"staging-{run_id}", daemon=True)

    @classmethod
    def of(cls, engine: Engine, run: Run, **options: Any) -> Self:
        """The writer of a run, with the rows of the walk that it resumes."""
        return cls(engine, run.id, token=run.token, resumed=run.resumed_rows, **options)

    def start(self) -> None:
        """Starts the thread; call it on the event loop that will call `put`."""
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._thread.start()

    async def put(self, row: dict[str, Any]) -> None:
        """Takes over one row: the fields of a ProductItem, category_key, is_promo, normalized_key.

        Waits while the buffer is full.
        """
        assert self._room is not None
        while len(self._rows) >= self.buffer and self.error is None:
            self._room.clear()
            if len(self._rows) >= self.buffer and self.error is None:
                await self._room.wait()
        self.accepted += 1
        if self.error is None:
            self._rows.append(row)
            if len(self._rows) >= self.batch:
                self._notify()

    async def close(self) -> Totals:
        """Writes what is left, ends the thread and returns what became of the rows. May be called again."""
        self._closing = True
        self._notify()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._ended.wait)
        return Totals(self.accepted, self.staged, self.quarantined, self.error)

    def give_up(self, why: str) -> None:
        """Writes nothing more, for a run that has lost its store or its database; `close` no longer waits.

        A statement that the database never answers stays behind in the thread, which ends with the process.
        """
        self.error, self._given_up = self.error or why, True
        with self._wake:
            self._wake.notify_all()
        self._ended.set()
        if self._room is not None:
            self._room.set()

    def _notify(self) -> None:
        # The lock is only ever held for the instant of a wake-up, never while the thread writes.
        with self._wake:
            self._wake.notify()

    def _run(self) -> None:
        try:
            seq = self._patiently(self._count_earlier)
            while not self._given_up and (batch := self._take()):
                self._patiently(partial(self._write, seq, batch))
                seq += len(batch)
                self._forget(len(batch))
        except StorageError as error:
            logger.error("Staging of run %s gave up: %s", self.run_id, error)
            self.error = self.error or str(error)
        except Exception as error:
            logger.exception("Staging of run %s gave up", self.run_id)
            self.error = self.error or f"{type(error).__name__}: {original(error)}".strip()
        finally:
            self._forget(len(self._rows))
            self._ended.set()

    def _take(self) -> list[dict[str, Any]]:
        """The next batch, left in the buffer until it is committed; empty when all is written and we close."""
        with self._wake:
            while not (self._closing or self._given_up) and len(self._rows) < self.batch:
                if not self._wake.wait(IDLE_SECONDS) and self._rows:
                    break
        return list(itertools.islice(self._rows, self.batch))

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._rows.popleft()
        if self._loop is not None and self._room is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._room.set)

    def _patiently(self, work: Any) -> Any:
        """Repeats `work` while the database is away, for `patience` seconds at most."""
        delay, waited, attempt = delays(last=10.0), 0.0, 0
        while True:
            try:
                return work()
            except Exception as error:
                if self._given_up or not is_transient(self.engine, error) or waited >= self.patience:
                    raise
                logger.warning("Staging of run %s waits for the database: %s", self.run_id, original(error))
                with self._wake:
                    self._wake.wait_for(lambda: self._given_up, timeout=delay(attempt))
                waited, attempt = waited + delay(attempt), attempt + 1

    def _count_earlier(self) -> int:
        """The first free seq; rows of the walk that this run resumes count as accepted, staged or refused.

        If there are fewer than it had staged, a crash has emptied the staging since: the totals must not add up.
        """
        with self.engine.connect() as connection:
            staged, last = self._count(connection, staged_items)
            refused, latest = self._count(connection, quarantined_items)
        self.accepted += max(staged + refused, self.resumed)
        self.staged += staged
        self.quarantined += refused
        return max(last, latest) + 1

    def _count(self, connection: Connection, table: Table) -> tuple[int, int]:
        """How many rows of the run a table has, and their greatest seq (-1 for none)."""
        found = select(func.count(), func.coalesce(func.max(table.c.seq), -1)).where(table.c.run_id == self.run_id)
        count, last = connection.execute(found).one()
        return int(count), int(last)

    def _write(self, first: int, items: Sequence[dict[str, Any]]) -> None:
        """Commits the rows, from seq `first` on, without those that are refused. Repeating it changes nothing."""
        poison: list[Poison] = []
        last = first + len(items) - 1
        earlier = (staged_items.c.run_id == self.run_id, staged_items.c.seq.between(first, last))
        with self.engine.begin() as connection:
            self._hold(connection)
            connection.execute(delete(staged_items).where(*earlier))  # a try whose commit succeeded, its answer lost
            self._insert(connection, first, items, poison)
            quarantine(connection, self.run_id, first, last, poison)
        self.staged += len(items) - len(poison)
        self.quarantined += len(poison)

    def _hold(self, connection: Connection) -> None:
        if self.token is not None:
            hold_lease(connection, self.run_id, self.token)

    def _insert(
        self, connection: Connection, first: int, items: Sequence[dict[str, Any]], poison: list[Poison]
    ) -> None:
        """Inserts the rows; where some are refused, each half again, down to the single refused row."""
        try:
            rows = [staged_row(self.run_id, seq, item) for seq, item in enumerate(items, first)]
            with connection.begin_nested():
                bulk.insert(connection, staged_items, COLUMNS, rows)
        except Exception as error:
            if not is_poison(error):
                raise
            if len(items) == 1:
                poison.append(Poison(first, items[0], str(original(error)).strip()))
                return
            half = len(items) // 2
            self._insert(connection, first, items[:half], poison)
            self._insert(connection, first + half, items[half:], poison)
