"""The rows that statements make PostgreSQL read, by their plans: each time, also where a filter removes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text

_WORK = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def rows_read(plan: dict[str, Any]) -> float:
    """Rows that a node and those below it returned or passed over."""
    own = float(plan["Actual Rows"] + sum(plan.get(name, 0) for name in _REMOVED)) * plan["Actual Loops"]
    return own + sum(map(rows_read, plan.get("Plans", ())))


@contextmanager
def measured(engine: Engine) -> Iterator[list[tuple[float, str]]]:
    """(rows read, statement) of all that is executed meanwhile; each runs twice, the first time undone."""
    found: list[tuple[float, str]] = []

    def before(_connection: Any, cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().startswith(_WORK):
            cursor.execute("SAVEPOINT measured")
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values)
            ((plan,),) = cursor.fetchall()
            cursor.execute("ROLLBACK TO SAVEPOINT measured")
            found.append((rows_read(plan[0]["Plan"]), " ".join(statement.split())))

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", before)


def analyse(engine: Engine) -> None:
    """Updates the planner's statistics."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
