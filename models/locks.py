"""The order in which all that changes prices takes its locks: stores by id, then their groups by id, then runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from models.tables import store_group_memberships, store_groups, stores


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store stands among its group."""

    store_id: int
    group_id: int
    anchor_id: int

    @property
    def is_anchor(self) -> bool:
        return self.anchor_id == self.store_id


def lock_stores(connection: Connection, store_ids: Iterable[int]) -> None:
    """Locks stores and then their groups, in id order, for a change of groups. SQLite: BEGIN IMMEDIATE did it."""
    ids = sorted(store_ids)
    wanted = select(stores.c.id).where(stores.c.id.in_(ids)).order_by(stores.c.id)
    connection.execute(wanted.with_for_update()).all()
    groups = select(store_group_memberships.c.group_id).where(store_group_memberships.c.store_id.in_(ids))
    locked = select(store_groups.c.id).where(store_groups.c.id.in_(groups)).order_by(store_groups.c.id)
    connection.execute(locked.with_for_update()).all()


def lock_for_publishing(connection: Connection, store_id: int) -> Place:
    """Locks the store, then its group: shared by members, alone by the anchor.

    Members write beside each other; none of them compares with an anchor whose rows are changing.
    """
    connection.execute(select(stores.c.id).where(stores.c.id == store_id).with_for_update()).all()
    member = store_group_memberships
    wanted = (
        select(store_groups.c.id, store_groups.c.anchor_id)
        .join(member, member.c.group_id == store_groups.c.id)
        .where(member.c.store_id == store_id)
    )
    group = connection.execute(wanted).one()
    lock = select(store_groups.c.id).where(store_groups.c.id == group.id)
    connection.execute(lock.with_for_update(read=group.anchor_id != store_id)).all()
    return Place(store_id, int(group.id), int(group.anchor_id))
