"""Takes the next store for a crawl; of several processes only the first gets it. Dead leases are reaped before."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, and_, case, or_, select, update

from models.database.retry import retried
from models.runs import leases
from models.runs.leases import FAILURE_DELAY, Holder
from models.scheduling.reading import queued
from models.tables import crawl_runs, stores
from splitcart.scheduling.rule import Queue, Rules, Store

T = TypeVar("T")

AT_ONCE = 50
"""Stores that one statement tries to lock: enough for each of 16 workers that begin together to find one."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A store that was handed out. Its crawl takes the lease over by `-a lease=TOKEN` before it ends."""

    store_code: str
    store_name: str
    lease_token: str
    lease_until: datetime
    probe: int | None = None
    """How many listing pages its crawl draws (`-a probe=`); None: the whole store."""


def take(
    engine: Engine,
    company: Any,
    rules: Rules,
    now: datetime,
    *,
    holder: Holder,
    lease_seconds: int = 120,
    failure_delay: timedelta = FAILURE_DELAY,
) -> Taken | Queue:
    """Takes the next store of a company (a row of companies): sets scheduled_at and a new lease, atomically.

    Returns the company's queue if no store is offered. `holder`: the process that takes the store; a crawl of the
    same host whose process is gone is reaped at once. Two processes never take the same store. A store that another
    transaction has locked is skipped; if there is no other, its lock is waited for.
    """
    reap(engine, company.id, now, holder, failure_delay)
    until = now + timedelta(seconds=lease_seconds)
    lease = {"scheduled_at": now, "lease_until": until, "lease_token": secrets.token_hex(16)}
    probes: dict[int, int | None] = {}
    """By store id, from earlier tries: once such a try is committed, its store is no longer in the queue."""

    def work() -> Taken | Queue | None:
        with engine.begin() as connection:
            same_token = stores.c.lease_token == lease["lease_token"]
            row = connection.execute(select(stores).where(same_token)).one_or_none()
            if row is not None:  # an earlier try was committed, but the connection was lost
                return _taken(row, lease, probes.get(row.id))
            queue = queued(connection, company, rules, now)
            row = _locked(connection, queue.offered, rules, now) if queue.offered else None
            if row is None:
                return None if queue.offered else queue
            probes[row.id] = queue.probes.get(row.store_code)
            connection.execute(update(stores).where(stores.c.id == row.id).values(**lease))
            return _taken(row, lease, probes[row.id])

    while True:  # None: others have taken all offered stores meanwhile, so that fewer are left for the next turn
        taken = retried(engine, work, what=f"taking a store of {company.slug}")
        if taken is not None:
            return taken


def _taken(row: Any, lease: dict[str, Any], probe: int | None) -> Taken:
    return Taken(row.store_code, row.store_name, lease["lease_token"], lease["lease_until"], probe)


def _locked(connection: Connection, offered: Sequence[Store], rules: Rules, now: datetime) -> Any:
    """Locks and returns the first store that is still free and not locked; else waits for the first that is still free.

    None: others have taken all of them since they were read. SQLite: BEGIN IMMEDIATE has locked everything.
    """
    for skip in (True, False):
        for some in _parts(offered, AT_ONCE):
            order = case({store.id: turn for turn, store in enumerate(some)}, value=stores.c.id)
            query = select(stores).where(stores.c.id.in_([store.id for store in some]), _free(rules, now))
            query = query.order_by(order).limit(1).with_for_update(skip_locked=skip)
            row = connection.execute(query).one_or_none()
            if row is not None:
                return row
    return None


def _free(rules: Rules, now: datetime) -> Any:
    """Whether a store is still free, by the columns that another transaction may have changed since it was offered."""
    row = stores.c
    return and_(
        row.closed_at.is_(None),
        row.is_online.is_(True),
        or_(row.lease_until.is_(None), row.lease_until <= now),
        or_(row.next_try_at.is_(None), row.next_try_at <= now),
        or_(row.scheduled_at.is_(None), row.scheduled_at <= now - rules.lockout),
    )


def reap(
    engine: Engine, company_id: int, now: datetime, holder: Holder, failure_delay: timedelta = FAILURE_DELAY
) -> int:
    """Ends the company's dead runs, and the leases that ran out before a crawl took them over; returns how many.

    Each counts as a failure of its store, which is free again after a delay that grows with its failures.
    """

    def work() -> int:
        with engine.connect() as connection:
            runs, leased = _dead(connection, company_id, now, holder)
        ended = [_reap_run(engine, run, now, holder, failure_delay) for run in runs]
        return sum(ended) + sum(_reap_lease(engine, store_id, now, failure_delay) for store_id in leased)

    return retried(engine, work, what="reaping dead leases")


def _dead(connection: Connection, company_id: int, now: datetime, holder: Holder) -> tuple[list[Any], list[int]]:
    """The rows of the company's dead runs; the ids of its stores whose lease is over and that have no running run."""
    run = crawl_runs.c
    running = connection.execute(select(crawl_runs).where(run.company_id == company_id, run.status == "running")).all()
    crawled = {row.store_id for row in running}
    over = select(stores.c.id).where(stores.c.company_id == company_id, stores.c.lease_until <= now)
    leased = [i for i in connection.execute(over.order_by(stores.c.id)).scalars() if i not in crawled]
    return [row for row in running if leases.is_dead(row, holder, now)], leased


def _reap_run(engine: Engine, dead: Any, now: datetime, holder: Holder, failure_delay: timedelta) -> bool:
    """Abandons a run if it is still dead; locks the store before the run, as publishing does. False: not done."""
    run = crawl_runs.c
    with engine.begin() as connection:
        if dead.store_id is not None and _lock_store(connection, dead.store_id) is None:
            return False
        still_running = select(crawl_runs).where(run.id == dead.id, run.status == "running")
        row = connection.execute(still_running.with_for_update(skip_locked=True)).one_or_none()
        if row is None or not leases.is_dead(row, holder, now):
            return False
        leases.abandon(connection, row, now, failure_delay)
        return True


def _reap_lease(engine: Engine, store_id: int, now: datetime, failure_delay: timedelta) -> bool:
    """Ends a store's lease if it is still over and has no running run. False: not done."""
    run = crawl_runs.c
    with engine.begin() as connection:
        store = _lock_store(connection, store_id)
        if store is None or store.lease_until is None or store.lease_until > now:
            return False
        running = select(run.id).where(run.store_id == store_id, run.status == "running")
        if connection.execute(running).first() is not None:
            return False
        leases.count_failure(connection, store_id, now, failure_delay)
        return True


def _lock_store(connection: Connection, store_id: int) -> Any:
    """The store's row, locked; None if another transaction has locked it, which then deals with it."""
    query = select(stores).where(stores.c.id == store_id)
    return connection.execute(query.with_for_update(skip_locked=True)).one_or_none()


def clear(
    engine: Engine, company: Any, now: datetime, holder: Holder, failure_delay: timedelta = FAILURE_DELAY
) -> tuple[int, int]:
    """Ends the lock-out of the company's stores, never a live lease. Returns (stores freed, stores still leased)."""
    reap(engine, company.id, now, holder, failure_delay)
    scheduled = (stores.c.company_id == company.id, stores.c.scheduled_at.is_not(None))

    def work() -> tuple[int, int]:
        with engine.begin() as connection:
            ordered = select(stores.c.id, stores.c.lease_token).where(*scheduled).order_by(stores.c.id)
            rows = connection.execute(ordered.with_for_update()).all()
            freed = [row.id for row in rows if row.lease_token is None]
            for some in _parts(freed, 500):
                connection.execute(update(stores).where(stores.c.id.in_(some)).values(scheduled_at=None))
            return len(freed), len(rows) - len(freed)

    return retried(engine, work, what=f"clearing the schedule of {company.slug}")


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def give_back(
    engine: Engine, company_id: int, taken: Taken, now: datetime, failure_delay: timedelta = FAILURE_DELAY
) -> bool:
    """Ends the lease of a store whose crawl could not begin before it runs out; counts as a failure of the store.

    False if the lease is over or a crawl took it over: the run of that crawl then shows what became of the store.
    """
    row = stores.c
    held = (row.company_id == company_id, row.store_code == taken.store_code, row.lease_token == taken.lease_token)

    def work() -> bool:
        with engine.begin() as connection:
            store_id = connection.execute(select(row.id).where(*held).with_for_update()).scalar()
            if store_id is not None:
                leases.count_failure(connection, store_id, now, failure_delay)
            return store_id is not None

    return retried(engine, work, what=f"giving back store {taken.store_code}")
