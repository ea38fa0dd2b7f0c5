"""Corrects the times that a run with a wrong clock wrote, once no price of it is left: for scripts/rollback_run.py.

The rollback restores prices, history, range and absence. What remains are times that would keep the store from being
crawled, or would move the dates of later runs.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from models.clocks.clock import MOST_OFF
from models.clocks.times import FORWARD
from models.runs import leases
from models.tables import (
    brand_aliases,
    crawl_run_categories,
    crawl_runs,
    group_merges,
    listings,
    membership_periods,
    product_aliases,
    quarantined_items,
    slot_dirty,
    staged_items,
    stores,
)
from models.tables.types import utc_text
from splitcart.runs.verdict import EVERY_STORE

_OF_RUNS = (
    (crawl_run_categories.c.run_id, crawl_run_categories.c.finished_at),
    (quarantined_items.c.run_id, quarantined_items.c.created_at),
    (staged_items.c.run_id, staged_items.c.scraped_at),
    (brand_aliases.c.crawl_run_id, brand_aliases.c.created_at),
    (product_aliases.c.crawl_run_id, product_aliases.c.created_at),
)
"""(run, time) columns of tables whose times lie within the run of the row."""
_HAPPENED = ("scheduled_at", "verified_at", "closed_at", "missing_since")
"""Columns of stores whose times lie in the past."""


def is_healable(connection: Connection, run_id: int, now: datetime) -> bool:
    """Whether no price of a run is left, so that only its times may need correction.

    A running run is healable only if its lease ends later than a right clock could have set.
    """
    run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run_id)).one_or_none()
    if run is None:
        return False
    if run.status == "running":
        return bool(run.undo is None and run.lease_until > now + _ahead("lease_until"))
    return bool(run.undo is None or run.rolled_back_at is not None)


def heal(connection: Connection, run_id: int, now: datetime) -> int:
    """Corrects the times after `now` that this run and other runs of its store wrote. Returns the number of rows.

    Ended runs of the store of which no price is left get plausible times; the former times are kept in
    `figures["clock"]`. The store may then be crawled at once. A locator's run heals every store of its company.
    """
    run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run_id)).one()
    affected = stores.c.company_id == run.company_id
    if run.store_code != EVERY_STORE:
        affected = and_(affected, stores.c.store_code == run.store_code)
    query = select(stores.c.id).where(affected).order_by(stores.c.id)
    ids = list(connection.execute(query.with_for_update()).scalars())
    limit = now + MOST_OFF
    return (
        _runs(connection, run, now, limit)
        + sum(_store(connection, store_id, now, limit) for store_id in ids)
        + sum(_periods(connection, store_id, now, limit) for store_id in ids)
        + _listings(connection, run.company_id, now, limit)
        + _merges(connection, run.company_id, now, limit)
        + connection.execute(update(slot_dirty).where(slot_dirty.c.marked_at > limit).values(marked_at=now)).rowcount
    )


def _ahead(column: str) -> timedelta:
    return MOST_OFF + (FORWARD[column] or timedelta(0))


def _runs(connection: Connection, like: Row[Any], now: datetime, limit: datetime) -> int:
    """Corrects the store's runs, except those that are running and those of which a price is left."""
    table = crawl_runs.c
    same_store = (table.company_id == like.company_id, table.store_code == like.store_code)
    forgotten = select(crawl_runs).where(*same_store, table.status == "running", table.undo.is_(None))
    for run in connection.execute(forgotten.where(table.lease_until > now + _ahead("lease_until"))).all():
        leases.abandon(connection, run, now)
    over = (table.status != "running", or_(table.undo.is_(None), table.rolled_back_at.is_not(None)))
    late = or_(table.started_at > limit, table.finished_at > limit, table.rolled_back_at > limit)
    rows = 0
    for run in connection.execute(select(crawl_runs).where(*same_store, *over, late).order_by(table.id)).all():
        then = _next_began(connection, run.id, limit) or now
        former = {"started_at": utc_text(run.started_at), "finished_at": utc_text(run.finished_at)}
        values: dict[str, Any] = {name: min(getattr(run, name), then) for name in ("started_at", "finished_at")}
        values["figures"] = (run.figures or {}) | {"clock": former}
        if run.rolled_back_at is not None:
            values["rolled_back_at"] = min(run.rolled_back_at, now)
        connection.execute(update(crawl_runs).where(table.id == run.id).values(**values))
        rows += 1
    all_ids = select(table.id).where(*same_store, *over)
    for owner, when in _OF_RUNS:
        late_rows = update(owner.table).where(owner.in_(all_ids), when > limit).values({when: now})
        rows += connection.execute(late_rows).rowcount
    return rows


def _next_began(connection: Connection, run_id: int, limit: datetime) -> datetime | None:
    """The start of the next run, of any store, whose clock was right: this run was opened before it."""
    table = crawl_runs.c
    later = select(func.min(table.started_at)).where(table.id > run_id, table.started_at <= limit)
    return connection.execute(later).scalar()


def _store(connection: Connection, store_id: int, now: datetime, limit: datetime) -> int:
    """Corrects the times of a store that keep it from being offered, or lie in the future."""
    row = connection.execute(select(stores).where(stores.c.id == store_id)).one()
    values: dict[str, Any] = {
        name: now for name in _HAPPENED if getattr(row, name) is not None and getattr(row, name) > limit
    }
    if row.next_try_at is not None and row.next_try_at > now + _ahead("next_try_at"):
        values["next_try_at"] = None
    if row.lease_until is not None and row.lease_until > now + _ahead("lease_until") and not _runs_now(connection, row):
        values |= {"lease_until": None, "lease_token": None, "scheduled_at": None}
    if values:
        connection.execute(update(stores).where(stores.c.id == store_id).values(**values))
    return 1 if values else 0


def _runs_now(connection: Connection, store: Row[Any]) -> bool:
    running = select(crawl_runs.c.id).where(crawl_runs.c.lease_token == store.lease_token)
    return connection.execute(running).first() is not None


def _merges(connection: Connection, company_id: int, now: datetime, limit: datetime) -> int:
    """Deletes the times of the company's last merge and the lease of a running one, if either lies in the future."""
    late = or_(group_merges.c.merged_at > limit, group_merges.c.lease_until > now + _ahead("lease_until"))
    forgotten = dict.fromkeys(("merged_at", "seen_until", "lease_token", "lease_until"))
    healed = update(group_merges).where(group_merges.c.company_id == company_id, late).values(**forgotten)
    return connection.execute(healed).rowcount


def _periods(connection: Connection, store_id: int, now: datetime, limit: datetime) -> int:
    """Moves the future moments of a store's membership periods to just after `now`, in the same order."""
    period = membership_periods.c
    found = connection.execute(select(membership_periods).where(period.store_id == store_id)).all()
    moments = {when for row in found for when in (row.from_at, row.to_at) if when is not None}
    late = sorted(when for when in moments if when > limit)
    base = max([now, *(when for when in moments if when <= limit)])
    moved_to = {when: base + timedelta(microseconds=place) for place, when in enumerate(late, 1)}
    moved = [row for row in found if row.from_at in moved_to or row.to_at in moved_to]
    for row in sorted(moved, key=lambda row: row.from_at):
        same_period = (period.store_id == store_id, period.from_at == row.from_at)
        values = {"from_at": moved_to.get(row.from_at, row.from_at), "to_at": moved_to.get(row.to_at, row.to_at)}
        connection.execute(update(membership_periods).where(*same_period).values(**values))
    return len(moved)


def _listings(connection: Connection, company_id: int, now: datetime, limit: datetime) -> int:
    """Corrects the times of barcode look-ups and pending texts, which in the future would block both for years."""
    table = listings.c
    looked_up = update(listings).where(table.company_id == company_id, table.gtin_looked_up_at > limit)
    pending = update(listings).where(table.company_id == company_id, table.pending_at > limit)
    rows = connection.execute(looked_up.values(gtin_looked_up_at=None)).rowcount
    return int(rows + connection.execute(pending.values(pending_at=now)).rowcount)
