"""What crawls teach about products: other keys and GTINs they go by, and other names of their brands."""

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
    makes: dict[str, int] = {}
    for one, sku in zip(found, skus, strict=True):
        for kind, value in sorted(one.learned):
            product_id = int(one.product.id or 0)
            if kind == "own_gtin":
                adopt_gtin(connection, product_id, value)
            elif kind == "brand":
                makes.setdefault(value, product_id)
            elif value not in (one.product.key, one.product.gtin):
                row = {"product_id": product_id, "kind": kind, "value": value, "reason": "told_same", "sku": sku}
                aliases.setdefault((product_id, kind, value), row)
    told = {"company_id": run.company_id, "crawl_run_id": run.id, "created_at": now}
    if aliases:
        rows = [row | told for _, row in sorted(aliases.items())]
        add_all(connection, product_aliases, rows)
    for key, product_id in sorted(makes.items()):
        _learn_brand(connection, run, key, product_id, now)


def unlearn(connection: Connection, run_id: int) -> int:
    """Forgets the names that a run was the first to teach, for it may have lied; returns how many."""
    tables = (product_aliases, brand_aliases)
    return sum(connection.execute(delete(table).where(table.c.crawl_run_id == run_id)).rowcount for table in tables)


def adopt_gtin(connection: Connection, product_id: int, gtin: str) -> None:
    """Gives a product that had none its GTIN, unless another product has it by now."""
    other = products.alias()
    free = ~exists(select(other.c.id).where(other.c.gtin == gtin))
    mine = update(products).where(products.c.id == product_id, products.c.gtin.is_(None), free)
    connection.execute(mine.values(gtin=gtin))


def _learn_brand(connection: Connection, run: Run, key: str, product_id: int, now: datetime) -> None:
    """Another spelling of the product's brand, unless that brand is an alias itself: no two point at each other."""
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
    """Keeps what a sku teaches whose texts changed: the keys and GTINs under which its product was and is known."""
    if after.gtin and before.gtin is None:
        adopt_gtin(connection, product_id, after.gtin)
    for kind, value in sorted(learned):
        if kind in ("key", "gtin"):
            _add_alias(connection, run, product_id, kind, value, reason="same_sku", sku=after.sku, created_at=now)


def left(connection: Connection, run: Run, product_id: int, sku: str, now: datetime) -> None:
    """Records that a sku has left its product."""
    value = f"{run.company_id}:{sku}"
    _add_alias(connection, run, product_id, "product", value, reason="sku_left", sku=sku, created_at=now)


def _add_alias(connection: Connection, run: Run, product_id: int, kind: str, value: str, **told: Any) -> None:
    alias = {"product_id": product_id, "kind": kind, "value": value, "company_id": run.company_id}
    connection.execute(insert_ignoring(connection, product_aliases).values(**alias, crawl_run_id=run.id, **told))
