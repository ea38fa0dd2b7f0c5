"""Barcodes that product pages tell, where listing pages tell none: looked up once a listing, then remembered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, bindparam, or_, select, text

from models import bulk
from models.dialect import temporary
from models.retry import retried
from models.run import Run
from models.tables import listings
from models.types import UtcDateTime

AGAIN_AFTER = timedelta(days=30)
"""A listing without a barcode is looked up again after this."""


def known(engine: Engine, company_id: int, now: datetime) -> frozenset[str]:
    """Skus of a company whose barcode is known, or was looked up within AGAIN_AFTER in vain."""
    lately = listings.c.gtin_looked_up_at > now - AGAIN_AFTER
    wanted = select(listings.c.sku).where(
        listings.c.company_id == company_id, or_(listings.c.gtin.is_not(None), lately)
    )

    def work() -> frozenset[str]:
        with engine.connect() as connection:
            return frozenset(connection.execute(wanted).scalars())

    return retried(engine, work, what="reading barcodes")


def into_staging(engine: Engine, run: Run, found: Mapping[str, str | None]) -> None:
    """Gives the staged rows of a run the barcodes that it found (by sku), before they are resolved to products."""
    sql = """UPDATE staged_items SET gtin = looked_up.gtin FROM looked_up
        WHERE run_id = :run AND staged_items.sku = looked_up.sku AND staged_items.gtin IS NULL"""
    _with(engine, {sku: gtin for sku, gtin in found.items() if gtin}, text(sql), {"run": run.id})


def remember(engine: Engine, run: Run, found: Mapping[str, str | None], now: datetime) -> None:
    """Notes which listings were looked up, so that the next run does not ask again; after publishing made them."""
    sql = """UPDATE listings SET gtin_looked_up_at = :now FROM looked_up
        WHERE company_id = :company AND listings.sku = looked_up.sku"""
    statement = text(sql).bindparams(bindparam("now", type_=UtcDateTime()))
    _with(engine, found, statement, {"company": run.company_id, "now": now})


def _with(engine: Engine, found: Mapping[str, str | None], statement: Any, values: Mapping[str, Any]) -> None:
    """Runs a statement that joins `looked_up` (sku, gtin), a table of this transaction."""

    def work() -> None:
        with engine.begin() as connection:
            temporary(connection, "looked_up", "sku TEXT PRIMARY KEY, gtin TEXT")
            bulk.insert(connection, "looked_up", ("sku", "gtin"), sorted(found.items()))
            connection.execute(statement, values)

    if found:
        retried(engine, work, what="writing barcodes")
