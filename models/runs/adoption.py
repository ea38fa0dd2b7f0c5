"""Going on with a walk that broke off: which run may be adopted, and what of it need not be walked again."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from models.runs.categories import as_categories
from models.stores.companies import Target
from models.tables import crawl_run_categories, crawl_runs, quarantined_items, staged_items
from splitcart.periods import Flip, crosses
from splitcart.runs.verdict import Category, code_of

MOST = timedelta(hours=6)
"""Walks further apart are no picture of one moment."""

_RESUMABLE = ("running", "partial", "blocked")


def candidate(connection: Connection, company_id: int, target: Target, now: datetime) -> Any:
    """The store's latest run, when its walk may be gone on with; else None.

    It broke off within 6 hours and before no specials flip, was neither limited on request nor rolled back, and all its
    staging is there.
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
    return run if _whole(connection, run.id) else None


def _whole(connection: Connection, run_id: int) -> int:
    """How many rows the walk staged, refused ones included; 0 unless every one of them is there.

    PostgreSQL empties unlogged tables after a crash of its own, and the run's categories, which are logged, would go on
    saying that they were seen.
    """
    staged = select(func.count(), func.max(staged_items.c.seq)).where(staged_items.c.run_id == run_id)
    refused = select(func.count(), func.max(quarantined_items.c.seq)).where(quarantined_items.c.run_id == run_id)
    rows, last = connection.execute(staged).one()
    more, latest = connection.execute(refused).one()
    if rows == 0 or rows + more != max(last, -1 if latest is None else latest) + 1:
        return 0
    return int(rows + more)


def walked(connection: Connection, run_id: int) -> tuple[tuple[Category, ...], int]:
    """The categories of the run whose walk came to its end, and its rows; nothing where some of its rows are gone."""
    rows = _whole(connection, run_id)
    if not rows:
        return (), 0
    table = crawl_run_categories.c
    wanted = select(crawl_run_categories).where(table.run_id == run_id, table.status.in_(("complete", "capped")))
    return as_categories(connection.execute(wanted.order_by(table.key))), rows
