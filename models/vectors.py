"""Each store's own offers as columns, kept while publishing: what grouping compares instead of price rows.

A store's column holds its own rows. What is in effect in a store is its own column, over its anchor's if it is a
member, in the lines that the store ranges and has told a price of (`models.group_reading`). All of it can be rebuilt
from prices and store_ranges.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, select, text

from models.dialect import is_postgres, upsert
from models.ordinals import Ordinals, of_stores
from models.ranges import shown
from models.tables import store_ranges, store_vectors
from splitcart.grouping_columns import EMPTY, Column, Ints, bits, column

_ROWS = """SELECT group_concat(listing_id || ' ' || price_cents || ' ' || coalesce(was_price_cents, -1) || ' '
    || coalesce(multibuy_quantity, -1) || ' ' || coalesce(multibuy_total_cents, -1), ' ')
    FROM prices WHERE store_id = :store"""
_PACKED = """COPY (
    SELECT string_agg(int4send(listing_id) || int4send(price_cents), ''::bytea),
        string_agg(int4send(listing_id) || int4send(coalesce(was_price_cents, -1))
            || int4send(coalesce(multibuy_quantity, -1)) || int4send(coalesce(multibuy_total_cents, -1)), ''::bytea)
            FILTER (WHERE was_price_cents IS NOT NULL OR multibuy_quantity IS NOT NULL)
    FROM prices WHERE store_id = {store}) TO STDOUT (FORMAT binary)"""
_HEAD = 19 + 2
"""Bytes of binary COPY before the first field of its first row: signature, flags, extension, number of fields."""
_STORES_AT_ONCE = 50


def refresh(connection: Connection, store_id: int, listings: Ordinals | None = None) -> None:
    """Brings one store's column up to date, in the transaction that changed its prices or its range.

    `listings`: its company's, where they have just been read.
    """
    refresh_all(connection, [store_id], listings)


def refresh_all(connection: Connection, store_ids: Sequence[int], listings: Ordinals | None = None) -> None:
    """Like `refresh`, for many. A column that did not change is not written."""
    for start in range(0, len(store_ids), _STORES_AT_ONCE):
        part = sorted(store_ids)[start : start + _STORES_AT_ONCE]
        table = store_vectors.c
        known = select(table.store_id, table.fingerprint, table.digest).where(table.store_id.in_(part))
        kept = {row.store_id: (row.fingerprint, row.digest) for row in connection.execute(known)}
        lines = shown_lines(connection, part)
        statement = upsert(connection, store_vectors)
        values = {name: statement.excluded[name] for name in ("fingerprint", "digest", "present", "codes")}
        for store, of in own_columns(connection, part, listings).items():
            seen, digest = of.masked(flags(lines.get(store, b""))), of.fingerprint()
            prints = (digest if seen.lines == of.lines else seen.fingerprint(), digest)
            if kept.get(store) != prints:
                row = {"fingerprint": prints[0], "digest": prints[1], "present": _present(of), "codes": of.pack()}
                upserted = statement.on_conflict_do_update(index_elements=["store_id"], set_=values)
                connection.execute(upserted, {"store_id": store, **row})


def shown_lines(connection: Connection, store_ids: Sequence[int]) -> dict[int, bytes]:
    """The lines of each store that have a price in effect, as a bit string over listings.ordinal."""
    table = store_ranges.c
    wanted = select(table.store_id, table.ranged, table.priced).where(table.store_id.in_(store_ids))
    return {row.store_id: shown(row.ranged, row.priced) for row in connection.execute(wanted)}


def forget(connection: Connection, store_ids: Sequence[int]) -> None:
    """Drops columns that may be wrong; the next merge makes them again."""
    connection.execute(delete(store_vectors).where(store_vectors.c.store_id.in_(store_ids)))


def own_columns(
    connection: Connection, store_ids: Sequence[int], listings: Ordinals | None = None
) -> dict[int, Column]:
    """The stores' own rows as prices has them now."""
    return dict.fromkeys(store_ids, EMPTY) | dict(_columns(connection, store_ids, listings))


def flags(lines: bytes) -> npt.NDArray[np.bool_]:
    """A bit string over ordinals as flags."""
    return bits(lines, 8 * len(lines))


def _present(of: Column) -> bytes:
    return np.packbits(of.price != 0, bitorder="little").tobytes().rstrip(b"\0")


def _columns(
    connection: Connection, store_ids: Sequence[int], listings: Ordinals | None
) -> Iterator[tuple[int, Column]]:
    ids, ordinals = listings or of_stores(connection, store_ids)
    read = _packed_rows if is_postgres(connection) else _rows
    for store in store_ids:
        table = read(connection, store)
        if len(table):
            table[:, 0] = ordinals[np.searchsorted(ids, table[:, 0])]
            yield store, column(*table.T)


def _rows(connection: Connection, store_id: int) -> Ints:
    """(rows, 5): listing_id, price_cents, was_price_cents, multibuy_quantity, multibuy_total_cents; -1 for null."""
    told = connection.execute(text(_ROWS), {"store": store_id}).scalar() or ""
    return np.array(told.split(), np.int64).reshape(-1, 5)


def _packed_rows(connection: Connection, store_id: int) -> Ints:
    """Like `_rows`; the server packs the columns, which takes it half the time of sending row by row."""
    raw = io.BytesIO()
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(_PACKED.format(store=int(store_id)), raw)
    cursor.close()
    prices, rest = _field(raw.getbuffer(), _HEAD)
    extra, _ = _field(raw.getbuffer(), rest)
    pairs, more = (np.frombuffer(part, ">i4").reshape(-1, n).astype(np.int64) for part, n in ((prices, 2), (extra, 4)))
    table = np.full((len(pairs), 5), -1, np.int64)
    table[:, :2] = pairs[np.argsort(pairs[:, 0], kind="stable")]
    table[np.searchsorted(table[:, 0], more[:, 0]), 2:] = more[:, 1:]
    return table


def _field(raw: memoryview, at: int) -> tuple[memoryview, int]:
    """The field of binary COPY that begins at a byte (empty for null), and where the next begins."""
    length = max(0, int.from_bytes(raw[at : at + 4], "big", signed=True))
    return raw[at + 4 : at + 4 + length], at + 4 + length
