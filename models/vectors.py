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
from sqlalchemy import Connection, bindparam, delete, select, text

from models import group_rows
from models.dialect import upsert
from models.ranges import shown
from models.tables import store_ranges, store_vectors
from splitcart.grouping_columns import EMPTY, Column, Ints, bits, column

_FIELDS = (
    "store_id",
    "listing_id",
    "price_cents",
    "coalesce(was_price_cents, -1)",
    "coalesce(multibuy_quantity, -1)",
    "coalesce(multibuy_total_cents, -1)",
)
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM prices"  # noqa: S608 our columns
_BINARY_HEAD, _BINARY_TAIL = 19, 2
_RECORD = np.dtype([("fields", ">i2"), *((f"{kind}{i}", ">i4") for i in range(len(_FIELDS)) for kind in ("size", "v"))])
_STORES_AT_ONCE = 50


def refresh(connection: Connection, store_id: int) -> None:
    """Brings one store's column up to date, in the transaction that changed its prices or its range."""
    refresh_all(connection, [store_id])


def refresh_all(connection: Connection, store_ids: Sequence[int]) -> None:
    """Like `refresh`, for many. A column that did not change is not written."""
    for start in range(0, len(store_ids), _STORES_AT_ONCE):
        part = sorted(store_ids)[start : start + _STORES_AT_ONCE]
        table = store_vectors.c
        known = select(table.store_id, table.fingerprint, table.digest).where(table.store_id.in_(part))
        kept = {row.store_id: (row.fingerprint, row.digest) for row in connection.execute(known)}
        lines = shown_lines(connection, part)
        statement = upsert(connection, store_vectors)
        values = {name: statement.excluded[name] for name in ("fingerprint", "digest", "present", "codes")}
        for store, of in own_columns(connection, part).items():
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


def own_columns(connection: Connection, store_ids: Sequence[int]) -> dict[int, Column]:
    """The stores' own rows as prices has them now."""
    return dict.fromkeys(store_ids, EMPTY) | dict(_columns(connection, store_ids))


def flags(lines: bytes) -> npt.NDArray[np.bool_]:
    """A bit string over ordinals as flags."""
    return bits(lines, 8 * len(lines))


def _present(of: Column) -> bytes:
    return np.packbits(of.price != 0, bitorder="little").tobytes().rstrip(b"\0")


def _columns(connection: Connection, store_ids: Sequence[int]) -> Iterator[tuple[int, Column]]:
    table = _table(connection, store_ids)
    table = table[np.argsort(table[:, 0], kind="stable")]
    if len(table):
        ids, ordinals = group_rows.ordinals(connection, store_ids)
        table[:, 1] = ordinals[np.searchsorted(ids, table[:, 1])]
    stores, starts = np.unique(table[:, 0], return_index=True)
    for store, rows in zip(stores.tolist(), np.split(table, starts[1:]) if len(stores) else [], strict=True):
        yield store, column(*rows.T[1:])


def _table(connection: Connection, store_ids: Sequence[int]) -> Ints:
    """(rows, fields) of the stores' price rows, -1 for null; from PostgreSQL by binary COPY."""
    if connection.dialect.name != "postgresql":
        wanted = text(f"{_SELECT} WHERE store_id IN :stores").bindparams(bindparam("stores", expanding=True))
        rows = connection.execute(wanted, {"stores": list(store_ids)}).all()
        return np.array([tuple(row) for row in rows], np.int64).reshape(-1, len(_FIELDS))
    listed = ", ".join(str(int(s)) for s in store_ids) or "NULL"
    raw = io.BytesIO()
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(f"COPY ({_SELECT} WHERE store_id IN ({listed})) TO STDOUT (FORMAT binary)", raw)
    cursor.close()
    body = raw.getbuffer()[_BINARY_HEAD : raw.getbuffer().nbytes - _BINARY_TAIL]
    records = np.frombuffer(body, _RECORD)
    return np.stack([records[f"v{i}"].astype(np.int64) for i in range(len(_FIELDS))], axis=1)
