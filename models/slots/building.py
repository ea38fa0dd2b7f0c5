"""Builds the price slots: the prices of anchors, and of members where their anchor's does not stand for theirs.

Marks say what to build again (`models.slot_marks`): what was marked before a build began is built by it, and what is
marked meanwhile by the next one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, text

from models import effective
from models.dialect import among, is_postgres, listed, temporary
from models.retry import retried
from models.tables import slot_dirty, stores
from models.tables.base import OFFER

STORES_AT_ONCE = 100
_NAMES = ("product_id", "listing_id", "store_id", *OFFER, "source", "built_from_run")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def silent(_what: str, _done: int, _all: int) -> None:
    """No progress wanted."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    marks: int
    """Marks that were read and deleted."""
    products: int
    """Products that were built again at all stores; 0 where everything was built."""
    stores: int
    """Stores that were built again with all that they have."""
    rows: int
    """Slots written."""


def build(engine: Engine, *, everything: bool = False, progress: Progress = silent) -> Built:
    """Brings the slots up to date in one transaction: readers see the old ones or the new. One builder at a time."""

    def work() -> Built:
        with engine.begin() as connection:
            if is_postgres(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('splitcart-slots'))"))
            return _everything(connection, progress) if everything else _marked(connection, progress)

    return retried(engine, work, what="building slots")


def _marks(connection: Connection) -> tuple[list[int], list[int], list[int]]:
    """Ids of the marks that are there, and the products and stores that they name."""
    rows = connection.execute(select(slot_dirty.c.id, slot_dirty.c.product_id, slot_dirty.c.store_id)).all()
    products = sorted({row.product_id for row in rows if row.product_id is not None})
    return [row.id for row in rows], products, sorted({row.store_id for row in rows if row.store_id is not None})


def _forget(connection: Connection, ids: Sequence[int]) -> None:
    sql = f"DELETE FROM slot_dirty WHERE {among(connection, 'id', 'ids')}"  # noqa: S608 our own names
    connection.execute(text(sql), {"ids": listed(connection, ids)})


def _everything(connection: Connection, progress: Progress) -> Built:
    ids, _, _ = _marks(connection)
    connection.execute(text("DELETE FROM price_slots"))
    every = list(connection.execute(select(stores.c.id).order_by(stores.c.company_id, stores.c.id)).scalars())
    rows = _write(connection, every, "slots", progress)
    _forget(connection, ids)
    return Built(len(ids), 0, len(every), rows)


def _marked(connection: Connection, progress: Progress) -> Built:
    ids, products, whole = _marks(connection)
    if not ids:
        return Built(0, 0, 0, 0)
    rows = 0
    if whole:
        sql = f"DELETE FROM price_slots WHERE {among(connection, 'store_id', 'stores')}"  # noqa: S608 our own names
        connection.execute(text(sql), {"stores": listed(connection, whole)})
        rows += _write(connection, whole, "stores", progress)
    if products:
        sql = f"DELETE FROM price_slots WHERE {among(connection, 'product_id', 'products')}"  # noqa: S608
        if whole:
            sql += f" AND NOT ({among(connection, 'store_id', 'stores')})"
        values = {"products": listed(connection, products), "stores": listed(connection, whole)}
        connection.execute(text(sql), values if whole else {"products": values["products"]})
        rows += _write(connection, _sellers(connection, products, whole), "products", progress, products)
    _forget(connection, ids)
    return Built(len(ids), len(products), len(whole), rows)


def _sellers(connection: Connection, products: Sequence[int], apart: Collection[int]) -> list[int]:
    """The stores of the companies that list the products, but for some."""
    sql = f"""SELECT s.id FROM stores s WHERE s.company_id IN (
        SELECT DISTINCT company_id FROM listings WHERE {among(connection, "product_id", "products")})
        ORDER BY s.company_id, s.id"""  # noqa: S608 our own names
    found = connection.execute(text(sql), {"products": listed(connection, products)}).scalars()
    return [int(store) for store in found if store not in apart]


def _write(
    connection: Connection,
    store_ids: Sequence[int],
    what: str,
    progress: Progress,
    products: Sequence[int] | None = None,
) -> int:
    """Writes the slots of these stores, of these products or of all. Returns their number."""
    if products is not None:
        temporary(connection, "slot_listings", "listing_id INTEGER PRIMARY KEY")
        sql = f"""INSERT INTO slot_listings SELECT id FROM listings
            WHERE {among(connection, "product_id", "products")}"""  # noqa: S608 our own names
        connection.execute(text(sql), {"products": listed(connection, products)})
        if is_postgres(connection):
            connection.execute(text("ANALYZE slot_listings"))
    rows = 0
    for done, part in _parts(store_ids):
        progress(what, done, len(store_ids))
        effective.prepare(connection, part)
        rows += connection.execute(
            text(selected(connection, "slot_listings" if products is not None else None))
        ).rowcount
    return rows


def _parts(store_ids: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(store_ids), STORES_AT_ONCE):
        yield start, store_ids[start : start + STORES_AT_ONCE]


def selected(connection: Connection, only: str | None = None, into: str = "price_slots") -> str:
    """INSERT of the slots of the stores that `effective.prepare` was asked for; `only`: of the listings in a table."""
    names, offer = ", ".join(_NAMES), ", ".join(f"e.{name}" for name in OFFER)
    return f"""INSERT INTO {into} ({names})
        SELECT l.product_id, e.listing_id, e.store_id, {offer}, e.source, e.crawl_run_id
        FROM ({effective.statement(connection, only)}) e JOIN listings l ON l.id = e.listing_id
        WHERE e.stands_alone = 1"""  # noqa: S608 our own names
