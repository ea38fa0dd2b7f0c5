"""Checks every promise of the database that its own constraints cannot hold, and reports the rows that break it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, Text, not_, select, text, type_coerce

from models.checks import slots, stores
from models.checks.queries import QUERIES
from models.clocks import times
from models.database.dialect import is_postgres
from models.tables import metadata
from models.tables.types import UtcDateTime

EXAMPLES = 5

_PROMISES = {
    **stores.PROMISES,
    **slots.PROMISES,
    "file": "SQLite's file and foreign keys are sound",
    "times": "SQLite's times are UTC and in one format, so that the order of the texts is the order of the times",
    "future": "no time lies in the future: scripts/rollback_run.py heals a store whose run had a wrong clock",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    check: str
    promise: str
    count: int
    examples: tuple[str, ...]
    """At most EXAMPLES of the rows that break it, as column=value texts."""


def check(connection: Connection, now: datetime | None = None) -> Iterator[Violation]:
    """Checks everything and yields each promise that is broken; nothing for a sound database.

    now: later times are reported as in the future; None: times are not compared with a clock.
    """
    for name, (promise, sql) in QUERIES.items():
        rows = [" ".join(f"{k}={v}" for k, v in row.items()) for row in connection.execute(text(sql)).mappings()]
        if rows:
            yield Violation(name, promise, len(rows), tuple(rows[:EXAMPLES]))
    examples: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for name, example in chain(stores.broken(connection), slots.broken(connection), _file(connection)):
        counts[name] += 1
        if counts[name] <= EXAMPLES:
            examples.setdefault(name, []).append(example)
    if now is not None:
        late = list(times.broken(connection, now, EXAMPLES))
        counts["future"] = sum(count for count, _ in late)
        examples["future"] = [example for _, rows_of_column in late for example in rows_of_column][:EXAMPLES]
    for name, promise in _PROMISES.items():
        if counts[name]:
            yield Violation(name, promise, counts[name], tuple(examples[name]))


def _file(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields ("file" or "times", an example) for the promises that PostgreSQL keeps by itself and SQLite does not."""
    if is_postgres(connection):
        return
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        yield "file", f"table={row[0]} rowid={row[1]} parent={row[2]}"
    for (problem,) in connection.execute(text("PRAGMA integrity_check")):
        if problem != "ok":
            yield "file", str(problem)
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, UtcDateTime):
                stored = type_coerce(column, Text)
                is_utc = stored.op("GLOB", is_comparison=True)("????-??-??T??:??:??.??????+00:00")
                for value in connection.execute(select(stored).where(not_(is_utc)).limit(EXAMPLES)).scalars():
                    yield "times", f"{table.name}.{column.name}={value}"
