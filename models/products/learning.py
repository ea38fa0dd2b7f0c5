"""What crawls teach about products: other keys and GTINs by which they are known, and other keys of their brands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from models.database.dialect import add_all, insert_ignoring
from models.products.catalogue import Found
from models.runs.run import Run
from models.tables import brand_aliases, brands, product_aliases, products
from splitcart.identity.matching import Listing


def learn(connection: Connection, run: Run, found: Sequence[Found], skus: Sequence[str], now: datetime) -> None:
    """Keeps what each match taught, once; in key order."""
    aliases: dict[tuple[int, str, str], dict[str, Any]] = {}
    brand_keys: dict[str, int] = {}
    for one, sku in zip(found, skus, strict=True):
        for kind, value in sorted(one.learned):
            product_id = int(one.product.id or 0)
            if kind == "own_gtin":
                adopt_gtin(connection, product_id, value)
            elif kind == "brand":
                brand_keys.setdefault(value, product_id)
            elif value not in (one.product.key, one.product.gtin):
                alias = _alias(run, product_id, kind, value, reason="told_same", sku=sku, now=now)
                aliases.setdefault((product_id, kind, value), alias)
    add_all(connection, product_aliases, [alias for _, alias in sorted(aliases.items())])
    for key, product_id in sorted(brand_keys.items()):
        _learn_brand(connection, run, key, product_id, now)


def unlearn(connection: Connection, run_id: int) -> int:
    """Deletes the aliases that a run was the first to teach, for they may be wrong; returns how many."""
    tables = (product_aliases, brand_aliases)
    return sum(connection.execute(delete(table).where(table.c.crawl_run_id == run_id)).rowcount for table in tables)


def adopt_gtin(connection: Connection, product_id: int, gtin: str) -> None:
    """Gives a product that has no GTIN this one, unless another product has it by now."""
    other = products.alias()
    free = ~exists(select(other.c.id).where(other.c.gtin == gtin))
    mine = update(products).where(products.c.id == product_id, products.c.gtin.is_(None), free)
    connection.execute(mine.values(gtin=gtin))


def _learn_brand(connection: Connection, run: Run, key: str, product_id: int, now: datetime) -> None:
    """Adds a key of the product's brand, unless that brand is an alias itself: no two point at each other."""
    aliased = exists(select(brand_aliases.c.key).where(brand_aliases.c.key == brands.c.key))
    its = select(products.c.brand_id).join(brands, brands.c.id == products.c.brand_id)
    brand_id = connection.execute(its.where(products.c.id == product_id, brands.c.key != key, ~aliased)).scalar()
    if brand_id is not None:
        row = {"key": key, "brand_id": brand_id, "reason": "told_same", "crawl_run_id": run.id, "created_at": now}
        connection.execute(insert_ignoring(connection, brand_aliases).values(**row))


def taught(
    connection: Connection,
    run: Run,
    product_id: int,
    before: Listing,
    after: Listing,
    learned: frozenset[tuple[str, str]],
    now: datetime,
) -> None:
    """Keeps what a sku whose texts changed teaches: the keys and GTINs by which its product was and is known."""
    if after.gtin and before.gtin is None:
        adopt_gtin(connection, product_id, after.gtin)
    names = [(kind, value) for kind, value in sorted(learned) if kind in ("key", "gtin")]
    aliases = [_alias(run, product_id, *name, reason="same_sku", sku=after.sku, now=now) for name in names]
    add_all(connection, product_aliases, aliases)


def left(connection: Connection, run: Run, product_id: int, sku: str, now: datetime) -> None:
    """Records that a sku has left its product."""
    value = f"{run.company_id}:{sku}"
    alias = _alias(run, product_id, "product", value, reason="sku_left", sku=sku, now=now)
    add_all(connection, product_aliases, [alias])


def _alias(run: Run, product_id: int, kind: str, value: str, *, reason: str, sku: str, now: datetime) -> dict[str, Any]:
    """A row of product_aliases."""
    row = {"product_id": product_id, "kind": kind, "value": value, "reason": reason, "company_id": run.company_id}
    return row | {"sku": sku, "crawl_run_id": run.id, "created_at": now}
