"""Builds the price slots: of anchors, and of members for the products at which their anchor's price is not in effect.

Marks name what to build again (`models.lines.slot_marks`). A build covers what was marked before it began; later marks
are left to the next build.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    FromClause,
    Integer,
    Select,
    Table,
    delete,
    func,
    insert,
    select,
    text,
)

from models.database.dialect import emptied, is_postgres, temporary_table
from models.database.retry import retried
from models.groups import membership
from models.prices import effective
from models.tables import listings, price_slots, slot_dirty, stores
from models.tables.base import OFFER
from splitcart.grouping.health import Progress, silent

_MARKS = temporary_table(
    "taken_marks",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", Integer),
    Column("store_id", Integer),
)
"""The marks that a build has read."""
_LISTINGS = temporary_table("marked_listings", Column("listing_id", Integer, primary_key=True, autoincrement=False))
"""The listings of the products that the marks name."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    marks: int
    """Marks that were read and deleted."""
    products: int
    """Products that were built again at all stores; 0 if everything was built."""
    stores: int
    """Stores that were built again with all their products."""
    rows: int
    """Slots written."""


def build(engine: Engine, *, everything: bool = False, progress: Progress = silent) -> Built:
    """Brings the slots up to date in one transaction: readers see old slots or new. One build runs at a time."""

    def work() -> Built:
        with engine.begin() as connection:
            if is_postgres(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('splitcart-slots'))"))
            return _everything(connection, progress) if everything else _marked(connection, progress)

    return retried(engine, work, what="building slots")


def slots(only: FromClause | None = None) -> Select[Any]:
    """SELECT of the slots of the store that `effective.parameters` binds; `only`: for the listings in this table."""
    line = effective.lines(only).subquery()
    columns = (line.c.listing_id, line.c.store_id, *(line.c[name] for name in OFFER), line.c.source)
    joined = line.join(listings, listings.c.id == line.c.listing_id)
    query = select(listings.c.product_id, *columns, line.c.crawl_run_id.label("built_from_run"))
    return query.select_from(joined).where(line.c.needs_slot)


def _everything(connection: Connection, progress: Progress) -> Built:
    marks, _ = _take_marks(connection)
    connection.execute(delete(price_slots))
    store_ids = _ids(connection, select(stores.c.id))
    rows = _write(connection, store_ids, "slots", progress)
    _delete_marks(connection)
    return Built(marks, 0, len(store_ids), rows)


def _marked(connection: Connection, progress: Progress) -> Built:
    marks, products = _take_marks(connection)
    if not marks:
        return Built(0, 0, 0, 0)
    store, product = _MARKS.c.store_id, _MARKS.c.product_id
    complete = _ids(connection, select(stores.c.id).where(stores.c.id.in_(select(store))))
    connection.execute(delete(price_slots).where(price_slots.c.store_id.in_(select(store))))
    connection.execute(delete(price_slots).where(price_slots.c.product_id.in_(select(product))))
    rows = _write(connection, complete, "stores", progress)
    if products:
        marked = listings.c.product_id.in_(select(product))
        emptied(connection, _LISTINGS)
        connection.execute(insert(_LISTINGS).from_select(["listing_id"], select(listings.c.id).where(marked)))
        _analyse(connection, _LISTINGS)
        companies = select(listings.c.company_id).where(marked)
        sellers = _ids(connection, select(stores.c.id).where(stores.c.company_id.in_(companies)))
        others = sorted(set(sellers) - set(complete))
        rows += _write(connection, others, "products", progress, _LISTINGS)
    _delete_marks(connection)
    return Built(marks, products, len(complete), rows)


def _take_marks(connection: Connection) -> tuple[int, int]:
    """Copies the marks to `taken_marks`. Returns how many there are, and how many products they name."""
    emptied(connection, _MARKS)
    marks = select(slot_dirty.c.id, slot_dirty.c.product_id, slot_dirty.c.store_id)
    connection.execute(insert(_MARKS).from_select(_MARKS.c.keys(), marks))
    _analyse(connection, _MARKS)
    counts = select(func.count(), func.count(_MARKS.c.product_id.distinct())).select_from(_MARKS)
    count, products = connection.execute(counts).one()
    return count, products


def _analyse(connection: Connection, table: Table) -> None:
    """Counts the table's rows for PostgreSQL's planner, which would otherwise read all slots for one product."""
    if is_postgres(connection):
        connection.execute(text(f"ANALYZE {table.name}"))


def _delete_marks(connection: Connection) -> None:
    connection.execute(delete(slot_dirty).where(slot_dirty.c.id.in_(select(_MARKS.c.id))))


def _ids(connection: Connection, query: Select[Any]) -> list[int]:
    return list(connection.execute(query.order_by(stores.c.id)).scalars())


def _write(
    connection: Connection, store_ids: Sequence[int], what: str, progress: Progress, only: FromClause | None = None
) -> int:
    """Writes the slots of these stores; `only`: for the listings in this table. Returns how many slots it wrote."""
    rows, statement = 0, insert(price_slots).from_select(price_slots.c.keys(), slots(only))
    places = membership.places(connection, store_ids)
    for done, values in enumerate(effective.parameters(connection, places.values())):
        progress(what, done, len(store_ids))
        rows += connection.execute(statement, values).rowcount
    return rows
