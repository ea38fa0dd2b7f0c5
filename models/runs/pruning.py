"""Deletes staging and quarantine after a while. History, runs and membership periods are kept for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, Table, delete, func, or_, select

from models.tables import crawl_runs, quarantined_items, staged_items

STAGING = timedelta(days=2)
QUARANTINE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows that were deleted, or that would be."""

    staged: int
    quarantined: int


def prune(
    engine: Engine,
    now: datetime,
    *,
    staging: timedelta = STAGING,
    quarantine: timedelta = QUARANTINE,
    dry: bool = False,
) -> Pruned:
    """Deletes the staging of runs that ended before `now - staging`, or are unknown, and older quarantined rows.

    One transaction a run, so that none is long. A running run keeps its staging. With `dry` it counts only.
    """
    staged = 0
    for run_id in _ended(engine, now - staging):
        staged += _remove(engine, staged_items, staged_items.c.run_id == run_id, dry)
    old = quarantined_items.c.created_at < now - quarantine
    return Pruned(staged, _remove(engine, quarantined_items, old, dry))


def _ended(engine: Engine, before: datetime) -> list[int]:
    ended = or_(crawl_runs.c.finished_at < before, crawl_runs.c.id.is_(None))
    joined = staged_items.outerjoin(crawl_runs, crawl_runs.c.id == staged_items.c.run_id)
    with engine.connect() as connection:
        wanted = select(staged_items.c.run_id).select_from(joined).where(ended).distinct()
        return sorted(connection.execute(wanted).scalars())


def _remove(engine: Engine, table: Table, which: ColumnElement[bool], dry: bool) -> int:
    if dry:
        with engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(which)).scalar_one())
    with engine.begin() as connection:
        return connection.execute(delete(table).where(which)).rowcount
