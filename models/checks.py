"""Every invariant of the database that its own constraints cannot hold, as queries that find what breaks it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, text

from models import check_stores
from models.check_queries import QUERIES

EXAMPLES = 5

_PROMISES = check_stores.PROMISES | {"file": "SQLite's file and foreign keys are sound"}


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
    found: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for name, example in chain(check_stores.broken(connection), (("file", told) for told in _keys_hold(connection))):
        counts[name] += 1
        if counts[name] <= EXAMPLES:
            found.setdefault(name, []).append(example)
    for name, promise in _PROMISES.items():
        if counts[name]:
            yield Violation(name, promise, counts[name], tuple(found[name]))


def _keys_hold(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"table={row[0]} rowid={row[1]} parent={row[2]}"
        for (told,) in connection.execute(text("PRAGMA integrity_check")):
            if told != "ok":
                yield str(told)
