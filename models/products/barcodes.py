"""Barcodes from product pages, for chains whose listing pages have none: each listing is looked up once."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, Text, Update, or_, select, update

from models.database import bulk
from models.database.dialect import emptied, temporary_table
from models.database.retry import retried
from models.runs.run import Run
from models.tables import listings, staged_items

AGAIN_AFTER = timedelta(days=30)
"""Time after which a listing without a barcode is looked up again."""

_LOOKED_UP = temporary_table("looked_up", Column("sku", Text, primary_key=True), Column("gtin", Text))


def known(engine: Engine, company_id: int, now: datetime) -> frozenset[str]:
    """The company's skus whose barcode is known, or was looked up without a result less than AGAIN_AFTER ago."""
    lately = listings.c.gtin_looked_up_at > now - AGAIN_AFTER
    query = select(listings.c.sku).where(listings.c.company_id == company_id, or_(listings.c.gtin.is_not(None), lately))

    def work() -> frozenset[str]:
        with engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    return retried(engine, work, what="reading barcodes")


def into_staging(engine: Engine, run: Run, gtin_of: Mapping[str, str | None]) -> None:
    """Writes the barcodes that a run found (by sku) to its staged rows that have none, before these get products."""
    row = staged_items.c
    without_gtin = (row.run_id == run.id, row.sku == _LOOKED_UP.c.sku, row.gtin.is_(None))
    statement = update(staged_items).where(*without_gtin).values(gtin=_LOOKED_UP.c.gtin)
    _with(engine, {sku: gtin for sku, gtin in gtin_of.items() if gtin}, statement)


def remember(engine: Engine, run: Run, gtin_of: Mapping[str, str | None], now: datetime) -> None:
    """Records which listings were looked up, so that the next run does not repeat it. Called after publishing."""
    looked_up = (listings.c.company_id == run.company_id, listings.c.sku == _LOOKED_UP.c.sku)
    _with(engine, gtin_of, update(listings).where(*looked_up).values(gtin_looked_up_at=now))


def _with(engine: Engine, gtin_of: Mapping[str, str | None], statement: Update) -> None:
    """Fills `looked_up` with `gtin_of` and runs a statement that reads it; does nothing if `gtin_of` is empty."""

    def work() -> None:
        with engine.begin() as connection:
            emptied(connection, _LOOKED_UP)
            bulk.insert(connection, _LOOKED_UP, ("sku", "gtin"), sorted(gtin_of.items()))
            connection.execute(statement)

    if gtin_of:
        retried(engine, work, what="writing barcodes")
