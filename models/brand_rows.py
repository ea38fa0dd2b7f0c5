"""Rows of brands for the brands that listings name."""

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import Connection, text

from models import bulk
from models.dialect import among, listed
from models.tables import brands
from splitcart.brands import key as brand_key

_key = lru_cache(maxsize=16_384)(brand_key)


def brand_ids(connection: Connection, names: Iterable[str | None]) -> dict[str, int]:
    """The brand's id by the name as listings write it; names that are no brand are left out. Adds what is missing."""
    key_of = {name: _key(name) for name in sorted({name for name in names if name})}
    keys = sorted({key for key in key_of.values() if key})
    there = _known(connection, keys) if keys else {}
    if missing := [key for key in keys if key not in there]:
        first = {key_of[name]: name for name in sorted(key_of, reverse=True)}
        # Another company may add the same meanwhile: then the whole batch is tried again, and finds it.
        bulk.insert(connection, brands, ("key", "name"), [(key, first[key]) for key in missing])
        there |= _known(connection, missing)
    return {name: there[key] for name, key in key_of.items() if key}


def _known(connection: Connection, keys: list[str]) -> dict[str, int]:
    sql = f"""SELECT key, brand_id FROM brand_aliases WHERE {among(connection, "key", "keys")}
        UNION ALL SELECT key, id FROM brands WHERE {among(connection, "key", "keys")}"""  # noqa: S608 fixed text
    found: dict[str, int] = {}
    for key, brand_id in connection.execute(text(sql), {"keys": listed(connection, keys)}):
        found.setdefault(key, int(brand_id))
    return found
