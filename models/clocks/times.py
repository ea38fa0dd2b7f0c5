"""Finds times that lie in the future, because a clock was wrong when they were written."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, not_, select

from models.clocks.clock import MOST_OFF
from models.tables import crawl_runs, metadata
from models.tables.types import UtcDateTime

FORWARD: dict[str, timedelta | None] = {
    "lease_until": timedelta(days=2),
    "next_try_at": timedelta(days=2),
    # The site's own statement.
    "offer_until": None,
}
"""Columns that may lie in the future, with the largest plausible distance. None: not checked."""


def broken(connection: Connection, now: datetime, most: int) -> Iterator[tuple[int, list[str]]]:
    """Yields for each column with times too far after `now`: how many, and up to `most` of the rows as text."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            ahead = FORWARD.get(column.name, timedelta(0))
            if isinstance(column.type, UtcDateTime) and ahead is not None:
                yield from _broken(connection, table, column, now + MOST_OFF + ahead, most)


def _broken(
    connection: Connection, table: Table, column: Column[datetime], limit: datetime, most: int
) -> Iterator[tuple[int, list[str]]]:
    late = and_(column > limit, *_not_rolled_back(table))
    count = connection.execute(select(func.count()).select_from(table).where(late)).scalar_one()
    if count:
        keys = list(table.primary_key.columns)
        rows = connection.execute(select(*keys, column).where(late).order_by(*keys).limit(most)).all()
        yield int(count), [_shown(table, column, keys, row) for row in rows]


def _not_rolled_back(table: Table) -> list[ColumnElement[bool]]:
    """Conditions that leave out rows of rolled-back runs, which no reader uses."""
    run = next((table.c[name] for name in ("crawl_run_id", "run_id") if name in table.c), None)
    if run is None:
        return []
    rolled_back = select(crawl_runs.c.id).where(crawl_runs.c.id == run, crawl_runs.c.rolled_back_at.is_not(None))
    return [not_(rolled_back.exists())]


def _shown(table: Table, column: Column[datetime], keys: list[Column[Any]], row: Sequence[Any]) -> str:
    *key, when = row
    names = " ".join(f"{part.name}={value}" for part, value in zip(keys, key, strict=True) if part.name != column.name)
    return f"table={table.name} {names} {column.name}={when:%Y-%m-%d %H:%M:%S} UTC"
