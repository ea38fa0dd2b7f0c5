"""Marks what has to be built again of the price slots, in the transaction that changed what they are built from.

A mark is of a product, at all stores, or of a store, with all that it has. `models.slots` builds.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text

from models.dialect import among, by_hash, listed, looked_up
from models.types import UtcDateTime


def stores(connection: Connection, store_ids: Collection[int], now: datetime) -> None:
    """Marks stores: they are new, or their anchor is another."""
    sql = "INSERT INTO slot_dirty (store_id, marked_at) VALUES (:store, :now)"
    if store_ids:
        rows = [{"store": store_id, "now": now} for store_id in sorted(store_ids)]
        connection.execute(_timed(sql), rows)


def products(connection: Connection, product_ids: Collection[int], now: datetime) -> None:
    """Marks products: a listing became another product, or ceased to be it."""
    sql = "INSERT INTO slot_dirty (product_id, marked_at) VALUES (:product, :now)"
    if product_ids:
        rows = [{"product": product_id, "now": now} for product_id in sorted(product_ids)]
        connection.execute(_timed(sql), rows)


def listings(connection: Connection, listing_ids: Collection[int], now: datetime) -> None:
    """Marks the products of listings whose price changed in a store."""
    if listing_ids:
        sql = f"""INSERT INTO slot_dirty (product_id, marked_at)
            SELECT DISTINCT product_id, :now FROM listings WHERE {among(connection, "id", "ids")}"""  # noqa: S608
        connection.execute(_timed(sql), {"now": now, "ids": listed(connection, sorted(listing_ids))})


def changed(connection: Connection, now: datetime) -> None:
    """Marks the products of publish_diff, which the publish of this transaction has filled."""
    its = looked_up(connection, "l", "listings", "l.product_id", "l.id = d.listing_id", outer=False)
    sql = f"""INSERT INTO slot_dirty (product_id, marked_at)
        SELECT DISTINCT l.product_id, :now FROM publish_diff d {its}"""  # noqa: S608 our own names
    with by_hash(connection, looks_up=True):
        connection.execute(_timed(sql), {"now": now})


def seen_again(connection: Connection, anchor_id: int, since: datetime, now: datetime) -> None:
    """Marks what a member was seen to charge, though it wrote no row, where its anchor has changed `since`.

    What stood for the member's price until then, or was contested, may be its own price now.
    """
    its = looked_up(connection, "l", "listings", "l.product_id", "l.id = c.listing_id", outer=False)
    sql = f"""INSERT INTO slot_dirty (product_id, marked_at)
        SELECT DISTINCT l.product_id, :now FROM price_changes c
        JOIN publish_seen w ON w.listing_id = c.listing_id {its}
        WHERE c.store_id = :anchor AND c.changed_at > :since AND w.price_cents IS NOT NULL"""  # noqa: S608 our own names
    with by_hash(connection, looks_up=True):
        connection.execute(_timed(sql, "since"), {"now": now, "anchor": anchor_id, "since": since})


def _timed(sql: str, *more: str) -> Any:
    return text(sql).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("now", *more)))
