"""Joining and leaving store groups: the steps that merging, resetting and health are made of.

Membership says whose prices stand for a store's where it followed them. No price is written here: what a store showed
is its own in any group. The caller holds the locks (`lock`) and the transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from models.clocks import clock
from models.lines import slot_marks
from models.stores.locks import lock_stores
from models.tables import membership_periods, store_group_memberships, store_groups, stores


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
    """Locks the stores, then their groups, each in id order, and says where they are.

    Publishing locks the store alone, so none waits for another in a circle. (A SQLite writer holds the file.)
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


def group_of(connection: Connection, store_id: int) -> tuple[int, list[int]]:
    """The anchor of a store's group (the store itself, where it has none), and the members that the store anchors."""
    member, group = store_group_memberships.c, store_groups.c
    joined = select(member.store_id, group.anchor_id).join(store_groups, group.id == member.group_id)
    anchor = connection.execute(joined.where(member.store_id == store_id)).first()
    members = connection.execute(joined.where(group.anchor_id == store_id, member.store_id != store_id)).scalars()
    return store_id if anchor is None else int(anchor.anchor_id), [int(one) for one in members]


def _group() -> Any:
    return store_groups.c.id == store_group_memberships.c.group_id


def leave(connection: Connection, place: Place, now: datetime) -> None:
    """Gives the store a group of its own, of which it is the anchor."""
    if place.is_anchor:
        return
    group = insert(store_groups).values(company_id=place.company_id, anchor_id=place.store_id)
    group_id = connection.execute(group.returning(store_groups.c.id)).scalar_one()
    _enter(connection, place, group_id, place.store_id, now)


def join(connection: Connection, place: Place, to: Place, now: datetime) -> None:
    """Moves the store into the group that `to` anchors. An anchor's members have to move before it: ValueError."""
    if not to.is_anchor or to.company_id != place.company_id or to.group_id is None:
        raise ValueError(f"store {to.store_id} does not anchor a group of company {place.company_id}: join its anchor")
    _enter(connection, place, to.group_id, to.store_id, now)
    if place.is_anchor:
        _end_group(connection, place)


def _end_group(connection: Connection, place: Place) -> None:
    left = select(func.count()).where(store_group_memberships.c.group_id == place.group_id)
    if connection.execute(left).scalar_one():
        raise ValueError(f"store {place.store_id} still anchors members: move them first")
    connection.execute(delete(store_groups).where(store_groups.c.id == place.group_id))


def _enter(connection: Connection, place: Place, group_id: int, anchor_id: int, now: datetime) -> None:
    """Ends the open membership period and begins the next one, at `now` or just after the open one began."""
    period, member = membership_periods, store_group_memberships
    mine = place.store_id
    open_one = (period.c.store_id == mine, period.c.to_at.is_(None))
    began = connection.execute(select(period.c.from_at).where(*open_one)).scalar()
    at = clock.after(now, began)
    connection.execute(update(period).where(*open_one).values(to_at=at))
    connection.execute(insert(period).values(store_id=mine, from_at=at, group_id=group_id, anchor_id=anchor_id))
    slot_marks.stores(connection, [mine], at)
    if place.group_id is None:
        connection.execute(insert(member).values(store_id=mine, group_id=group_id))
    else:
        connection.execute(update(member).where(member.c.store_id == mine).values(group_id=group_id))
