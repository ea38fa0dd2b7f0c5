"""What crawls teach about products: other keys and GTINs they go by, and other names of their brands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, text, update

from models.catalogue import Found
from models.dialect import add_all, insert_ignoring
from models.run import Run
from models.tables import brand_aliases, product_aliases, products


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
    free = text("NOT EXISTS (SELECT 1 FROM products other WHERE other.gtin = :taken)").bindparams(taken=gtin)
    mine = update(products).where(products.c.id == product_id, products.c.gtin.is_(None), free)
    connection.execute(mine.values(gtin=gtin))


def _learn_brand(connection: Connection, run: Run, key: str, product_id: int, now: datetime) -> None:
    """Another spelling of the product's brand, unless that brand is an alias itself: no two point at each other."""
    sql = """SELECT p.brand_id FROM products p JOIN brands b ON b.id = p.brand_id
        WHERE p.id = :product AND b.key <> :key AND NOT EXISTS (SELECT 1 FROM brand_aliases a WHERE a.key = b.key)"""
    brand_id = connection.execute(text(sql), {"product": product_id, "key": key}).scalar()
    if brand_id is not None:
        row = {"key": key, "brand_id": brand_id, "reason": "told_same", "crawl_run_id": run.id, "created_at": now}
        connection.execute(insert_ignoring(connection, brand_aliases).values(**row))
