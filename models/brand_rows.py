"""Rows of brands for the brands that listings name."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from models import bulk
from models.dialect import among, listed
from models.identify import brand_of
from models.tables import brands


def brand_ids(connection: Connection, names: Iterable[str | None]) -> dict[str, int]:
    """The brand's id by the name as listings write it; names that are no brand are left out. Adds what is missing."""
    key_of = {name: brand_of(name) for name in sorted({name for name in names if name})}
    keys = sorted({key for key in key_of.values() if key})
    known = _known(connection, keys)
    if missing := [key for key in keys if key not in known]:
        first = {key_of[name]: name for name in sorted(key_of, reverse=True)}
        # Another company may add the same meanwhile: then the whole batch is tried again, and finds it.
        bulk.insert(connection, brands, ("key", "name"), [(key, first[key]) for key in missing])
        known |= _known(connection, missing)
    return {name: known[key] for name, key in key_of.items() if key}


def _known(connection: Connection, keys: list[str]) -> dict[str, int]:
    sql = f"""SELECT key, brand_id FROM brand_aliases WHERE {among(connection, "key", "keys")}
        UNION ALL SELECT key, id FROM brands WHERE {among(connection, "key", "keys")}"""  # noqa: S608 fixed text
    found: dict[str, int] = {}
    for key, brand_id in connection.execute(text(sql), {"keys": listed(connection, keys)}):
        found.setdefault(key, int(brand_id))
    return found
