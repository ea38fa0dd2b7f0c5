"""How a run ends: its status, reason and figures."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from models.database.retry import retried
from models.runs.categories import record
from models.runs.leases import count_failure, free
from models.runs.run import Run, check_token
from models.tables import crawl_runs, stores
from splitcart.runs.verdict import Category, Verdict, code_of


def finish(
    engine: Engine,
    run: Run,
    verdict: Verdict,
    categories: Sequence[Category],
    *,
    answered_for: str | None,
    counts: Any,
    now: datetime,
) -> None:
    """Ends a run that publishes nothing: status, reason and figures; its staging stays for `prune`.

    Raises LeaseLost. Calling it again after it was committed changes nothing.
    """

    def work() -> None:
        with engine.begin() as connection:
            if has_ended(connection, run, verdict):
                return
            check_token(connection, run)
            end(connection, run, verdict, categories, answered_for=answered_for, counts=counts, now=now)
            if run.store_id is not None and code_of(verdict.reason) != "requested":
                count_failure(connection, run.store_id, now, run.failure_delay)
            elif run.store_id is not None:
                free(connection, run.store_id)

    retried(engine, work, what=f"finishing run {run.id}")


def has_ended(connection: Connection, run: Run, verdict: Verdict) -> bool:
    """Whether an earlier try of the same ending was committed though its answer was lost."""
    row = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run.id)).one_or_none()
    ended = (row.counts or {}).get("ended_by") if row is not None else None
    return row is not None and row.status == verdict.status and ended == run.token


def ended_as(engine: Engine, run: Run) -> tuple[str, str] | None:
    """Status and reason by which we ended the run ourselves; None where it goes on, or another ended it."""

    def work() -> tuple[str, str] | None:
        with engine.connect() as connection:
            row = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run.id)).one_or_none()
        if row is None or row.status == "running" or (row.counts or {}).get("ended_by") != run.token:
            return None
        return str(row.status), str(row.reason)

    return retried(engine, work, what=f"reading how run {run.id} ended")


def let_go(engine: Engine, run: Run) -> None:
    """Frees the store of a run that we cannot end any more, where the store's lease is still ours."""

    def work() -> None:
        with engine.begin() as connection:
            held = (stores.c.id == run.store_id, stores.c.lease_token == run.token)
            freed = {"scheduled_at": None, "lease_until": None, "lease_token": None}
            connection.execute(update(stores).where(*held).values(**freed))

    if run.store_id is not None:
        retried(engine, work, what=f"letting go of the store of run {run.id}")


def end(
    connection: Connection,
    run: Run,
    verdict: Verdict,
    categories: Sequence[Category],
    *,
    answered_for: str | None,
    counts: Any,
    now: datetime,
    **values: Any,
) -> None:
    """Writes how the run ended, with its categories; the lease ends with it."""
    record(connection, run.id, categories, now, alone=verdict.publishes == "all")
    told = dict(asdict(counts) if is_dataclass(counts) and not isinstance(counts, type) else counts)
    connection.execute(
        update(crawl_runs)
        .where(crawl_runs.c.id == run.id)
        .values(
            status=verdict.status,
            reason=verdict.reason,
            finished_at=now,
            lease_token=None,
            lease_until=None,
            answered_for=answered_for,
            counts=told | {"ended_by": run.token},
            figures=dict(verdict.figures),
            skipped_roots=told.get("skipped_roots"),
            **values,
        )
    )
