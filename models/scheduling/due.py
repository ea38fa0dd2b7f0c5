"""What a company's runs and merges say of what is due next."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.scheduling.reading import read
from models.stores.listed import EVERY_STORE
from models.tables import crawl_runs, group_merges
from splitcart.scheduling.due import Facts


def facts(connection: Connection, company: Any, now: datetime) -> Facts:
    """The facts of a company (a row of companies) at `now`."""
    run = crawl_runs.c
    located, stands = run.store_code == EVERY_STORE, run.rolled_back_at.is_(None)

    def latest(*which: Any, of: Any = run.finished_at) -> datetime | None:
        found: datetime | None = connection.execute(
            select(func.max(of)).where(run.company_id == company.id, *which)
        ).scalar()
        return found

    merged = connection.execute(select(group_merges).where(group_merges.c.company_id == company.id)).one_or_none()
    return Facts(
        located_at=latest(located, run.status == "complete", stands),
        tried_at=latest(located, run.status.not_in(("complete", "running"))),
        locating_until=latest(located, run.status == "running", of=run.lease_until),
        paused_until=read(connection, company, now)[0].paused_until,
        completed_at=latest(run.store_code != EVERY_STORE, run.status == "complete", stands),
        merged_at=merged.merged_at if merged else None,
        seen_until=merged.seen_until if merged else None,
    )


def last_run(connection: Connection, company_id: int, store_code: str) -> int:
    """The id of the store's latest run; 0 where it has none. EVERY_STORE: of the locator's."""
    run = crawl_runs.c
    wanted = select(func.max(run.id)).where(run.company_id == company_id, run.store_code == store_code)
    return int(connection.execute(wanted).scalar() or 0)


def run_after(connection: Connection, company_id: int, store_code: str, run_id: int) -> Any:
    """The row of the store's first run after that one; None where it has none."""
    run = crawl_runs.c
    mine = (run.company_id == company_id, run.store_code == store_code, run.id > run_id)
    return connection.execute(select(crawl_runs).where(*mine).order_by(run.id).limit(1)).one_or_none()
