"""Compares the slots with the effective prices, for models.checks.checking."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from models.groups import membership
from models.prices import effective
from models.slots.building import slots
from models.tables import price_slots, slot_dirty, stores

PROMISES = {"slots": "a slot has the effective price of its store, unless its product or store is marked"}


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields ("slots", an example) for each slot that is wrong, missing or superfluous."""
    store_ids = connection.execute(select(stores.c.id)).scalars().all()
    marked_products = set(connection.execute(select(slot_dirty.c.product_id)).scalars())
    marked_stores = set(connection.execute(select(slot_dirty.c.store_id)).scalars())
    query = slots()
    for values in effective.parameters(connection, membership.places(connection, store_ids).values()):
        store_id = values["of_store"]
        kept = connection.execute(select(price_slots).where(price_slots.c.store_id == store_id))
        wrong = set(map(tuple, kept)) ^ set(map(tuple, connection.execute(query, values)))
        for product_id, listing_id in sorted({(row[0], row[1]) for row in wrong}):
            if product_id not in marked_products and store_id not in marked_stores:
                yield "slots", f"product_id={product_id} listing_id={listing_id} store_id={store_id}"
    key = (price_slots.c.product_id, price_slots.c.listing_id, price_slots.c.store_id)
    orphans = select(*key).where(price_slots.c.store_id.not_in(select(stores.c.id))).order_by(*key)
    for product_id, listing_id, store_id in connection.execute(orphans):
        yield "slots", f"product_id={product_id} listing_id={listing_id} store_id={store_id}"
