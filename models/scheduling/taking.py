"""Taking a store for a crawl: once, by whoever comes first; dead leases are reaped on the way."""

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
"""Stores that one statement tries: of 16 workers that begin together each finds one among them."""


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

    The company's queue where no store is offered. `holder`: who asks; a crawl of its host whose process is gone is
    reaped at once. Two that ask at once never get one store. A store that another transaction has locked is passed
    over, unless there is no other: then it is waited for.
    """
    reap(engine, company.id, now, holder, failure_delay)
    until = now + timedelta(seconds=lease_seconds)
    lease = {"scheduled_at": now, "lease_until": until, "lease_token": secrets.token_hex(16)}
    probes: dict[int, int | None] = {}
    """By store that was chosen; one whose answer was lost is not due any more when it is read again."""

    def work() -> Taken | Queue | None:
        with engine.begin() as connection:
            mine = connection.execute(select(stores).where(stores.c.lease_token == lease["lease_token"])).one_or_none()
            if mine is not None:  # an earlier try was committed, its answer was lost
                return _taken(mine, lease, probes.get(mine.id))
            found = queued(connection, company, rules, now)
            row = _locked(connection, found.offered, rules, now) if found.offered else None
            if row is None:
                return None if found.offered else found
            probes[row.id] = found.probes.get(row.store_code)
            connection.execute(update(stores).where(stores.c.id == row.id).values(**lease))
            return _taken(row, lease, probes[row.id])

    while True:  # each turn that ends with None another has taken a store, so that there are fewer
        taken = retried(engine, work, what=f"taking a store of {company.slug}")
        if taken is not None:
            return taken


def _taken(row: Any, lease: dict[str, Any], probe: int | None) -> Taken:
    return Taken(row.store_code, row.store_name, lease["lease_token"], lease["lease_until"], probe)


def _locked(connection: Connection, offered: Sequence[Store], rules: Rules, now: datetime) -> Any:
    """The first of the stores that nobody has locked, locked by us and still free; else one that was waited for.

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
    """What another transaction may have changed of a store since it was found to be offered."""
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
    """Ends the company's dead runs and the leases that no crawl took over; how many.

    Each counts as a failure of its store: it is free again after a delay that grows with them.
    """

    def work() -> int:
        with engine.connect() as connection:
            dead = _dead(connection, company_id, now, holder)
        return sum(_reap(engine, each, now, holder, failure_delay) for each in dead)

    return retried(engine, work, what="reaping dead leases")


@dataclass(frozen=True, slots=True)
class _Dead:
    run_id: int | None
    store_id: int | None


def _dead(connection: Connection, company_id: int, now: datetime, holder: Holder) -> list[_Dead]:
    run = crawl_runs.c
    running = connection.execute(select(crawl_runs).where(run.company_id == company_id, run.status == "running")).all()
    found = [_Dead(row.id, row.store_id) for row in running if leases.is_dead(row, holder, now)]
    begun = {row.store_id for row in running}
    over = select(stores.c.id).where(stores.c.company_id == company_id, stores.c.lease_until <= now)
    return found + [_Dead(None, i) for i in connection.execute(over.order_by(stores.c.id)).scalars() if i not in begun]


def _reap(engine: Engine, dead: _Dead, now: datetime, holder: Holder, failure_delay: timedelta) -> bool:
    """Reaps one, the store before the run, as publishing locks them. What another has locked is left to it."""
    run = crawl_runs.c
    with engine.begin() as connection:
        store = None
        if dead.store_id is not None:
            locked = select(stores).where(stores.c.id == dead.store_id).with_for_update(skip_locked=True)
            store = connection.execute(locked).one_or_none()
            if store is None:
                return False
        if dead.run_id is not None:
            mine = select(crawl_runs).where(run.id == dead.run_id, run.status == "running")
            row = connection.execute(mine.with_for_update(skip_locked=True)).one_or_none()
            if row is None or not leases.is_dead(row, holder, now):
                return False
            leases.abandon(connection, row, now, failure_delay)
            return True
        running = select(run.id).where(run.store_id == dead.store_id, run.status == "running")
        if store is None or store.lease_until is None or store.lease_until > now:
            return False
        if connection.execute(running).first() is not None:
            return False
        leases.count_failure(connection, store.id, now, failure_delay)
        return True


def clear(
    engine: Engine, company: Any, now: datetime, holder: Holder, failure_delay: timedelta = FAILURE_DELAY
) -> tuple[int, int]:
    """Ends the lock-out of the company's stores; never a live lease. How many were freed, and how many are leased."""
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


def _parts(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


def give_back(
    engine: Engine, company_id: int, taken: Taken, now: datetime, failure_delay: timedelta = FAILURE_DELAY
) -> bool:
    """Ends the lease of a store whose crawl could not begin, without waiting for it to die; a failure of the store.

    False where the lease is over, or a crawl took it over: its run tells what became of the store.
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
