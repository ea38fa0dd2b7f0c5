"""Gives every new sku of a run its listing, product, brand and category, in short transactions before publishing.

All of it only adds, in one order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.publishing.texts).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from models.database import bulk
from models.database.dialect import is_one_of
from models.products.aliases import add_match_aliases
from models.products.brands import brand_ids
from models.products.catalogue import identified
from models.products.categories import add_to_categories, category_ids
from models.publishing import seen
from models.runs.run import Run
from models.stores.locks import lock_company
from models.tables import listings
from models.tables.products import TEXTS

BATCH = 1000
"""Listings in a transaction: bounds the time for which the company's lock is held, and the memory that it takes."""

_LISTING = ("company_id", "sku", "ordinal", "product_id", "category_id", *TEXTS)


def add(connection: Connection, run: Run, company: str, new: Sequence[str], now: datetime) -> None:
    """Makes the listings of skus that had none when they were read; publish_seen has what the run reports of them."""
    for start in range(0, len(new), BATCH):
        with connection.begin():
            _add(connection, run, company, new[start : start + BATCH], now)


def _add(connection: Connection, run: Run, company: str, skus: Sequence[str], now: datetime) -> None:
    lock_company(connection, run.company_id)
    new = seen.of_skus(connection, _still_new(connection, run, skus))
    if not new:
        return
    brands = brand_ids(connection, (one.brand for one in new))
    categories = category_ids(connection, run.company_id, new)
    found = identified(connection, company, new, brands)
    products = [one.product_id for one in found]
    first = _next_ordinal(connection, run)
    rows = [
        (run.company_id, one.sku, ordinal, product, categories[one.category_path], *(getattr(one, n) for n in TEXTS))
        for ordinal, (one, product) in enumerate(zip(new, products, strict=True), first)
    ]
    bulk.insert(connection, listings, _LISTING, rows)
    shelved = ((product, categories[one.category_path]) for one, product in zip(new, products, strict=True))
    add_to_categories(connection, {(product, category) for product, category in shelved if category is not None})
    add_match_aliases(connection, run, found, [one.sku for one in new], now)


def _still_new(connection: Connection, run: Run, skus: Sequence[str]) -> list[str]:
    """Those of which no other run has made listings since they were read."""
    existing = (listings.c.company_id == run.company_id, is_one_of(connection, listings.c.sku, skus))
    there = set(connection.execute(select(listings.c.sku).where(*existing)).scalars())
    return [sku for sku in skus if sku not in there]


def _next_ordinal(connection: Connection, run: Run) -> int:
    last = select(func.coalesce(func.max(listings.c.ordinal), -1)).where(listings.c.company_id == run.company_id)
    return int(connection.execute(last).scalar_one()) + 1
