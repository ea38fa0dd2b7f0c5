"""The fate of a crawl whose store was handed out: read from its run or, until it has one, from the store's lease."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from models.runs import leases
from models.runs.leases import Holder
from models.scheduling.due import run_after
from models.tables import stores

Fate = Literal["starting", "running", "ended", "dead"]


def fate(
    connection: Connection,
    company_id: int,
    store_code: str,
    *,
    token: str | None,
    after: int,
    now: datetime,
    holder: Holder,
) -> Fate:
    """The fate of a crawl that was started.

    token: the lease that it is to take over; None for a locator. after: the store's last run before (due.last_run).

    starting: no run yet, and its lease (a locator has none) may still be taken over. running: its run is alive.
    ended: its run has ended. dead: the process of its run is gone, or no run took its lease over in time.
    """
    # The lease is read before the run: if it is taken over in between, the run is found.
    live = select(stores.c.id).where(stores.c.lease_token == token, stores.c.lease_until > now)
    may_start = token is None or connection.execute(live).first() is not None
    row = run_after(connection, company_id, store_code, after)
    if row is None:
        return "starting" if may_start else "dead"
    if row.status == "running":
        return "dead" if leases.is_dead(row, holder, now) else "running"
    return "dead" if row.status == "abandoned" else "ended"
