"""Checks each store's range, sightings and fingerprint, for models.checks.checking.

A fleet has tens of millions of lines: they are read as bit strings over listings.ordinal, for some stores at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Table, func, select

from models.lines import fingerprints, ordinals, sightings
from models.tables import listings, missing_listings, prices, store_ranges, stores
from splitcart.bits import Bits, fitted, flags, unpack

PROMISES = {
    "range": "range and stock agree with the listings and with what is missing",
    "available_without_price": "each listing that a store has in stock has a price",
    "sightings": "the sightings of a store have a look at each line with a price, and at no other",
    "fingerprint": "a store's fingerprint is the digest of its price rows",
}
STORES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Store:
    """One store's lines: bit strings over listings.ordinal, all of one length."""

    store_id: int
    listings: int
    """How many listings the company has."""
    ranged: Bits
    available: Bits
    missing: Bits
    """Not seen by the last complete run, and still ranged."""
    priced: Bits
    """Has a price row."""
    sighted: Bits
    """Seen with a price, by the store's sightings."""
    has_good_fingerprint: bool

    def lines(self, wrong: Bits) -> Iterator[str]:
        """Yields an example for each wrong line."""
        for ordinal in np.flatnonzero(wrong).tolist():
            yield f"store_id={self.store_id} ordinal={ordinal}"


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields (name of the promise, an example) for each line or store that breaks a promise."""
    ids = list(connection.execute(select(stores.c.id).order_by(stores.c.id)).scalars())
    for start in range(0, len(ids), STORES_AT_ONCE):
        for store in _read(connection, ids[start : start + STORES_AT_ONCE]):
            yield from (("range", example) for example in _range(store))
            unpriced = store.ranged & store.available & ~store.priced
            yield from (("available_without_price", example) for example in store.lines(unpriced))
            yield from (("sightings", example) for example in store.lines(store.priced ^ store.sighted))
            if not store.has_good_fingerprint:
                yield "fingerprint", f"store_id={store.store_id}"


def _range(store: _Store) -> Iterator[str]:
    beyond = np.arange(len(store.ranged)) >= store.listings
    for name, bits in (("stock", store.available & ~store.ranged), ("range", store.ranged)):
        if np.any(bits & beyond):
            yield f"store_id={store.store_id}: {name} beyond the company's listings"
    for example in store.lines(store.missing & (~store.ranged | store.available)):
        yield f"{example}: missing once, so ranged and not available"


def _read(connection: Connection, ids: Sequence[int]) -> Iterator[_Store]:
    """The stores of these ids."""
    width_of = select(func.max(listings.c.ordinal)).where(listings.c.company_id == stores.c.company_id)
    widths = select(stores.c.id, func.coalesce(width_of.scalar_subquery(), -1) + 1).where(stores.c.id.in_(ids))
    lengths = {row[0]: row[1] for row in connection.execute(widths)}
    query = select(store_ranges).where(store_ranges.c.store_id.in_(ids))
    ranges = {row.store_id: row for row in connection.execute(query)}
    known, seen = ordinals.of_stores(connection, ids), sightings.read(connection, ids)
    missing, priced = (_lines(connection, table, ids) for table in (missing_listings, prices))
    shown = dict(fingerprints.columns(connection, ids, known))
    for store_id in ids:
        row = ranges.get(store_id)
        bits = {name: unpack(getattr(row, name, None)) for name in ("ranged", "available")}
        bits |= {name: _flags(of.get(store_id, [])) for name, of in (("missing", missing), ("priced", priced))}
        bits["sighted"] = seen[store_id].lines
        width = max(lengths[store_id], *map(len, bits.values()))
        wide = {name: fitted(held, width) for name, held in bits.items()}
        kept = None if row is None else row.fingerprint  # null is sound: the next merge makes it
        good = kept is None or bytes(kept) == shown[store_id].fingerprint()
        yield _Store(store_id=store_id, listings=lengths[store_id], has_good_fingerprint=good, **wide)


def _lines(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, list[int]]:
    """By store id, the ordinals of its listings in a table; from missing_listings those not delisted."""
    query = select(table.c.store_id, listings.c.ordinal).join(listings, listings.c.id == table.c.listing_id)
    query = query.where(table.c.store_id.in_(ids))
    if table is missing_listings:
        query = query.where(missing_listings.c.delisted_at.is_(None))
    ordinals_of: dict[int, list[int]] = {}
    for store_id, ordinal in connection.execute(query):
        ordinals_of.setdefault(store_id, []).append(ordinal)
    return ordinals_of


def _flags(ordinals: Sequence[int]) -> Bits:
    return flags(np.array(ordinals, np.int64), max(ordinals, default=-1) + 1)
