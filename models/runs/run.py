"""A run of this process: the id of its row, and the token that proves that the lease is ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, update

from models.errors import LeaseLost
from models.runs.leases import FAILURE_DELAY
from models.tables import crawl_runs, stores
from splitcart.runs.verdict import Category


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose lease we hold."""

    id: int
    token: str
    company_id: int
    store_code: str
    store_id: int | None
    """Null until the first publish makes the store's row."""
    fulfilled_by: str | None
    timezone: str
    started_at: datetime
    lease_seconds: int
    resumed: tuple[Category, ...] = ()
    """Where it was resumed: the categories that its earlier walk finished, whose rows are staged already."""
    resumed_rows: int = 0
    """How many rows that walk staged, refused ones included."""
    failure_delay: timedelta = FAILURE_DELAY
    """How long its store waits after a first failure."""


def lock_run(connection: Connection, run: Run) -> None:
    """Locks the run's row. Raises LeaseLost unless the run is running under our token."""
    if not connection.execute(select(crawl_runs.c.id).where(*_is_ours(run)).with_for_update()).all():
        raise _lost(connection, run)


def write_run(connection: Connection, run: Run, **values: Any) -> None:
    """Writes columns of the run's row, which locks it. Raises LeaseLost unless the run is running under our token."""
    if connection.execute(update(crawl_runs).where(*_is_ours(run)).values(**values)).rowcount != 1:
        raise _lost(connection, run)


def _is_ours(run: Run) -> tuple[ColumnElement[bool], ...]:
    return crawl_runs.c.id == run.id, crawl_runs.c.lease_token == run.token, crawl_runs.c.status == "running"


def _lost(connection: Connection, run: Run) -> LeaseLost:
    return LeaseLost(run.id, connection.execute(select(crawl_runs.c.status).where(crawl_runs.c.id == run.id)).scalar())


def hold_lease(connection: Connection, run_id: int, token: str) -> None:
    """Locks the run's row in share mode, so that taking it over waits for this transaction. Raises LeaseLost."""
    run = crawl_runs.c
    mine = select(run.id).where(run.id == run_id, run.lease_token == token, run.status == "running")
    if not connection.execute(mine.with_for_update(read=True)).all():
        raise LeaseLost(run_id, connection.execute(select(run.status).where(run.id == run_id)).scalar())


def not_rolled_back(status: str, *of: ColumnElement[bool]) -> Select[Any]:
    """SELECT of the runs that ended with this status and were not rolled back, the latest first."""
    run = crawl_runs.c
    wanted = select(crawl_runs).where(*of, run.status == status, run.rolled_back_at.is_(None))
    return wanted.order_by(run.finished_at.desc(), run.id.desc())


def last_complete_runs(company_id: int) -> Select[Any]:
    """SELECT of store_code and counts of each store's last complete run that was not rolled back; null without one.

    One look-up by index for each store, so that it takes as long after years of runs as after the first ones.
    """
    run, store = crawl_runs.c, stores.c
    complete = (run.company_id == store.company_id, run.store_code == store.store_code, run.status == "complete")
    last = (
        select(run.counts)
        .where(*complete, run.rolled_back_at.is_(None))
        .order_by(run.finished_at.desc(), run.id.desc())
    )
    counts = last.limit(1).correlate(stores).scalar_subquery()
    return select(store.store_code, counts.label("counts")).where(store.company_id == company_id)
