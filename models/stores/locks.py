"""The order of locks in everything that changes prices: stores by id, then their groups by id, then runs."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from models.tables import companies, store_group_memberships, store_groups, stores


def lock_company(connection: Connection, company_id: int) -> None:
    """Locks a company, to add listings or stores to it."""
    connection.execute(select(companies.c.id).where(companies.c.id == company_id).with_for_update()).all()


def lock_stores(connection: Connection, store_ids: Iterable[int]) -> None:
    """Locks stores, then their groups, in id order, for a change of groups. A SQLite writer holds the file already."""
    ids = sorted(store_ids)
    query = select(stores.c.id).where(stores.c.id.in_(ids)).order_by(stores.c.id)
    connection.execute(query.with_for_update()).all()
    groups = select(store_group_memberships.c.group_id).where(store_group_memberships.c.store_id.in_(ids))
    locked = select(store_groups.c.id).where(store_groups.c.id.in_(groups)).order_by(store_groups.c.id)
    connection.execute(locked.with_for_update()).all()


def lock_store(connection: Connection, store_id: int) -> None:
    """Locks one store for a publish, which writes no row of another store."""
    connection.execute(select(stores.c.id).where(stores.c.id == store_id).with_for_update()).all()
