"""Adds and deletes the aliases of products and brands: other keys and GTINs by which they are found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from models.database.dialect import add_all, insert_ignoring
from models.products.catalogue import ProductMatch
from models.runs.run import Run
from models.tables import brand_aliases, brands, product_aliases, products
from splitcart.identity.matching import Listing


def add_match_aliases(
    connection: Connection, run: Run, matches: Sequence[ProductMatch], skus: Sequence[str], now: datetime
) -> None:
    """Adds the aliases that matches of new listings showed, each once, in key order. `skus`: one for each match."""
    aliases: dict[tuple[int, str, str], dict[str, Any]] = {}
    product_of_brand_key: dict[str, int] = {}
    for match, sku in zip(matches, skus, strict=True):
        for kind, value in sorted(match.learned):
            product_id = match.product_id
            if kind == "own_gtin":
                _set_missing_gtin(connection, product_id, value)
            elif kind == "brand":
                product_of_brand_key.setdefault(value, product_id)
            elif value not in (match.product.key, match.product.gtin):
                alias = _alias(run, product_id, kind, value, reason="told_same", sku=sku, now=now)
                aliases.setdefault((product_id, kind, value), alias)
    add_all(connection, product_aliases, [alias for _, alias in sorted(aliases.items())])
    for key, product_id in sorted(product_of_brand_key.items()):
        _add_brand_key(connection, run, key, product_id, now)


def add_text_change_aliases(
    connection: Connection,
    run: Run,
    product_id: int,
    before: Listing,
    after: Listing,
    learned: frozenset[tuple[str, str]],
    now: datetime,
) -> None:
    """Adds the keys and GTINs by which the product of a sku was found before its texts changed, and is found after."""
    if after.gtin and before.gtin is None:
        _set_missing_gtin(connection, product_id, after.gtin)
    names = [(kind, value) for kind, value in sorted(learned) if kind in ("key", "gtin")]
    aliases = [_alias(run, product_id, *name, reason="same_sku", sku=after.sku, now=now) for name in names]
    add_all(connection, product_aliases, aliases)


def record_departure(connection: Connection, run: Run, product_id: int, sku: str, now: datetime) -> None:
    """Records that a sku has left its product."""
    value = f"{run.company_id}:{sku}"
    alias = _alias(run, product_id, "product", value, reason="sku_left", sku=sku, now=now)
    add_all(connection, product_aliases, [alias])


def delete_aliases_of_run(connection: Connection, run_id: int) -> int:
    """Deletes the aliases that a run was the first to add, because they may be wrong; returns how many."""
    tables = (product_aliases, brand_aliases)
    return sum(connection.execute(delete(table).where(table.c.crawl_run_id == run_id)).rowcount for table in tables)


def _set_missing_gtin(connection: Connection, product_id: int, gtin: str) -> None:
    """Gives a product that has no GTIN this one, unless another product has it by now."""
    other = products.alias()
    free = ~exists(select(other.c.id).where(other.c.gtin == gtin))
    statement = update(products).where(products.c.id == product_id, products.c.gtin.is_(None), free)
    connection.execute(statement.values(gtin=gtin))


def _add_brand_key(connection: Connection, run: Run, key: str, product_id: int, now: datetime) -> None:
    """Adds a key of the product's brand, unless that brand is an alias itself: no two aliases point at each other."""
    aliased = exists(select(brand_aliases.c.key).where(brand_aliases.c.key == brands.c.key))
    brand = select(products.c.brand_id).join(brands, brands.c.id == products.c.brand_id)
    brand_id = connection.execute(brand.where(products.c.id == product_id, brands.c.key != key, ~aliased)).scalar()
    if brand_id is not None:
        row = {"key": key, "brand_id": brand_id, "reason": "told_same", "crawl_run_id": run.id, "created_at": now}
        connection.execute(insert_ignoring(connection, brand_aliases).values(**row))


def _alias(run: Run, product_id: int, kind: str, value: str, *, reason: str, sku: str, now: datetime) -> dict[str, Any]:
    """A row of product_aliases."""
    row = {"product_id": product_id, "kind": kind, "value": value, "reason": reason, "company_id": run.company_id}
    return row | {"sku": sku, "crawl_run_id": run.id, "created_at": now}
