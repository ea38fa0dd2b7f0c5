"""A run of this process: the id of its row, and the token that proves that the lease is ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from models.errors import LeaseLost
from models.runs.leases import FAILURE_DELAY
from models.stores.listed import EVERY_STORE
from models.tables import crawl_runs
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
    adopted: tuple[Category, ...] = ()
    """Where it was resumed: the categories that its earlier walk finished, whose rows are staged already."""
    adopted_rows: int = 0
    """How many rows that walk staged, refused ones included."""
    failure_delay: timedelta = FAILURE_DELAY
    """How long its store waits after a first failure."""


def check_token(connection: Connection, run: Run, **values: Any) -> None:
    """Locks the run's row, with `values` written to it. Raises LeaseLost unless the run is running under our token."""
    if run.store_id not in (None, values.get("store_id", run.store_id)):
        raise LeaseLost(run.id, "running", f"the row of its store, {run.store_id}, is gone")
    mine = (crawl_runs.c.id == run.id, crawl_runs.c.lease_token == run.token, crawl_runs.c.status == "running")
    if values:
        found = connection.execute(update(crawl_runs).where(*mine).values(**values)).rowcount
    else:
        found = len(connection.execute(select(crawl_runs.c.id).where(*mine).with_for_update()).all())
    if found != 1:
        status = connection.execute(select(crawl_runs.c.status).where(crawl_runs.c.id == run.id)).scalar()
        raise LeaseLost(run.id, status)


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
    """SELECT of the last complete run of each store of a company that was not rolled back; no locator run.

    One statement for all stores. A store's runs never overlap, so its last one has the greatest id: finding that needs
    no sort of the company's runs, as `not_rolled_back` would.
    """
    run = crawl_runs.c
    complete = (run.company_id == company_id, run.status == "complete", run.rolled_back_at.is_(None))
    last = select(func.max(run.id)).where(*complete, run.store_code != EVERY_STORE).group_by(run.store_code)
    return select(run.store_code, run.counts).where(run.id.in_(last))
