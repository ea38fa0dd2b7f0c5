"""Whether the slots are what effective prices say: for scripts/check_database.py."""

from collections.abc import Iterator

from sqlalchemy import Connection, select, text

from models import effective
from models.dialect import temporary
from models.slots.building import selected
from models.tables import price_slots, stores

PROMISE = "a slot is what the effective price of its store says, wherever nothing is marked to be built again"
STORES_AT_ONCE = 50
_ALL = ", ".join(column.name for column in price_slots.columns)
_MINE = "store_id IN (SELECT store_id FROM store_looks WHERE is_asked = 1)"
_MARKED = """(product_id IN (SELECT product_id FROM slot_dirty WHERE product_id IS NOT NULL)
    OR store_id IN (SELECT store_id FROM slot_dirty WHERE store_id IS NOT NULL))"""
_WRONG = f"""
    SELECT product_id, listing_id, store_id FROM (
        SELECT * FROM (SELECT {_ALL} FROM price_slots WHERE {_MINE} EXCEPT SELECT {_ALL} FROM wanted_slots) a
        UNION ALL
        SELECT * FROM (SELECT {_ALL} FROM wanted_slots EXCEPT SELECT {_ALL} FROM price_slots WHERE {_MINE}) b) wrong
    WHERE NOT {_MARKED} ORDER BY 1, 2, 3"""  # noqa: S608 our own names
_ORPHANS = """SELECT product_id, listing_id, store_id FROM price_slots
    WHERE store_id NOT IN (SELECT id FROM stores) ORDER BY 1, 2, 3"""


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """("slots", an example) of each slot that is wrong, missing or too many."""
    ids = list(connection.execute(select(stores.c.id).order_by(stores.c.company_id, stores.c.id)).scalars())
    for start in range(0, len(ids), STORES_AT_ONCE):
        effective.prepare(connection, ids[start : start + STORES_AT_ONCE])
        temporary(connection, "wanted_slots", _columns(connection))
        connection.execute(text("DELETE FROM wanted_slots"))
        connection.execute(text(selected(connection, into="wanted_slots")))
        yield from _told(connection, _WRONG)
    yield from _told(connection, _ORPHANS)


def _columns(connection: Connection) -> str:
    """The columns of price_slots with their types, for a temporary table."""
    return ", ".join(f"{c.name} {c.type.compile(connection.dialect)}" for c in price_slots.columns)


def _told(connection: Connection, sql: str) -> Iterator[tuple[str, str]]:
    for product_id, listing_id, store_id in connection.execute(text(sql)):
        yield "slots", f"product_id={product_id} listing_id={listing_id} store_id={store_id}"
