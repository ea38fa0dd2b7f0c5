"""Makes a store's row together with its group: no store is without one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from models.database.dialect import insert_ignoring, upsert
from models.tables import membership_periods, store_group_memberships, store_groups, stores


def ensure_store(connection: Connection, company_id: int, store_code: str, now: datetime, **known: Any) -> int:
    """The id of the store's row. A new one becomes the anchor of a new group, from `now` on.

    `known`: columns of stores for a new row (store_name, suburb, timezone, ...); an existing row is left as it is.
    """
    wanted = select(stores.c.id).where(stores.c.company_id == company_id, stores.c.store_code == store_code)
    found = connection.execute(wanted).scalar()
    if found is not None:
        return int(found)
    values: Mapping[str, Any] = {"store_name": store_code} | known
    row = insert_ignoring(connection, stores).values(company_id=company_id, store_code=store_code, **values)
    store_id = connection.execute(row.returning(stores.c.id)).scalar()
    if store_id is None:  # another process made it, with its group, between our read and our insert
        return int(connection.execute(wanted).scalar_one())
    found_group(connection, company_id, int(store_id), now)
    return int(store_id)


def found_group(connection: Connection, company_id: int, store_id: int, at: datetime) -> None:
    """Puts the store into a new group, of which it is the anchor, from `at` on. It has no open membership period."""
    group = insert(store_groups).values(company_id=company_id, anchor_id=store_id).returning(store_groups.c.id)
    enter_group(connection, store_id, connection.execute(group).scalar_one(), store_id, at)


def enter_group(connection: Connection, store_id: int, group_id: int, anchor_id: int, at: datetime) -> None:
    """Makes the store a member of the group from `at` on. It has no open membership period."""
    member = upsert(connection, store_group_memberships).values(store_id=store_id, group_id=group_id)
    connection.execute(member.on_conflict_do_update(index_elements=["store_id"], set_={"group_id": group_id}))
    period = {"store_id": store_id, "from_at": at, "group_id": group_id, "anchor_id": anchor_id}
    connection.execute(insert(membership_periods).values(**period))
