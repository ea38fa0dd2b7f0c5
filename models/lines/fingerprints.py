"""What the lines of a store cost, as a column, and the fingerprint by which grouping finds equal stores.

The fingerprint is kept while publishing, in `store_ranges`. It covers the terms of each line that the store ranges and
has a price for. Price rows are read to compute it, and by grouping for stores that must be compared.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, select, text, update

from models.database.dialect import is_postgres
from models.lines.ordinals import Ordinals, of_stores
from models.tables import store_ranges
from splitcart.bits import unpack
from splitcart.grouping.columns import EMPTY, EXTRAS, Column, Ints, column

# The terms of all lines of a store in one value: 25,000 rows one by one take six times as long.
_ON_SQLITE = text("""
    SELECT group_concat(listing_id || ' ' || price_cents || ' ' || (price_basis = 'kg')
        || ' ' || coalesce(was_price_cents, -1)
        || ' ' || coalesce(multibuy_quantity, -1) || ' ' || coalesce(multibuy_total_cents, -1)
        || ' ' || coalesce(member_price_cents, -1)
        || ' ' || coalesce(member_multibuy_quantity, -1) || ' ' || coalesce(member_multibuy_total_cents, -1), ' ')
    FROM prices WHERE store_id = :store""")
# Most lines have a price alone: (listing, price) of all, and the rest of the terms where there is any.
_ON_POSTGRES = text("""
    SELECT string_agg(int4send(listing_id) || int4send(price_cents), ''::bytea),
        string_agg(int4send(listing_id) || int4send((price_basis = 'kg')::int)
            || int4send(coalesce(was_price_cents, -1))
            || int4send(coalesce(multibuy_quantity, -1)) || int4send(coalesce(multibuy_total_cents, -1))
            || int4send(coalesce(member_price_cents, -1))
            || int4send(coalesce(member_multibuy_quantity, -1)) || int4send(coalesce(member_multibuy_total_cents, -1)),
            ''::bytea)
        FILTER (WHERE price_basis <> 'each' OR was_price_cents IS NOT NULL OR multibuy_quantity IS NOT NULL
            OR member_price_cents IS NOT NULL OR member_multibuy_quantity IS NOT NULL)
    FROM prices WHERE store_id = :store""")
_WIDTH = 2 + len(EXTRAS)


def refresh(connection: Connection, store_id: int, listings: Ordinals | None = None) -> None:
    """Brings the fingerprint of a store up to date, in the transaction that changed its prices or its range.

    `listings`: those of its company, where the caller has them.
    """
    [(_, lines)] = columns(connection, [store_id], listings)
    table = store_ranges
    connection.execute(update(table).where(table.c.store_id == store_id).values(fingerprint=lines.fingerprint()))


def columns(
    connection: Connection, store_ids: Sequence[int], listings: Ordinals | None = None
) -> Iterator[tuple[int, Column]]:
    """Each store with the terms of the lines that it ranges and has a price for."""
    known = listings if listings is not None else of_stores(connection, store_ids)
    table = store_ranges.c
    ranges = connection.execute(select(table.store_id, table.ranged).where(table.store_id.in_(store_ids)))
    ranged = {row.store_id: unpack(row.ranged) for row in ranges}
    for store in store_ids:
        rows = _packed_rows(connection, store) if is_postgres(connection) else _rows(connection, store)
        rows = _placed(rows, known)
        yield store, column(*rows.T).masked(ranged.get(store, unpack(b""))) if len(rows) else EMPTY


def _placed(rows: Ints, known: Ordinals) -> Ints:
    """The rows with ordinals in place of ids, without rows whose listing does not exist (the checks find these)."""
    place = np.minimum(np.searchsorted(known.ids, rows[:, 0]), len(known.ids) - 1)
    there = known.ids[place] == rows[:, 0] if len(known.ids) else np.zeros(len(rows), np.bool_)
    placed = rows[there]
    placed[:, 0] = known.ordinals[place[there]]
    return placed


def _rows(connection: Connection, store_id: int) -> Ints:
    """(rows, 2 + EXTRAS): listing_id, price_cents, and the rest of the terms; -1 for null."""
    numbers = connection.execute(_ON_SQLITE, {"store": store_id}).scalar() or ""
    return np.fromstring(numbers, np.int64, sep=" ").reshape(-1, _WIDTH)


def _packed_rows(connection: Connection, store_id: int) -> Ints:
    """Like `_rows`, from two strings of PostgreSQL: (listing, price), and (listing, the terms without the price)."""
    packed = connection.execute(_ON_POSTGRES, {"store": store_id}).one()
    sizes = zip(packed, (2, _WIDTH - 1), strict=True)
    pairs, more = (np.frombuffer(part or b"", ">i4").reshape(-1, width).astype(np.int64) for part, width in sizes)
    table = np.full((len(pairs), _WIDTH), -1, np.int64)
    table[:, 2] = 0  # sold by the piece
    table[:, :2] = pairs[np.argsort(pairs[:, 0], kind="stable")]
    table[np.searchsorted(table[:, 0], more[:, 0]), 2:] = more[:, 1:]
    return table
