"""Resuming a walk that broke off: which run may be resumed, and which of its categories need no second walk."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from models.runs.categories import as_categories
from models.stores.companies import Target
from models.tables import crawl_run_categories, crawl_runs, quarantined_items, staged_items
from splitcart.periods import Flip, crosses
from splitcart.runs.verdict import Category, code_of

MOST = timedelta(hours=6)
"""How old a walk may be: prices that are further apart do not belong to one moment."""

_RESUMABLE = ("running", "partial", "blocked")


def resumable_run(connection: Connection, company_id: int, target: Target, now: datetime) -> Any:
    """The store's latest run, where its walk may be resumed; else None.

    It began less than MOST ago and since the last specials flip, was neither limited on request nor rolled back, and
    all its staged rows are there.
    """
    runs = crawl_runs.c
    wanted = select(crawl_runs).where(runs.company_id == company_id, runs.store_code == target.store_code)
    run = connection.execute(wanted.order_by(runs.id.desc()).limit(1)).one_or_none()
    if run is None or run.rolled_back_at is not None or run.status not in _RESUMABLE:
        return None
    if code_of(run.reason or "") == "requested":
        return None
    flip = Flip(target.flip_weekday, target.flip_hour)
    if now - run.started_at > MOST or crosses(flip, target.timezone, run.started_at, now):
        return None
    return run if _rows_of(connection, run.id) else None


def _rows_of(connection: Connection, run_id: int) -> int:
    """How many rows the walk staged, refused ones included; 0 unless every one of them is there.

    PostgreSQL empties unlogged tables after a crash, whereas the run's categories, which are logged, would still be
    recorded as seen.
    """
    staged = select(func.count(), func.max(staged_items.c.seq)).where(staged_items.c.run_id == run_id)
    refused = select(func.count(), func.max(quarantined_items.c.seq)).where(quarantined_items.c.run_id == run_id)
    rows, last = connection.execute(staged).one()
    more, latest = connection.execute(refused).one()
    if rows == 0 or rows + more != max(last, -1 if latest is None else latest) + 1:
        return 0
    return int(rows + more)


def finished_categories(connection: Connection, run_id: int) -> tuple[tuple[Category, ...], int]:
    """The categories that the run walked to their end, and the number of its rows; (), 0 where rows are gone."""
    rows = _rows_of(connection, run_id)
    if not rows:
        return (), 0
    table = crawl_run_categories.c
    wanted = select(crawl_run_categories).where(table.run_id == run_id, table.status.in_(("complete", "capped")))
    return as_categories(connection.execute(wanted.order_by(table.key))), rows
