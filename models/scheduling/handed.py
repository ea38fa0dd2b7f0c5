"""What becomes of a store that was handed out: the row of its run says so, and until there is one its lease."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Engine, select

from models import leases
from models.leases import Holder
from models.retry import retried
from models.scheduling.due import last_run, run_after
from models.tables import stores

Fate = Literal["waiting", "running", "ended", "dead"]


@dataclass(frozen=True, slots=True)
class Handed:
    """A crawl that was asked for: of which store (`*`: a locator's), and the last run of it known before."""

    company_id: int
    store_code: str
    token: str | None
    """The lease that its crawl is to take over; None for a locator."""
    after: int


def handed(engine: Engine, company_id: int, store_code: str, token: str | None) -> Handed:
    """What to ask `fate` of, noted before the crawl is asked for."""

    def work() -> int:
        with engine.connect() as connection:
            return last_run(connection, company_id, store_code)

    return Handed(company_id, store_code, token, retried(engine, work, what=f"the last run of store {store_code}"))


def fate(engine: Engine, asked: Handed, now: datetime, holder: Holder) -> Fate:
    """What became of a crawl that was asked for.

    waiting: no run yet, and its lease (a locator has none) may still be taken over. running: its run is alive.
    ended: its run has ended. dead: nobody stands behind its run any more, or no run took its lease over in time.
    """

    def work() -> Fate:
        with engine.connect() as connection:
            return _fate(connection, asked, now, holder)

    return retried(engine, work, what=f"what became of store {asked.store_code}")


def _fate(connection: Connection, asked: Handed, now: datetime, holder: Holder) -> Fate:
    # The lease before the run: a lease that was taken over meanwhile leaves a run to be found.
    live = select(stores.c.id).where(stores.c.lease_token == asked.token, stores.c.lease_until > now)
    waits = asked.token is None or connection.execute(live).first() is not None
    row = run_after(connection, asked.company_id, asked.store_code, asked.after)
    if row is None:
        return "waiting" if waits else "dead"
    if row.status == "running":
        return "dead" if leases.is_dead(row, holder, now) else "running"
    return "dead" if row.status == "abandoned" else "ended"
