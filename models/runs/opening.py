"""The life of a crawl run: opened under a lease, kept alive, measured, ended."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.database.retry import retried
from models.errors import LeaseLost, StoreHeld
from models.runs import leases, resumption
from models.runs.categories import record
from models.runs.endings import finish
from models.runs.evidence import history, measure
from models.runs.leases import FAILURE_DELAY, Holder
from models.runs.run import Run, write_run
from models.stores.companies import Target, ensure_company
from models.tables import crawl_runs, stores
from splitcart.runs.verdict import Category

__all__ = [
    "LeaseLost",
    "Run",
    "StoreHeld",
    "Target",
    "finish",
    "heartbeat",
    "history",
    "measure",
    "open_run",
]


def open_run(
    engine: Engine,
    target: Target,
    *,
    spider: str,
    now: datetime,
    resume: bool = False,
    lease_seconds: int = 120,
    host: str,
    pid: int,
    token: str | None = None,
    failure_delay: timedelta = FAILURE_DELAY,
) -> Run:
    """Takes the store and opens its run. `token`: the lease that a scheduler gave for it.

    A dead run of the store is abandoned and its staging deleted. With `resume` its walk is resumed instead, as is that
    of a run that ended partial or blocked (`resumption.resumable_run` has the conditions).
    Raises StoreHeld while another process holds the store, LeaseOver where `token` is not the store's live lease.
    """
    values = _lease(Holder(host, pid), now + timedelta(seconds=lease_seconds))
    claim = _Claim(target, spider, now, resume, Holder(host, pid), token, failure_delay)

    def work() -> Run:
        with engine.begin() as connection:
            return _take(connection, claim, values, lease_seconds)

    try:
        return retried(engine, work, what=f"opening a run of store {target.store_code}")
    except IntegrityError:  # another process opened one between our read and our insert
        return retried(engine, work, what=f"opening a run of store {target.store_code}")


@dataclass(frozen=True, slots=True)
class _Claim:
    target: Target
    spider: str
    now: datetime
    resume: bool
    holder: Holder
    token: str | None
    failure_delay: timedelta


def _take(connection: Connection, claim: _Claim, values: dict[str, Any], lease_seconds: int) -> Run:
    target, now = claim.target, claim.now
    company_id = ensure_company(connection, target)
    store = _store(connection, company_id, target.store_code)
    if store is not None:  # whether a flip lies between two walks depends on its clock
        claim = replace(claim, target=replace(target, timezone=store.timezone))
    running = _running(connection, company_id, target.store_code)
    leases.refuse_if_taken(store, claim.token, now, running)
    if running is None or leases.is_dead(running, claim.holder, now):  # `_earlier` refuses a live one
        leases.check_given(store, target.store_code, claim.token, now)
    found = _earlier(connection, company_id, claim, values["lease_token"])
    run_id = _reopen(connection, found, values) if found else _open(connection, values, company_id, store, claim)
    if store is not None:
        _lease_store(connection, store.id, values)
    resumed, rows = resumption.finished_categories(connection, run_id) if found else ((), 0)
    return Run(
        id=run_id,
        token=values["lease_token"],
        company_id=company_id,
        store_code=target.store_code,
        store_id=None if store is None else store.id,
        fulfilled_by=None if store is None else store.fulfilled_by,
        timezone=claim.target.timezone,
        started_at=found.started_at if found else now,
        lease_seconds=lease_seconds,
        resumed=resumed,
        resumed_rows=rows,
        failure_delay=claim.failure_delay,
    )


def _earlier(connection: Connection, company_id: int, claim: _Claim, token: str) -> Any:
    """The run to resume, or None; a dead run that is not resumed is abandoned. Raises StoreHeld.

    A run that holds our `token` is ours: an earlier try was committed, its answer was lost.
    """
    running = _running(connection, company_id, claim.target.store_code)
    if running is not None and running.lease_token == token:
        return running
    if running is not None and not leases.is_dead(running, claim.holder, claim.now):
        raise leases.held_by(running)
    found = resumption.resumable_run(connection, company_id, claim.target, claim.now) if claim.resume else None
    if running is not None and (found is None or found.id != running.id):
        leases.abandon(connection, running, claim.now, claim.failure_delay)
    return found


def _lease(holder: Holder, until: datetime) -> dict[str, Any]:
    return {"lease_token": secrets.token_hex(16), "lease_until": until, "host": holder.host, "pid": holder.pid}


def _store(connection: Connection, company_id: int, store_code: str) -> Any:
    wanted = select(stores).where(stores.c.company_id == company_id, stores.c.store_code == store_code)
    return connection.execute(wanted.with_for_update()).one_or_none()


def _running(connection: Connection, company_id: int, store_code: str) -> Any:
    runs = crawl_runs
    wanted = select(runs).where(
        runs.c.company_id == company_id, runs.c.store_code == store_code, runs.c.status == "running"
    )
    return connection.execute(wanted.with_for_update()).one_or_none()


def _open(connection: Connection, values: Mapping[str, Any], company_id: int, store: Any, claim: _Claim) -> int:
    row = {
        "company_id": company_id,
        "store_code": claim.target.store_code,
        "store_id": None if store is None else store.id,
        "spider": claim.spider,
        "started_at": claim.now,
        "status": "running",
    }
    made = connection.execute(insert(crawl_runs).values(**row, **values).returning(crawl_runs.c.id))
    return int(made.scalar_one())


def _reopen(connection: Connection, found: Any, values: Mapping[str, Any]) -> int:
    again = {"status": "running", "finished_at": None, "reason": None, "ended_by": None}
    connection.execute(update(crawl_runs).where(crawl_runs.c.id == found.id).values(**again, **values))
    return int(found.id)


def _lease_store(connection: Connection, store_id: int, values: Mapping[str, Any]) -> None:
    lease = {name: values[name] for name in ("lease_token", "lease_until")}
    connection.execute(update(stores).where(stores.c.id == store_id).values(**lease))


def heartbeat(engine: Engine, run: Run, now: datetime, categories: Iterable[Category] = ()) -> None:
    """Prolongs the lease to `now` + lease_seconds; records categories whose walk ended and whose rows are staged.

    Raises LeaseLost when another process holds the run or its store by now, or one of their rows is gone.
    """
    until = now + timedelta(seconds=run.lease_seconds)

    def work() -> None:
        with engine.begin() as connection:
            is_ours = True
            if run.store_id is not None:  # the store before the run: the order in which publishing locks them
                is_ours = leases.prolong(connection, run.store_id, run.token, until)
            write_run(connection, run, lease_until=until)
            if not is_ours:
                raise LeaseLost(run.id, "running", "another process holds its store, or the store's row is gone")
            record(connection, run.id, list(categories), now)

    retried(engine, work, what=f"heartbeat of run {run.id}")
