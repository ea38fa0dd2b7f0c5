"""The keys by which products and brands are found, computed again after the rule that makes them has changed.

A stored key only finds candidates for a new listing; whether it is the same product is decided from the texts, by the
current rules. An outdated key causes no wrong match; a new listing can only miss its product by it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from models.database.dialect import insert_ignoring
from models.products.catalogue import SIZE, size_fields
from models.tables import brand_aliases, brands, listings, product_aliases, products, staged_items
from splitcart import cleaning
from splitcart.identity.brands import key as brand_key
from splitcart.identity.matching import normalized_key

BATCH = 5000
"""Product ids that are read at a time."""


def rework(connection: Connection, now: datetime) -> int:
    """Brings every stored key and size up to date with the rules of this code; returns how many products it changed.

    A product's earlier key stays among its aliases, and so does the key of each of its listings. The keys of staged
    rows are computed when they are published. Repeating it changes nothing.
    """
    _brands(connection)
    connection.execute(update(staged_items).values(normalized_key=None))
    return sum(_part(connection, rows, now) for rows in _parts(connection))


def _parts(connection: Connection) -> Iterator[list[tuple[int, list[Row[Any]]]]]:
    """Yields products with their listings in the order of their ids, BATCH ids at a time."""
    texts_of = (listings.c.sku, listings.c.company_id, listings.c.name, listings.c.brand, listings.c.size)
    columns = (listings.c.product_id, products.c.normalized_key, *(products.c[name] for name in SIZE), *texts_of)
    joined = select(*columns).join_from(listings, products, products.c.id == listings.c.product_id)
    last = connection.execute(select(func.coalesce(func.max(products.c.id), 0))).scalar_one()
    for low in range(0, last, BATCH):
        part = joined.where(listings.c.product_id > low, listings.c.product_id <= low + BATCH)
        rows = connection.execute(part.order_by(listings.c.product_id, listings.c.id)).all()
        yield [(product_id, list(group)) for product_id, group in groupby(rows, key=lambda row: row.product_id)]


def _part(connection: Connection, rows: list[tuple[int, list[Row[Any]]]], now: datetime) -> int:
    changed, aliases = list[dict[str, Any]](), list[dict[str, Any]]()
    for product_id, group in rows:
        keys = {normalized_key(row.brand, row.name, row.size): row for row in reversed(group)}
        first, before = group[0], group[0].normalized_key
        key = before if before in keys else normalized_key(first.brand, first.name, first.size)
        size = dict(zip(SIZE, size_fields(first.size, first.name), strict=True))
        if key != before or any(getattr(first, name) != value for name, value in size.items()):
            changed.append({"changed_id": product_id, "normalized_key": key, **size})
        alias = {"product_id": product_id, "kind": "key", "reason": "rule_changed", "created_at": now}
        aliases.extend(
            {**alias, "value": value, "company_id": row.company_id, "sku": row.sku}
            for value, row in ({before: first} | keys).items()
            if value != key
        )
    if changed:
        values: dict[str, Any] = {name: bindparam(name) for name in ("normalized_key", *SIZE)}
        connection.execute(update(products).where(products.c.id == bindparam("changed_id")).values(values), changed)
    if aliases:
        connection.execute(insert_ignoring(connection, product_aliases), aliases)
    return len(changed)


def _brands(connection: Connection) -> None:
    """Updates each brand whose key has changed; if another brand has the new key, moves its products to that brand."""
    rows = connection.execute(select(brands).order_by(brands.c.id)).all()
    taken = {row.key: row.id for row in rows}
    taken |= {row.key: row.brand_id for row in connection.execute(select(brand_aliases))}
    for row in rows:
        key = brand_key(row.name)
        if not key or key == row.key:
            continue
        if key in taken:
            of_brand = products.c.brand_id == row.id
            connection.execute(update(products).where(of_brand).values(brand_id=taken[key]))
        else:
            name = cleaning.clean(cleaning.without_marks(row.name)) or row.name
            connection.execute(update(brands).where(brands.c.id == row.id).values(key=key, name=name))
            taken[key] = row.id
