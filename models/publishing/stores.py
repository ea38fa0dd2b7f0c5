"""What a locator run changes: new stores with their groups, moved ones, closed ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select, update

from models.database.retry import retried
from models.runs.endings import Ending, end, has_ended
from models.runs.run import Run, lock_run
from models.stores.creation import ensure_store
from models.stores.locks import lock_company
from models.tables import stores

LOCATED = (
    "locator_id", "store_name", "address_line_1", "suburb", "state", "postcode", "latitude", "longitude", "timezone",
    "is_online",
)  # fmt: skip
"""The columns that a locator fills; a null among what it found never erases what is known."""


@dataclass(frozen=True, slots=True)
class Located:
    """What one locator run changed, in stores."""

    found: int
    new: int
    changed: int
    missed: int
    """Missed for the first time: still open."""
    closed: int
    """Missed by the second complete run in a row."""


def publish_stores(engine: Engine, run: Run, ending: Ending, found: Mapping[str, Mapping[str, Any]]) -> Located | None:
    """Writes what a locator run found (the columns LOCATED by store code) and ends the run, in one transaction.

    Only a complete run judges absence. Raises LeaseLost. None when an earlier try had committed.
    """

    def work() -> Located | None:
        with engine.begin() as connection:
            if has_ended(connection, run, ending.verdict):
                return None
            lock_run(connection, run)
            lock_company(connection, run.company_id)
            located = _publish(connection, run.company_id, found, ending.is_complete, ending.now)
            end(connection, run, replace(ending, counts={**ending.counts, **asdict(located)}))
            return located

    return retried(engine, work, what=f"publishing the stores of run {run.id}")


def open_stores(engine: Engine, company_id: int) -> int:
    """How many stores of a company are not closed."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(stores.c.id).where(stores.c.company_id == company_id, stores.c.closed_at.is_(None))
        )
        return len(rows.all())


def learn_fulfilment(engine: Engine, run: Run, answered_for: str | None) -> None:
    """Remembers that another store answers for the run's own: `--accept-fulfilment`."""
    if answered_for in (None, run.store_code):
        return
    mine = (stores.c.company_id == run.company_id, stores.c.store_code == run.store_code)

    def work() -> None:
        with engine.begin() as connection:
            connection.execute(update(stores).where(*mine).values(fulfilled_by=answered_for))

    retried(engine, work, what=f"learning the fulfilment of store {run.store_code}")


def forget_fulfilment(engine: Engine, company_id: int, store_code: str) -> str | None:
    """Forgets that another store answers for this one; which it was, None where none was known.

    ValueError: the company has no such store.
    """
    mine = (stores.c.company_id == company_id, stores.c.store_code == store_code)

    def work() -> str | None:
        with engine.begin() as connection:
            row = connection.execute(select(stores.c.fulfilled_by).where(*mine).with_for_update()).one_or_none()
            if row is None:
                raise ValueError(f"store {store_code!r} is unknown: the chain's own id of a crawled store is wanted")
            connection.execute(update(stores).where(*mine).values(fulfilled_by=None))
            return None if row.fulfilled_by is None else str(row.fulfilled_by)

    return retried(engine, work, what=f"forgetting the fulfilment of store {store_code}")


def _publish(
    connection: Connection, company_id: int, found: Mapping[str, Mapping[str, Any]], complete: bool, now: datetime
) -> Located:
    known = {row.store_code: row for row in connection.execute(select(stores).where(stores.c.company_id == company_id))}
    new = sorted(found.keys() - known.keys())
    changed = [row for key in sorted(found.keys() & known.keys()) if (row := _changes(known[key], found[key]))]
    for row in changed:
        values = {name: value for name, value in row.items() if name != "id"}
        connection.execute(update(stores).where(stores.c.id == row["id"]).values(**values))
    for key in new:
        known_columns = {name: value for name, value in found[key].items() if value is not None}
        ensure_store(connection, company_id, key, now, **known_columns)
    missed, closed = _absent(connection, known, found, now) if complete else (0, 0)
    return Located(len(found), len(new), len(changed), missed, closed)


def _changes(store: Any, found: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to write for a store that was found: what differs, and that it is open after all."""
    row = store._mapping
    changes = {name: found[name] for name in LOCATED if found.get(name) is not None and found[name] != row[name]}
    changes |= {name: None for name in ("missing_since", "closed_at") if row[name] is not None}
    return {"id": store.id} | changes if changes else {}


def _absent(
    connection: Connection, known: Mapping[str, Any], found: Mapping[str, Any], now: datetime
) -> tuple[int, int]:
    absent = [known[key] for key in sorted(known.keys() - found.keys()) if known[key].closed_at is None]
    first = [{"row": row.id} for row in absent if row.missing_since is None]
    again = [{"row": row.id} for row in absent if row.missing_since is not None]
    mine = stores.c.id == bindparam("row")
    if first:
        connection.execute(update(stores).where(mine).values(missing_since=now), first)
    if again:
        connection.execute(update(stores).where(mine).values(closed_at=now), again)
    return len(first), len(again)
