"""Every invariant of the database that its own constraints cannot hold, as queries that find what breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, text

from models import check_queries, vectors
from models.check_queries import QUERIES
from models.ranges import unpack
from models.tables import store_ranges, store_vectors

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    check: str
    promise: str
    count: int
    examples: tuple[str, ...]
    """A few of the rows that break it, as column=value texts."""


def check(connection: Connection) -> Iterator[Violation]:
    """Checks everything; yields what is broken, nothing for a sound database."""
    for name, (promise, sql) in QUERIES.items():
        rows = [" ".join(f"{k}={v}" for k, v in row.items()) for row in connection.execute(text(sql)).mappings()]
        if rows:
            yield Violation(name, promise, len(rows), tuple(rows[:EXAMPLES]))
    for name, (promise, find) in _FUNCTIONS.items():
        found = list(find(connection))
        if found:
            yield Violation(name, promise, len(found), tuple(found[:EXAMPLES]))


def _bits(connection: Connection) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for row in connection.execute(select(store_ranges).order_by(store_ranges.c.store_id)):
        yield row.store_id, unpack(row.ranged), unpack(row.available)


def _listings(connection: Connection, sql: str) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for store_id, ordinal in connection.execute(text(sql)):
        found.setdefault(store_id, set()).add(ordinal)
    return found


def _range_is_sound(connection: Connection) -> Iterator[str]:
    length: dict[int, int] = {row[0]: row[1] for row in connection.execute(text(check_queries.LENGTHS))}
    missing = _listings(connection, check_queries.MISSING)
    for store_id, ranged, available in _bits(connection):
        if np.any(available & ~ranged) and np.any((available & ~ranged)[length.get(store_id, 0) :]):
            yield f"store_id={store_id}: stock beyond the company's listings"
        if np.any(ranged[length.get(store_id, 0) :]):
            yield f"store_id={store_id}: range beyond the company's listings"
        for ordinal in sorted(missing.get(store_id, ())):
            if ordinal >= len(ranged) or not ranged[ordinal] or available[ordinal]:
                yield f"store_id={store_id} ordinal={ordinal}: missing once, so ranged and not available"


def _available_is_priced(connection: Connection) -> Iterator[str]:
    priced = _listings(connection, check_queries.PRICED)
    delisted = _listings(connection, check_queries.DELISTED)
    for store_id, ranged, available in _bits(connection):
        known = priced.get(store_id, set()) - delisted.get(store_id, set())
        for ordinal in np.flatnonzero(ranged & available).tolist():
            if ordinal not in known:
                yield f"store_id={store_id} ordinal={ordinal}"


def _priced_is_told(connection: Connection) -> Iterator[str]:
    told = _listings(connection, check_queries.TOLD)
    for row in connection.execute(select(store_ranges.c.store_id, store_ranges.c.priced)):
        for ordinal in sorted(told.pop(row.store_id, set()) ^ set(np.flatnonzero(unpack(row.priced)).tolist())):
            yield f"store_id={row.store_id} ordinal={ordinal}"
    yield from (f"store_id={store_id}: prices told and no range" for store_id in told)


def _vectors_match(connection: Connection) -> Iterator[str]:
    kept = {row.store_id: row for row in connection.execute(select(store_vectors))}
    lines = vectors.shown_lines(connection, sorted(kept))
    for store_id, column in vectors.own_columns(connection, sorted(kept)).items():
        whole = column.masked(vectors.flags(lines.get(store_id, b"")))
        if (kept[store_id].fingerprint, kept[store_id].digest) != (whole.fingerprint(), column.fingerprint()):
            yield f"store_id={store_id}"


def _keys_hold(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"table={row[0]} rowid={row[1]} parent={row[2]}"
        for (told,) in connection.execute(text("PRAGMA integrity_check")):
            if told != "ok":
                yield str(told)


_FUNCTIONS: dict[str, tuple[str, Callable[[Connection], Iterator[Any]]]] = {
    "range": ("range and stock agree with the listings and with what is missing", _range_is_sound),
    "available_without_price": ("what a store has in stock has a price", _available_is_priced),
    "priced": ("a line counts as priced in a store exactly where its history ends with a price", _priced_is_told),
    "vectors": ("a store's column of offers is what its price rows say", _vectors_match),
    "file": ("SQLite's file and foreign keys are sound", _keys_hold),
}
