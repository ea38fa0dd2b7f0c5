"""Writes a crawl's rows to staged_items from a thread of its own. The event loop never waits for the database."""

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, Engine, text

from models import bulk
from models.dialect import is_postgres
from models.errors import StorageError
from models.quarantine import Poison, quarantine
from models.retry import delays, is_poison, is_transient, original
from models.run import Run, hold_lease
from models.staged_rows import COLUMNS, staged_row
from models.tables import staged_items

logger = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
"""A batch that does not fill is written after this long, so that a kill loses little."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the rows of one run, those of the walks it adopted included."""

    accepted: int
    staged: int
    quarantined: int
    error: str | None
    """Why the writer gave up; None when every accepted row is staged or quarantined."""


class StagingWriter:
    """`start()`, `await put(row)` for each row, `await close()`; one writer a run, used from one event loop.

    Rows are kept until the commit that holds them succeeds. A lost database is tried again with a growing delay for
    `patience` seconds; after that the writer gives up: `error` says why, further rows are counted and let go, and the
    totals do not add up, so that the run cannot be complete. A row that the database refuses goes to quarantined_items.
    With `token` each batch proves the lease: a process that slept while its run was abandoned or taken over writes
    nothing, else it would overwrite the rows of the one that goes on with the walk.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        *,
        token: str | None = None,
        adopted: int = 0,
        batch: int = 2000,
        buffer: int = 10000,
        patience: float = 300.0,
    ) -> None:
        self.engine, self.run_id, self.token, self.adopted = engine, run_id, token, adopted
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
        """The writer of a run in hand, with the rows of the walk that it goes on with."""
        return cls(engine, run.id, token=run.token, adopted=run.adopted_rows, **options)

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
        """Writes what is left, ends the thread and tells what became of the rows. May be called again."""
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
            seq = self._patiently(self._adopt)
            while not self._given_up and (batch := self._take()):
                work, tries = _Plain(self.run_id, seq, batch), itertools.count()
                self._patiently(lambda rows=work, tries=tries: self._write(rows, next(tries)))  # type: ignore[misc]
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

    def _adopt(self) -> int:
        """The first free seq; rows of the walks that this run goes on with count as accepted, staged or refused.

        Where fewer are there than were adopted, a crash emptied the staging meanwhile: the totals must not add up.
        """
        with self.engine.connect() as connection:
            sql = "SELECT count(*), coalesce(max(seq), -1) FROM {} WHERE run_id = :run"
            tables = ("staged_items", "quarantined_items")
            found = [connection.execute(text(sql.format(table)), {"run": self.run_id}).one() for table in tables]
        (staged, last), (refused, latest) = found
        self.accepted += max(staged + refused, self.adopted)
        self.staged += staged
        self.quarantined += refused
        return int(max(last, latest)) + 1

    def _write(self, rows: "_Plain", failures: int) -> None:
        """Commits the rows, bisecting where some are refused. Repeating it after any failure changes nothing."""
        if not failures and self._write_plainly(rows):
            return
        poison: list[Poison] = []
        with self.engine.begin() as connection:
            self._hold(connection)
            sql = "DELETE FROM staged_items WHERE run_id = :run AND seq BETWEEN :first AND :last"
            span = {"run": self.run_id, "first": rows.first, "last": rows.first + len(rows) - 1}
            connection.execute(text(sql), span)  # an earlier try may have committed before the connection was lost
            self._insert(connection, rows, poison)
            quarantine(connection, self.run_id, span["first"], span["last"], poison)
        self.staged += len(rows) - len(poison)
        self.quarantined += len(poison)

    def _write_plainly(self, rows: "_Plain") -> bool:
        """Commits the rows where none is refused, as in most batches: nothing is asked or prepared for another case."""
        try:
            with self.engine.begin() as connection:
                if is_postgres(connection):  # the table is not logged: there is nothing to wait for
                    connection.execute(text("SET LOCAL synchronous_commit TO off"))
                self._hold(connection)
                bulk.insert(connection, staged_items, COLUMNS, rows)
        except Exception as error:
            if not is_poison(error):
                raise
            return False
        self.staged += len(rows)
        return True

    def _hold(self, connection: Connection) -> None:
        if self.token is not None:
            hold_lease(connection, self.run_id, self.token)

    def _insert(self, connection: Any, rows: "_Plain", poison: list[Poison]) -> None:
        try:
            with connection.begin_nested():
                bulk.insert(connection, staged_items, COLUMNS, rows)
        except Exception as error:
            if not is_poison(error):
                raise
            if len(rows) == 1:
                poison.append(Poison(rows.first, rows.items[0], str(original(error)).strip()))
                return
            half = len(rows) // 2
            self._insert(connection, rows.part(0, half), poison)
            self._insert(connection, rows.part(half, len(rows)), poison)


class _Plain(Sequence[bulk.Row]):
    """The rows as the database takes them, made when they are asked for: while the server works on those before."""

    def __init__(self, run_id: int, first: int, items: Sequence[dict[str, Any]]) -> None:
        self.run_id, self.first, self.items = run_id, first, items
        """`first`: the seq of the first of them; the others follow."""

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, part: Any) -> Any:
        if isinstance(part, slice):
            begin = self.first + range(len(self.items))[part].start
            return [staged_row(self.run_id, seq, row) for seq, row in enumerate(self.items[part], begin)]
        return staged_row(self.run_id, self.first + range(len(self.items))[part], self.items[part])

    def part(self, begin: int, end: int) -> "_Plain":
        """Some of them, with the seqs they have."""
        return _Plain(self.run_id, self.first + begin, self.items[begin:end])
