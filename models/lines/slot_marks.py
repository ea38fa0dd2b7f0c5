"""Marks the price slots that must be built again, in the transaction that changed what they are built from.

A mark names a product (at all stores) or a store (all its products). `models.slots` builds them.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TableClause, column, func, insert, literal, select, table

from models.database.dialect import is_one_of
from models.tables import listings as all_listings
from models.tables import price_changes, slot_dirty
from models.tables.types import UtcDateTime

_DIFF = table("publish_diff", column("listing_id"))
_SEEN = table("publish_seen", column("listing_id"), column("price_cents"))
"""The temporary tables of the publish of this transaction."""


def stores(connection: Connection, store_ids: Collection[int], now: datetime) -> None:
    """Marks stores that are new, or whose anchor is another one."""
    _mark(connection, "store_id", store_ids, now)


def products(connection: Connection, product_ids: Collection[int], now: datetime) -> None:
    """Marks products that a listing joined or left."""
    _mark(connection, "product_id", product_ids, now)


def listings(connection: Connection, listing_ids: Collection[int], now: datetime) -> None:
    """Marks the products of listings whose price changed in a store."""
    if listing_ids:
        its = select(all_listings.c.product_id).where(is_one_of(connection, all_listings.c.id, listing_ids))
        products(connection, set(connection.execute(its).scalars()), now)


def changed(connection: Connection, now: datetime) -> None:
    """Marks the products of publish_diff, which the publish of this transaction has filled."""
    _mark_all(connection, _DIFF, now)


def seen_again(connection: Connection, anchor_id: int, since: datetime, now: datetime) -> None:
    """Marks the products that a member was seen to sell at an unchanged price, where its anchor has changed `since`.

    Their prices were inferred or contested until then, and may be the member's own now.
    """
    change = price_changes.c
    last = select(func.max(change.changed_at)).where(
        change.store_id == anchor_id, change.listing_id == _SEEN.c.listing_id
    )
    _mark_all(connection, _SEEN, now, _SEEN.c.price_cents.is_not(None), last.scalar_subquery() > since)


def _mark(connection: Connection, name: str, ids: Collection[int], now: datetime) -> None:
    if ids:
        connection.execute(insert(slot_dirty), [{name: one, "marked_at": now} for one in sorted(ids)])


def _mark_all(connection: Connection, source: TableClause, now: datetime, *which: ColumnElement[bool]) -> None:
    """Marks the products of a temporary table's listings, by one look-up each whatever the planner expects."""
    its = select(all_listings.c.product_id).where(all_listings.c.id == source.c.listing_id).scalar_subquery()
    found = select(its, literal(now, UtcDateTime())).distinct().select_from(source).where(*which)
    connection.execute(insert(slot_dirty).from_select(["product_id", "marked_at"], found))
