"""Joining and leaving store groups: the steps that merging and resetting are made of.

Membership decides which anchor's prices a store takes where it followed them. No price is written here: a store's own
rows are the same in any group. The caller holds the locks (`lock`) and the transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from models.clocks import clock
from models.lines import slot_marks
from models.stores.creation import create_group, enter_group
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


def lock(connection: Connection, store_ids: Collection[int]) -> dict[int, Place]:
    """Locks the stores, then their groups, each in id order, and returns the places by store id.

    Publishing locks one store only, so there is no deadlock. (A SQLite writer holds the file.)
    """
    lock_stores(connection, store_ids)
    return places(connection, store_ids)


def places(connection: Connection, store_ids: Collection[int]) -> dict[int, Place]:
    """The current places of the stores, by store id."""
    member, group = store_group_memberships.c, store_groups.c
    joined = stores.outerjoin(store_group_memberships).outerjoin(store_groups, group.id == member.group_id)
    query = select(stores.c.id, stores.c.company_id, member.group_id, group.anchor_id).select_from(joined)
    return {row.id: Place(*row) for row in connection.execute(query.where(stores.c.id.in_(store_ids)))}


def group_of(connection: Connection, store_id: int) -> tuple[int, list[int]]:
    """The anchor of a store's group (the store itself if it has no group), and the members that the store anchors."""
    member, group = store_group_memberships.c, store_groups.c
    joined = select(member.store_id, group.anchor_id).join(store_groups, group.id == member.group_id)
    anchor = connection.execute(joined.where(member.store_id == store_id)).first()
    members = connection.execute(joined.where(group.anchor_id == store_id, member.store_id != store_id)).scalars()
    return store_id if anchor is None else int(anchor.anchor_id), [int(member_id) for member_id in members]


def leave(connection: Connection, place: Place, now: datetime) -> None:
    """Gives the store a group of its own, of which it is the anchor. An anchor keeps its group."""
    if not place.is_anchor:
        at = _end_period(connection, place.store_id, now)
        create_group(connection, place.company_id, place.store_id, at)


def join(connection: Connection, place: Place, to: Place, now: datetime) -> None:
    """Moves the store into the group that `to` anchors. ValueError if the store is an anchor that still has members."""
    if not to.is_anchor or to.company_id != place.company_id or to.group_id is None:
        raise ValueError(f"store {to.store_id} does not anchor a group of company {place.company_id}: join its anchor")
    at = _end_period(connection, place.store_id, now)
    enter_group(connection, place.store_id, to.group_id, to.store_id, at)
    if place.is_anchor:
        _end_group(connection, place)


def _end_period(connection: Connection, store_id: int, now: datetime) -> datetime:
    """Ends the store's open period, at `now` or just after it began; marks its slots. Returns the end."""
    period = membership_periods.c
    is_open = (period.store_id == store_id, period.to_at.is_(None))
    at = clock.after(now, connection.execute(select(period.from_at).where(*is_open)).scalar())
    connection.execute(update(membership_periods).where(*is_open).values(to_at=at))
    slot_marks.stores(connection, [store_id], at)
    return at


def _end_group(connection: Connection, place: Place) -> None:
    left = select(func.count()).where(store_group_memberships.c.group_id == place.group_id)
    if connection.execute(left).scalar_one():
        raise ValueError(f"store {place.store_id} still anchors members: move them first")
    connection.execute(delete(store_groups).where(store_groups.c.id == place.group_id))
