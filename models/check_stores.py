"""What models.checks holds of each store's range, history and column of offers, some stores at a time.

A fleet has tens of millions of lines: they are read as bit strings over listings.ordinal, and never all at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, text

from models import check_queries, vectors
from models.dialect import among, listed
from models.ranges import Bits, unpack
from models.tables import store_group_memberships, store_groups, store_ranges, store_vectors, stores
from splitcart.grouping_columns import EMPTY, Column

PROMISES = {
    "range": "range and stock agree with the listings and with what is missing",
    "available_without_price": "what a store has in stock has a price",
    "priced": "a line counts as priced in a store exactly where its history ends with a price",
    "vectors": "a store's column of offers is what its price rows say",
}
STORES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Store:
    """One store's lines, all over listings.ordinal and equally long."""

    store_id: int
    listings: int
    """How many the company has."""
    ranged: Bits
    available: Bits
    priced: Bits
    missing: Bits
    """Unseen once by a complete run."""
    told: Bits
    """The history ends with a price."""
    offered: Bits
    """The store or its anchor has a price row."""
    own: Column
    kept: Any
    """The row of store_vectors; None where none is kept."""

    def lines(self, wrong: Bits) -> Iterator[str]:
        """An example of each line that is wrong."""
        for ordinal in np.flatnonzero(wrong).tolist():
            yield f"store_id={self.store_id} ordinal={ordinal}"


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """(name of the promise, an example) of all that is broken."""
    ids = list(connection.execute(select(stores.c.id).order_by(stores.c.id)).scalars())
    for start in range(0, len(ids), STORES_AT_ONCE):
        for store in _read(connection, ids[start : start + STORES_AT_ONCE]):
            yield from (("range", example) for example in _range(store))
            unpriced = store.ranged & store.available & ~(store.priced & store.offered)
            yield from (("available_without_price", example) for example in store.lines(unpriced))
            yield from (("priced", example) for example in store.lines(store.priced ^ store.told))
            if not _is_kept_rightly(store):
                yield "vectors", f"store_id={store.store_id}"


def _range(store: _Store) -> Iterator[str]:
    beyond = np.arange(len(store.ranged)) >= store.listings
    for name, bits in (("stock", store.available & ~store.ranged), ("range", store.ranged)):
        if np.any(bits & beyond):
            yield f"store_id={store.store_id}: {name} beyond the company's listings"
    for example in store.lines(store.missing & (~store.ranged | store.available)):
        yield f"{example}: missing once, so ranged and not available"


def _is_kept_rightly(store: _Store) -> bool:
    if store.kept is None:  # the next merge makes it
        return True
    shown = store.own.masked(store.ranged & store.priced)
    return (store.kept.fingerprint, store.kept.digest) == (shown.fingerprint(), store.own.fingerprint())


def _read(connection: Connection, ids: Sequence[int]) -> Iterator[_Store]:
    """The stores of these ids."""
    asked = {"stores": listed(connection, ids)}
    sql = f"{check_queries.LENGTHS} WHERE {among(connection, 's.id', 'stores')}"
    lengths: dict[int, int] = {row[0]: row[1] for row in connection.execute(text(sql), asked)}
    kept = {row.store_id: row for row in connection.execute(_of(store_vectors, ids))}
    ranges = {row.store_id: row for row in connection.execute(_of(store_ranges, ids))}
    anchors = _anchors(connection, ids)
    own = vectors.own_columns(connection, sorted({*ids, *anchors.values()}))
    missing, told = (_lines(connection, sql, ids) for sql in (check_queries.MISSING, check_queries.TOLD))
    for store_id in ids:
        row, column = ranges.get(store_id), own[store_id]
        bits = {name: unpack(getattr(row, name, None)) for name in ("ranged", "available", "priced")}
        bits["offered"] = column.over(own.get(anchors.get(store_id, store_id), EMPTY)).price != 0
        bits |= {"missing": _flags(missing.get(store_id, [])), "told": _flags(told.get(store_id, []))}
        width = max(lengths[store_id], *map(len, bits.values()))
        wide = {name: np.pad(flags, (0, width - len(flags))) for name, flags in bits.items()}
        yield _Store(store_id=store_id, listings=lengths[store_id], own=column, kept=kept.get(store_id), **wide)


def _of(table: Any, ids: Sequence[int]) -> Any:
    return select(table).where(table.c.store_id.in_(ids))


def _anchors(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    member, group = store_group_memberships.c, store_groups.c
    wanted = select(member.store_id, group.anchor_id).join(store_groups, group.id == member.group_id)
    return {row.store_id: row.anchor_id for row in connection.execute(wanted.where(member.store_id.in_(ids)))}


def _lines(connection: Connection, sql: str, ids: Sequence[int]) -> dict[int, list[int]]:
    """store_id -> ordinals that a query gives."""
    limited = sql.format(stores=among(connection, "store_id", "stores"))
    found: dict[int, list[int]] = {}
    for store_id, ordinal in connection.execute(text(limited), {"stores": listed(connection, ids)}):
        found.setdefault(store_id, []).append(ordinal)
    return found


def _flags(ordinals: Sequence[int]) -> Bits:
    flags = np.zeros(max(ordinals, default=-1) + 1, np.bool_)
    flags[list(ordinals)] = True
    return flags
