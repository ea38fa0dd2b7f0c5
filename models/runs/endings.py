"""How a run ends: its verdict, its categories and its counts, and the store that it frees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from models.database.retry import retried
from models.runs.categories import record
from models.runs.leases import count_failure, free
from models.runs.run import Run, lock_run
from models.tables import crawl_runs, stores
from splitcart.runs.verdict import Category, Verdict, code_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a run ends with."""

    verdict: Verdict
    now: datetime
    """When it ends."""
    categories: Sequence[Category] = ()
    """The categories that it walked, and those of the walk that it resumed."""
    answered_for: str | None = None
    """The code of the store that the chain answered for; null where no answer names one."""
    counts: Mapping[str, Any] = field(default_factory=dict)
    """Kept with the run, as JSON: the fields of splitcart.runs.facts.Counts, and others. `staged` is the number of rows
    that publishing must find staged."""

    @property
    def is_complete(self) -> bool:
        """Whether it stands for the whole store, so that what it did not see is absent."""
        return self.verdict.publishes == "all"

    @property
    def is_requested(self) -> bool:
        """Whether the operator asked for a part of the store, which is no failure."""
        return code_of(self.verdict.reason) == "requested"


def finish(engine: Engine, run: Run, ending: Ending) -> None:
    """Ends a run that publishes nothing: status, reason and counts; its staging stays for `prune`.

    Raises LeaseLost. Calling it again after it was committed changes nothing.
    """

    def work() -> None:
        with engine.begin() as connection:
            if has_ended(connection, run, ending.verdict):
                return
            lock_run(connection, run)
            end(connection, run, ending)
            if run.store_id is None:
                return
            if ending.is_requested:
                free(connection, run.store_id)
            else:
                count_failure(connection, run.store_id, ending.now, run.failure_delay)

    retried(engine, work, what=f"finishing run {run.id}")


def has_ended(connection: Connection, run: Run, verdict: Verdict) -> bool:
    """Whether an earlier try of the same ending was committed, though its connection was lost before it returned."""
    ours = (crawl_runs.c.id == run.id, crawl_runs.c.ended_by == run.token, crawl_runs.c.status == verdict.status)
    return connection.execute(select(crawl_runs.c.id).where(*ours)).first() is not None


def ended_as(engine: Engine, run: Run) -> tuple[str, str] | None:
    """Status and reason by which we ended the run ourselves; None where it is running, or another ended it."""
    ours = (crawl_runs.c.id == run.id, crawl_runs.c.ended_by == run.token, crawl_runs.c.status != "running")

    def work() -> tuple[str, str] | None:
        with engine.connect() as connection:
            row = connection.execute(select(crawl_runs.c.status, crawl_runs.c.reason).where(*ours)).one_or_none()
        return None if row is None else (str(row.status), str(row.reason))

    return retried(engine, work, what=f"reading how run {run.id} ended")


def release_store(engine: Engine, run: Run) -> None:
    """Frees the store of a run that we cannot end any more, where the store's lease is still ours."""

    def work() -> None:
        with engine.begin() as connection:
            ours = (stores.c.id == run.store_id, stores.c.lease_token == run.token)
            freed = {"scheduled_at": None, "lease_until": None, "lease_token": None}
            connection.execute(update(stores).where(*ours).values(**freed))

    if run.store_id is not None:
        retried(engine, work, what=f"letting go of the store of run {run.id}")


def end(connection: Connection, run: Run, ending: Ending, *, undo: bytes | None = None) -> None:
    """Writes how the run ended, with its categories; the lease ends with it."""
    record(connection, run.id, ending.categories, ending.now, alone=ending.is_complete)
    written = {} if undo is None else {"undo": undo}
    connection.execute(
        update(crawl_runs)
        .where(crawl_runs.c.id == run.id)
        .values(
            status=ending.verdict.status,
            reason=ending.verdict.reason,
            finished_at=ending.now,
            lease_token=None,
            lease_until=None,
            ended_by=run.token,
            answered_for=ending.answered_for,
            counts=dict(ending.counts),
            figures=dict(ending.verdict.figures),
            skipped_roots=ending.counts.get("skipped_roots"),
            **written,
        )
    )
