"""Who holds a store: taking, keeping and reaping the lease that every crawl run has."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from models.errors import LeaseOver, StoreHeld
from models.runs.undo import unpacked
from models.tables import crawl_runs, staged_items, stores

FAILURE_DELAY = timedelta(minutes=10)
"""How long a store waits after its first failure; setting SCHEDULE_FAILURE_MINUTES. Doubled with each further one."""
LONGEST_DELAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that asks for a store."""

    host: str
    pid: int


def is_dead(run: Any, holder: Holder, now: datetime) -> bool:
    """Whether a running row has no process any more: its lease is over, or its process on this host is gone."""
    return run.lease_until <= now or (run.host == holder.host and run.pid != holder.pid and not _alive(run.pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def held_by(run: Any) -> StoreHeld:
    """The error that names a running run as the store's holder."""
    return StoreHeld(run.store_code, run.lease_until, f"run {run.id} (process {run.pid} on {run.host})")


def refuse_if_taken(store: Any, token: str | None, now: datetime, running: Any) -> None:
    """Raises StoreHeld when a scheduler gave the store to another process; `token` is the lease that it gave to us.

    The lease of the store's running run is judged with that run.
    """
    if store is None or store.lease_token in (None, token, running and running.lease_token):
        return
    if store.lease_until > now:
        raise StoreHeld(store.store_code, store.lease_until, "a worker that took it from the scheduler")


def check_given(store: Any, code: str, token: str | None, now: datetime) -> None:
    """Raises LeaseOver when `token`, which a scheduler gave for a store, is not the live lease of that store."""
    if token is None:
        return
    if store is None:
        raise LeaseOver(code, "the database has no such store")
    if store.lease_token != token:
        raise LeaseOver(code, "it is not the store's lease; it was taken over before, or it ended and was reaped")
    if store.lease_until <= now:
        raise LeaseOver(code, f"it ended at {store.lease_until:%Y-%m-%d %H:%M:%S} UTC")


def abandon(connection: Connection, run: Any, now: datetime, delay: timedelta = FAILURE_DELAY) -> None:
    """Ends a dead run: its staging is deleted, its store is offered again after a delay that grows with each failure.

    If the run had published before it was resumed, that publish is its end: nothing later was published.
    """
    table, published = crawl_runs, unpacked(run.undo)
    connection.execute(
        update(table)
        .where(table.c.id == run.id)
        .values(
            status="abandoned",
            reason=f"its lease ended at {run.lease_until:%Y-%m-%d %H:%M:%S} UTC without a heartbeat from {run.host}",
            finished_at=datetime.fromisoformat(published[-1]["at"]) if published else now,
            lease_token=None,
            lease_until=None,
        )
    )
    connection.execute(delete(staged_items).where(staged_items.c.run_id == run.id))
    if run.store_id is not None:
        count_failure(connection, run.store_id, now, delay)


def live_runs(engine: Engine, company_id: int, now: datetime) -> int:
    """How many runs of a company hold a lease at `now`, locators included: the runs that share its host's rate."""
    run = crawl_runs.c
    live = (run.company_id == company_id, run.status == "running", run.lease_until > now)
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(*live)).scalar_one())


def prolong(connection: Connection, store_id: int, token: str, until: datetime) -> bool:
    """Prolongs a store's lease that is ours or was cleared. Returns whether it is ours now."""
    mine = or_(stores.c.lease_token == token, stores.c.lease_token.is_(None))
    lease = {"lease_token": token, "lease_until": until}
    return connection.execute(update(stores).where(stores.c.id == store_id, mine).values(**lease)).rowcount == 1


def free(connection: Connection, store_id: int) -> None:
    """Ends a store's lease. `scheduled_at` stays, which keeps the store from being offered again for a while."""
    freed = {"lease_until": None, "lease_token": None}
    connection.execute(update(stores).where(stores.c.id == store_id).values(**freed))


def count_failure(connection: Connection, store_id: int, now: datetime, delay: timedelta = FAILURE_DELAY) -> None:
    """Counts a failure of a store: it waits longer before it is offered again, so that it starves no other.

    delay: the wait after a first failure; doubled with each further one, a day at most.
    """
    failed = connection.execute(select(stores.c.fail_count).where(stores.c.id == store_id)).scalar()
    if failed is None:  # the store's row was deleted meanwhile: its run ends all the same
        return
    wait = min(delay, LONGEST_DELAY) * 2 ** min(failed, 20)
    connection.execute(
        update(stores)
        .where(stores.c.id == store_id)
        .values(
            scheduled_at=None,
            lease_until=None,
            lease_token=None,
            fail_count=failed + 1,
            next_try_at=now + min(wait, LONGEST_DELAY),
        )
    )
