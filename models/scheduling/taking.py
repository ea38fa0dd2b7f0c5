"""Taking the next store for a crawl, once, by whoever comes first. Dead leases are reaped before."""

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
"""Stores that one statement tries to lock: enough for 16 workers that begin together to find one each."""


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
    """The next store of a company (a row of companies), stamped with scheduled_at and a new lease, atomically.

    The company's queue where no store is offered. `holder`: the process that takes it; a crawl of its host whose
    process is gone is reaped at once. Two processes never take the same store. A store that another transaction has
    locked is skipped, unless there is no other: then it is waited for.
    """
    reap(engine, company.id, now, holder, failure_delay)
    until = now + timedelta(seconds=lease_seconds)
    lease = {"scheduled_at": now, "lease_until": until, "lease_token": secrets.token_hex(16)}
    probes: dict[int, int | None] = {}
    """By the store chosen in an earlier try: when that try's commit came through, the store is no longer due."""

    def work() -> Taken | Queue | None:
        with engine.begin() as connection:
            mine = connection.execute(select(stores).where(stores.c.lease_token == lease["lease_token"])).one_or_none()
            if mine is not None:  # an earlier try was committed, but the connection was lost
                return _taken(mine, lease, probes.get(mine.id))
            found = queued(connection, company, rules, now)
            row = _locked(connection, found.offered, rules, now) if found.offered else None
            if row is None:
                return None if found.offered else found
            probes[row.id] = found.probes.get(row.store_code)
            connection.execute(update(stores).where(stores.c.id == row.id).values(**lease))
            return _taken(row, lease, probes[row.id])

    while True:  # a turn ends with None when others have taken stores, so that fewer are left for the next
        taken = retried(engine, work, what=f"taking a store of {company.slug}")
        if taken is not None:
            return taken


def _taken(row: Any, lease: dict[str, Any], probe: int | None) -> Taken:
    return Taken(row.store_code, row.store_name, lease["lease_token"], lease["lease_until"], probe)


def _locked(connection: Connection, offered: Sequence[Store], rules: Rules, now: datetime) -> Any:
    """The first of the stores that is still free and not locked, now locked by us; else the first that is still free.

    None: others have taken all of them since they were read. SQLite: BEGIN IMMEDIATE has locked everything.
    """
    for skip in (True, False):
        for some in _parts(offered, AT_ONCE):
            order = case({store.id: turn for turn, store in enumerate(some)}, value=stores.c.id)
            wanted = select(stores).where(stores.c.id.in_([store.id for store in some]), _free(rules, now))
            wanted = wanted.order_by(order).limit(1).with_for_update(skip_locked=skip)
            row = connection.execute(wanted).one_or_none()
            if row is not None:
                return row
    return None


def _free(rules: Rules, now: datetime) -> Any:
    """Whether a store is still free: what another transaction may have changed since it was offered."""
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
    """Ends the company's dead runs and the leases that no crawl took over; returns how many.

    Each counts as a failure of its store, which is free again after a delay that grows with its failures.
    """

    def work() -> int:
        with engine.connect() as connection:
            runs, leased = _dead(connection, company_id, now, holder)
        ended = [_reap_run(engine, run, now, holder, failure_delay) for run in runs]
        return sum(ended) + sum(_reap_lease(engine, store_id, now, failure_delay) for store_id in leased)

    return retried(engine, work, what="reaping dead leases")


def _dead(connection: Connection, company_id: int, now: datetime, holder: Holder) -> tuple[list[Any], list[int]]:
    """The rows of the company's dead runs, and the ids of its stores whose lease is over and that have no run."""
    run = crawl_runs.c
    running = connection.execute(select(crawl_runs).where(run.company_id == company_id, run.status == "running")).all()
    crawled = {row.store_id for row in running}
    over = select(stores.c.id).where(stores.c.company_id == company_id, stores.c.lease_until <= now)
    leased = [i for i in connection.execute(over.order_by(stores.c.id)).scalars() if i not in crawled]
    return [row for row in running if leases.is_dead(row, holder, now)], leased


def _reap_run(engine: Engine, dead: Any, now: datetime, holder: Holder, failure_delay: timedelta) -> bool:
    """Abandons a run that is still dead; the store is locked before the run, as by publishing. False: not done."""
    run = crawl_runs.c
    with engine.begin() as connection:
        if dead.store_id is not None and _lock_store(connection, dead.store_id) is None:
            return False
        mine = select(crawl_runs).where(run.id == dead.id, run.status == "running")
        row = connection.execute(mine.with_for_update(skip_locked=True)).one_or_none()
        if row is None or not leases.is_dead(row, holder, now):
            return False
        leases.abandon(connection, row, now, failure_delay)
        return True


def _reap_lease(engine: Engine, store_id: int, now: datetime, failure_delay: timedelta) -> bool:
    """Ends a store's lease that is still over and has no run. False: not done."""
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
    """The store's row, locked; None where another transaction has locked it: it is left to that one."""
    mine = select(stores).where(stores.c.id == store_id)
    return connection.execute(mine.with_for_update(skip_locked=True)).one_or_none()


def clear(
    engine: Engine, company: Any, now: datetime, holder: Holder, failure_delay: timedelta = FAILURE_DELAY
) -> tuple[int, int]:
    """Ends the lock-out of the company's stores, never a live lease; (stores that it freed, stores that are leased)."""
    reap(engine, company.id, now, holder, failure_delay)
    mine = (stores.c.company_id == company.id, stores.c.scheduled_at.is_not(None))

    def work() -> tuple[int, int]:
        with engine.begin() as connection:
            ordered = select(stores.c.id, stores.c.lease_token).where(*mine).order_by(stores.c.id)
            found = connection.execute(ordered.with_for_update()).all()
            freed = [row.id for row in found if row.lease_token is None]
            for some in _parts(freed, 500):
                connection.execute(update(stores).where(stores.c.id.in_(some)).values(scheduled_at=None))
            return len(freed), len(found) - len(freed)

    return retried(engine, work, what=f"clearing the schedule of {company.slug}")


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def give_back(
    engine: Engine, company_id: int, taken: Taken, now: datetime, failure_delay: timedelta = FAILURE_DELAY
) -> bool:
    """Ends the lease of a store whose crawl could not begin, before it runs out; counts as a failure of the store.

    False where the lease is over, or a crawl took it over: its run then shows what became of the store.
    """
    row = stores.c
    mine = (row.company_id == company_id, row.store_code == taken.store_code, row.lease_token == taken.lease_token)

    def work() -> bool:
        with engine.begin() as connection:
            found = connection.execute(select(row.id).where(*mine).with_for_update()).scalar()
            if found is not None:
                leases.count_failure(connection, found, now, failure_delay)
            return found is not None

    return retried(engine, work, what=f"giving back store {taken.store_code}")
