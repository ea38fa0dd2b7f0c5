"""Marks the price slots that must be built again, in the transaction that changed what they are built from.

A mark names a product (at all stores) or a store (all its products). `models.slots` builds them.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, func, insert, literal, select

from models.database.dialect import is_one_of
from models.tables import listings as all_listings
from models.tables import price_changes, slot_dirty
from models.tables.types import UtcDateTime


def stores(connection: Connection, store_ids: Collection[int], now: datetime) -> None:
    """Marks stores that are new, or whose anchor is another one."""
    _mark(connection, "store_id", store_ids, now)


def products(connection: Connection, product_ids: Collection[int], now: datetime) -> None:
    """Marks products that a listing joined or left."""
    _mark(connection, "product_id", product_ids, now)


def listings(connection: Connection, listing_ids: Collection[int], now: datetime) -> None:
    """Marks the products of listings whose price changed in a store."""
    if listing_ids:
        sold_as = select(all_listings.c.product_id).where(is_one_of(connection, all_listings.c.id, listing_ids))
        products(connection, set(connection.execute(sold_as).scalars()), now)


def listings_in(connection: Connection, source: Table, now: datetime, *which: ColumnElement[bool]) -> None:
    """Marks the products of the listings in a temporary table (its column listing_id) whose rows meet `which`.

    Each product is found by one look-up, whatever number of rows the planner expects.
    """
    product = select(all_listings.c.product_id).where(all_listings.c.id == source.c.listing_id).scalar_subquery()
    found = select(product, literal(now, UtcDateTime())).distinct().select_from(source).where(*which)
    connection.execute(insert(slot_dirty).from_select(["product_id", "marked_at"], found))


def seen_again(connection: Connection, seen: Table, anchor_id: int, since: datetime, now: datetime) -> None:
    """Marks what a member was seen to sell at an unchanged price, if its anchor has changed that price `since`.

    Such prices were inferred or contested until then, and may be the member's own now. `seen`: listing_id, price_cents.
    """
    change = price_changes.c
    of_line = (change.store_id == anchor_id, change.listing_id == seen.c.listing_id)
    last = select(func.max(change.changed_at)).where(*of_line).scalar_subquery()
    listings_in(connection, seen, now, seen.c.price_cents.is_not(None), last > since)


def _mark(connection: Connection, name: str, ids: Collection[int], now: datetime) -> None:
    if ids:
        connection.execute(insert(slot_dirty), [{name: one, "marked_at": now} for one in sorted(ids)])
