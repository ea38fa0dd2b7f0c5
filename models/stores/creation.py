"""Creates stores and groups: a store's row is made together with its group, so that no store is without one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from models.database.dialect import insert_ignoring, upsert
from models.tables import membership_periods, store_group_memberships, store_groups, stores


def ensure_store(connection: Connection, company_id: int, store_code: str, now: datetime, **known: Any) -> int:
    """The id of the store's row. A new store becomes the anchor of a new group, from `now` on.

    `known`: columns of stores for a new row (store_name, suburb, timezone, ...); an existing row is left as it is.
    """
    same_store = select(stores.c.id).where(stores.c.company_id == company_id, stores.c.store_code == store_code)
    existing_id = connection.execute(same_store).scalar()
    if existing_id is not None:
        return int(existing_id)
    values: Mapping[str, Any] = {"store_name": store_code} | known
    row = insert_ignoring(connection, stores).values(company_id=company_id, store_code=store_code, **values)
    store_id = connection.execute(row.returning(stores.c.id)).scalar()
    if store_id is None:  # another process made it, with its group, between our read and our insert
        return int(connection.execute(same_store).scalar_one())
    create_group(connection, company_id, int(store_id), now)
    return int(store_id)


def create_group(connection: Connection, company_id: int, store_id: int, at: datetime) -> None:
    """Makes the store the anchor of a new group from `at` on. The store must have no open membership period."""
    group = insert(store_groups).values(company_id=company_id, anchor_id=store_id).returning(store_groups.c.id)
    enter_group(connection, store_id, connection.execute(group).scalar_one(), store_id, at)


def enter_group(connection: Connection, store_id: int, group_id: int, anchor_id: int, at: datetime) -> None:
    """Makes the store a member of the group from `at` on. The store must have no open membership period."""
    member = upsert(connection, store_group_memberships).values(store_id=store_id, group_id=group_id)
    connection.execute(member.on_conflict_do_update(index_elements=["store_id"], set_={"group_id": group_id}))
    period = {"store_id": store_id, "from_at": at, "group_id": group_id, "anchor_id": anchor_id}
    connection.execute(insert(membership_periods).values(**period))
