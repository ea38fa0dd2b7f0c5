"""When a company's stores were last located, crawled and merged, from which the task that is due next is decided."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from models.scheduling.reading import paused_until
from models.tables import crawl_runs, group_merges
from splitcart.runs.verdict import EVERY_STORE
from splitcart.scheduling.due import Facts


def facts(connection: Connection, company: Any, now: datetime) -> Facts:
    """The facts of a company (a row of companies) at `now`."""
    run = crawl_runs.c
    located, complete = run.store_code == EVERY_STORE, and_(run.status == "complete", run.rolled_back_at.is_(None))
    query = select(
        func.max(run.finished_at).filter(located, complete).label("located_at"),
        func.max(run.finished_at).filter(located, run.status.not_in(("complete", "running"))).label("tried_at"),
        func.max(run.lease_until).filter(located, run.status == "running").label("locating_until"),
        func.max(run.finished_at).filter(~located, complete).label("completed_at"),
    )
    times = connection.execute(query.where(run.company_id == company.id)).one()
    merged = connection.execute(select(group_merges).where(group_merges.c.company_id == company.id)).one_or_none()
    return Facts(
        **times._mapping,
        paused_until=paused_until(connection, company.id, now),
        merged_at=merged.merged_at if merged else None,
        seen_until=merged.seen_until if merged else None,
    )


def last_run(connection: Connection, company_id: int, store_code: str) -> int:
    """The id of the store's latest run; 0 if it has none. EVERY_STORE stands for the locator."""
    run = crawl_runs.c
    query = select(func.max(run.id)).where(run.company_id == company_id, run.store_code == store_code)
    return int(connection.execute(query).scalar() or 0)


def run_after(connection: Connection, company_id: int, store_code: str, run_id: int) -> Any:
    """The row of the store's first run after `run_id`; None if there is none."""
    run = crawl_runs.c
    later = (run.company_id == company_id, run.store_code == store_code, run.id > run_id)
    return connection.execute(select(crawl_runs).where(*later).order_by(run.id).limit(1)).one_or_none()
