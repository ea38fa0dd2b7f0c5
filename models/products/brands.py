"""The rows of `brands` for the brand names of listings."""

from collections.abc import Iterable

from sqlalchemy import Connection, select, union_all

from models.database import bulk
from models.database.dialect import is_one_of
from models.tables import brand_aliases, brands
from splitcart.identity.brands import key as brand_key


def brand_ids(connection: Connection, names: Iterable[str | None]) -> dict[str, int]:
    """Brand ids by the name as listings write it, without names that are not brands. Adds missing brands."""
    key_of = {name: brand_key(name) for name in sorted({name for name in names if name})}
    keys = sorted({key for key in key_of.values() if key})
    ids = _known(connection, keys) if keys else {}
    if missing := [key for key in keys if key not in ids]:
        first = {key_of[name]: name for name in sorted(key_of, reverse=True)}
        # If another company adds the same brand meanwhile, the batch is retried and finds it.
        bulk.insert(connection, brands, ("key", "name"), [(key, first[key]) for key in missing])
        ids |= _known(connection, missing)
    return {name: ids[key] for name, key in key_of.items() if key}


def _known(connection: Connection, keys: list[str]) -> dict[str, int]:
    """Brand ids by key; an alias takes precedence over a brand's own key."""
    aliases = select(brand_aliases.c.key, brand_aliases.c.brand_id)
    aliases = aliases.where(is_one_of(connection, brand_aliases.c.key, keys))
    own = select(brands.c.key, brands.c.id).where(is_one_of(connection, brands.c.key, keys))
    ids: dict[str, int] = {}
    for key, brand_id in connection.execute(union_all(aliases, own)):
        ids.setdefault(key, int(brand_id))
    return ids
