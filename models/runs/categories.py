"""The categories of a run, as crawl_run_categories keeps them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete

from models.database.dialect import upsert
from models.tables import crawl_run_categories
from splitcart.runs.verdict import Category

_KEPT = ("expected", "seen", "ended", "capped", "held", "failed", "children", "finished_at", "status")


def status_of(category: Category) -> str:
    """The column `status`: complete, partial, capped or failed.

    It proves nothing: unlike `splitcart.runs.coverage.is_proven` it allows no slack, and a walk that ended is complete.
    """
    if category.failed:
        return "failed"
    if category.capped:
        return "capped"
    known = category.expected is not None
    whole = category.seen >= category.expected if category.expected is not None else category.ended
    return "complete" if whole or (known and category.ended) else "partial"


def record(
    connection: Connection, run_id: int, categories: Sequence[Category], now: datetime, *, alone: bool = False
) -> None:
    """Records the categories of a run; one that was recorded before gets its newest figures.

    `alone`: deletes the other categories that an earlier walk of the run had recorded.
    """
    if alone:
        connection.execute(delete(crawl_run_categories).where(crawl_run_categories.c.run_id == run_id))
    if not categories:
        return
    rows = {category.key: _row(run_id, category, now) for category in categories}
    statement = upsert(connection, crawl_run_categories)
    statement = statement.on_conflict_do_update(
        index_elements=["run_id", "key"], set_={name: statement.excluded[name] for name in _KEPT}
    )
    connection.execute(statement, [rows[key] for key in sorted(rows)])


def _row(run_id: int, category: Category, now: datetime) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "key": category.key,
        "expected": category.expected,
        "seen": category.seen,
        "ended": category.ended,
        "capped": category.capped,
        "held": category.held,
        "failed": category.failed,
        "children": list(category.children) or None,
        "finished_at": now,
        "status": status_of(category),
    }


def as_category(row: Any) -> Category:
    """The Category that a row records."""
    return Category(
        key=row.key,
        expected=row.expected,
        seen=row.seen,
        ended=row.ended,
        failed=row.failed,
        capped=row.capped,
        children=tuple(row.children or ()),
        held=row.held,
    )


def as_categories(rows: Iterable[Any]) -> tuple[Category, ...]:
    return tuple(as_category(row) for row in rows)
