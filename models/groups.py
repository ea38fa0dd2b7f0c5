"""Joining and leaving store groups without changing a price: the steps that merging, resetting and health are made of.

A member keeps own rows only where its anchor ranges nothing or says something else; each step first works out what is
in effect and then writes what the new anchor does not say. The caller holds the locks (`lock`) and the transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from models import vectors
from models.group_rows import drop_equal, log_kept, log_leaving, priced, write_effective
from models.locks import lock_stores
from models.tables import crawl_runs, membership_periods, price_changes, store_group_memberships, store_groups, stores


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: its group and the group's anchor (its own id for an anchor)."""

    store_id: int
    company_id: int
    group_id: int | None
    anchor_id: int | None

    @property
    def is_anchor(self) -> bool:
        return self.anchor_id == self.store_id


def lock(connection: Connection, store_ids: Iterable[int]) -> dict[int, Place]:
    """Locks the stores, then their groups, each in id order, and tells where they are.

    Every writer of prices locks in this order, so none waits for another in a circle. (A SQLite writer holds the file.)
    """
    wanted = set(store_ids)
    lock_stores(connection, wanted)
    return places(connection, sorted(wanted))


def places(connection: Connection, store_ids: Sequence[int]) -> dict[int, Place]:
    """Where the stores are now."""
    query = (
        select(stores.c.id, stores.c.company_id, store_group_memberships.c.group_id, store_groups.c.anchor_id)
        .select_from(stores.outerjoin(store_group_memberships).outerjoin(store_groups, _group()))
        .where(stores.c.id.in_(store_ids))
    )
    return {row.id: Place(*row) for row in connection.execute(query)}


def _group() -> Any:
    return store_groups.c.id == store_group_memberships.c.group_id


def leave(connection: Connection, place: Place, now: datetime) -> int:
    """Gives the store a group of its own, with every price that is in effect there as its own row.

    Returns the rows written. What the store itself saw keeps its run; what was inferred keeps the anchor's.
    """
    if place.is_anchor:
        return 0
    at = _moment(connection, place, [place.anchor_id], now)
    written = 0
    if place.anchor_id is not None:
        written = write_effective(connection, place.store_id, place.anchor_id)
        log_leaving(connection, place.store_id, at)
    group = insert(store_groups).values(company_id=place.company_id, anchor_id=place.store_id)
    group_id = connection.execute(group.returning(store_groups.c.id)).scalar_one()
    _enter(connection, place, group_id, place.store_id, at)
    vectors.refresh(connection, place.store_id)
    return written


def join(connection: Connection, place: Place, to: Place, now: datetime) -> int:
    """Moves the store into the group that `to` anchors. Returns the rows saved (less than 0: more were written).

    An anchor's members have to move before it: ValueError.
    """
    if not to.is_anchor or to.company_id != place.company_id or to.group_id is None:
        raise ValueError(f"store {to.store_id} does not anchor a group of company {place.company_id}: join its anchor")
    at = _moment(connection, place, [place.anchor_id, to.store_id], now)
    spoken = priced(connection, to.store_id)
    written = 0
    if place.anchor_id is not None and not place.is_anchor:
        written = write_effective(connection, place.store_id, place.anchor_id, to.store_id, spoken)
    dropped = drop_equal(connection, place.store_id, to.store_id, spoken)
    log_kept(connection, place.store_id, at)
    _enter(connection, place, to.group_id, to.store_id, at)
    if place.is_anchor:
        _end_group(connection, place)
    vectors.refresh(connection, place.store_id)
    return dropped - written


def _end_group(connection: Connection, place: Place) -> None:
    left = select(func.count()).where(store_group_memberships.c.group_id == place.group_id)
    if connection.execute(left).scalar_one():
        raise ValueError(f"store {place.store_id} still anchors members: move them first")
    connection.execute(delete(store_groups).where(store_groups.c.id == place.group_id))


def _moment(connection: Connection, place: Place, anchors: Sequence[int | None], now: datetime) -> datetime:
    """`now`, or just after the last thing that is recorded of the store and its anchors: history stays in order."""
    period, run = membership_periods.c, crawl_runs.c
    mine = {place.store_id, *(anchor for anchor in anchors if anchor is not None)}
    opened = select(func.max(period.from_at)).where(period.store_id.in_(mine))
    changed = select(func.max(price_changes.c.changed_at)).where(price_changes.c.store_id == place.store_id)
    ended = select(func.max(run.finished_at)).where(run.store_id.in_(mine), run.undo.is_not(None))
    known = [connection.execute(query).scalar() for query in (opened, changed, ended)]
    return max([now, *(t + timedelta(microseconds=1) for t in known if t is not None)])


def _enter(connection: Connection, place: Place, group_id: int, anchor_id: int, at: datetime) -> None:
    period, member = membership_periods, store_group_memberships
    mine = place.store_id
    open_one = (period.c.store_id == mine, period.c.to_at.is_(None))
    connection.execute(update(period).where(*open_one).values(to_at=at))
    connection.execute(insert(period).values(store_id=mine, from_at=at, group_id=group_id, anchor_id=anchor_id))
    if place.group_id is None:
        connection.execute(insert(member).values(store_id=mine, group_id=group_id))
    else:
        connection.execute(update(member).where(member.c.store_id == mine).values(group_id=group_id))
