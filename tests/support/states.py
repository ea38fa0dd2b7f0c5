"""The state that a rollback restores, read from the database."""

from sqlalchemy import Engine

from models.lines import sightings
from tests.support.storage import query

TABLES = {
    "prices": "store_id, listing_id",
    "price_changes": "store_id, listing_id, changed_at",
    "store_ranges": "store_id",
    "missing_listings": "store_id, listing_id",
    "listings": "id",
    "product_aliases": "product_id, kind, value",
    "product_categories": "product_id, category_id",
    "brand_aliases": "key",
}
"""Of each table the columns that order its rows."""
STORE = "id, last_scraped, needs_rescraping, fail_count, next_try_at, lease_token, scheduled_at, verified_at"
"""The columns of a store that a rollback puts back."""


def state(engine: Engine) -> dict[str, list]:
    """All rows and columns that a rollback restores, and when each line was seen last."""
    known: dict[str, list] = {
        name: [tuple(bytes(v) if isinstance(v, memoryview) else v for v in found) for found in query(engine, sql)]
        for name, order in TABLES.items()
        for sql in [f"SELECT * FROM {name} ORDER BY {order}"]
    }
    ids = [store_id for (store_id,) in query(engine, "SELECT id FROM stores ORDER BY 1")]
    with engine.connect() as connection:
        looks = sightings.read(connection, ids)
    ordinals = [ordinal for (ordinal,) in query(engine, "SELECT ordinal FROM listings ORDER BY 1")]
    known["looks"] = [(i, ordinal, looks[i].at(ordinal)) for i in ids for ordinal in ordinals if looks[i].at(ordinal)]
    return known | {"stores": query(engine, f"SELECT {STORE} FROM stores ORDER BY id")}
