"""The fleet: every run that asks a chain's site just now."""

from datetime import datetime

from sqlalchemy import Engine, func, select

from models.tables import crawl_runs


def live_runs(engine: Engine, company_id: int, now: datetime) -> int:
    """How many runs of a company hold a lease at `now` (UTC), locators included."""
    query = select(func.count()).where(
        crawl_runs.c.company_id == company_id, crawl_runs.c.status == "running", crawl_runs.c.lease_until > now
    )
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
