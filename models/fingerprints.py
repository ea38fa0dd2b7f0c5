"""What each store's own lines cost, as columns, and a fingerprint of them: how grouping tells equal stores.

The fingerprint is kept while publishing, in `store_ranges`. It covers the terms of each line that the store ranges and
has a price for. Price rows are read only to work it out, and by grouping for stores that must be compared.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, text, update

from models.dialect import is_postgres
from models.ordinals import Ordinals, of_stores
from models.tables import store_ranges
from splitcart.bits import unpack
from splitcart.grouping_columns import EMPTY, EXTRAS, Column, Ints, column

_EXTRAS = ("(price_basis = 'kg')", *(f"coalesce({name}, -1)" for name in EXTRAS[1:]))
_ROWS = f"""SELECT group_concat(listing_id || ' ' || price_cents || ' ' || {" || ' ' || ".join(_EXTRAS)}, ' ')
    FROM prices WHERE store_id = :store"""  # noqa: S608 our own names
_PACKED = f"""COPY (
    SELECT string_agg(int4send(listing_id) || int4send(price_cents), ''::bytea),
        string_agg(int4send(listing_id) || {
    " || ".join(f"int4send({one.replace(')', ')::int', 1) if '=' in one else one})" for one in _EXTRAS)
}, ''::bytea)
            FILTER (WHERE price_basis <> 'each' OR was_price_cents IS NOT NULL OR multibuy_quantity IS NOT NULL
                OR member_price_cents IS NOT NULL OR member_multibuy_quantity IS NOT NULL)
    FROM prices WHERE store_id = {{store}}) TO STDOUT (FORMAT binary)"""  # noqa: S608 our own names
_HEAD = 19 + 2
"""Bytes of binary COPY before the first field of its first row: signature, flags, extension, number of fields."""
_WIDTH = 2 + len(EXTRAS)


def refresh(connection: Connection, store_id: int, listings: Ordinals | None = None) -> None:
    """Brings the fingerprint of a store up to date, in the transaction that changed its prices or its range.

    `listings`: its company's, where they have just been read.
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
    """The rows with ordinals for ids. A row of a listing that is not there, which the checks find, is left out."""
    place = np.minimum(np.searchsorted(known.ids, rows[:, 0]), len(known.ids) - 1)
    there = known.ids[place] == rows[:, 0] if len(known.ids) else np.zeros(len(rows), np.bool_)
    placed = rows[there]
    placed[:, 0] = known.ordinals[place[there]]
    return placed


def _rows(connection: Connection, store_id: int) -> Ints:
    """(rows, 2 + EXTRAS): listing_id, price_cents, and the rest of the terms; -1 for null."""
    told = connection.execute(text(_ROWS), {"store": store_id}).scalar() or ""
    return np.array(told.split(), np.int64).reshape(-1, _WIDTH)


def _packed_rows(connection: Connection, store_id: int) -> Ints:
    """Like `_rows`; the server packs the columns, which takes it half the time of sending row by row."""
    raw = io.BytesIO()
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(_PACKED.format(store=int(store_id)), raw)
    cursor.close()
    prices, rest = _field(raw.getbuffer(), _HEAD)
    extra, _ = _field(raw.getbuffer(), rest)
    sizes = ((prices, 2), (extra, _WIDTH - 1))
    pairs, more = (np.frombuffer(part, ">i4").reshape(-1, n).astype(np.int64) for part, n in sizes)
    table = np.full((len(pairs), _WIDTH), -1, np.int64)
    table[:, 2] = 0  # sold by the piece
    table[:, :2] = pairs[np.argsort(pairs[:, 0], kind="stable")]
    table[np.searchsorted(table[:, 0], more[:, 0]), 2:] = more[:, 1:]
    return table


def _field(raw: memoryview, at: int) -> tuple[memoryview, int]:
    """The field of binary COPY that begins at a byte (empty for null), and where the next begins."""
    length = max(0, int.from_bytes(raw[at : at + 4], "big", signed=True))
    return raw[at + 4 : at + 4 + length], at + 4 + length
