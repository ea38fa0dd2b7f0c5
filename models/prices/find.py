"""A plain search: the listings with every word in name, brand or size, and the price at each store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from models.prices.queries import price_at
from models.tables import companies, listings, prices, products, stores
from splitcart.observed import OWN

WILD = {"\\": "\\\\", "%": "\\%", "_": "\\_"}


@dataclass(frozen=True, slots=True)
class Priced:
    """A listing at one store."""

    company: str
    """Slug."""
    sku: str
    gtin: str | None
    """14 digits: the listing's GTIN, else its product's."""
    name: str
    brand: str | None
    size: str | None
    store_code: str
    price_cents: int | None
    """The effective price; per kilogram if price_basis is kg."""
    price_basis: str
    source: str
    """own, inferred or contested."""
    observed_at: datetime | None


def find(
    connection: Connection,
    words: Sequence[str],
    now: datetime,
    *,
    limit: int,
    company_id: int | None = None,
    store: str | None = None,
) -> tuple[list[Priced], bool]:
    """The first `limit` rows by company, name, sku and store, and whether there are more.

    words: in any case, each anywhere in the name, the brand or the size.
    """
    columns = (
        *(companies.c.slug, stores.c.store_code, listings.c.sku, listings.c.name, listings.c.brand, listings.c.size),
        *(prices.c.store_id, prices.c.listing_id, prices.c.price_basis),
    )
    gtin = func.coalesce(listings.c.gtin, products.c.gtin).label("gtin")
    joined = (
        prices.join(listings, listings.c.id == prices.c.listing_id)
        .join(products, products.c.id == listings.c.product_id)
        .join(companies, companies.c.id == listings.c.company_id)
        .join(stores, stores.c.id == prices.c.store_id)
    )
    query = select(*columns, gtin).select_from(joined).where(*map(_has, words))
    if company_id is not None:
        query = query.where(listings.c.company_id == company_id)
    if store is not None:
        query = query.where(stores.c.store_code == store)
    order = (companies.c.slug, listings.c.name, listings.c.sku, stores.c.store_code)
    matching: list[Any] = []
    streamed = query.order_by(*order).execution_options(yield_per=500)  # a word may be in millions of rows
    with connection.execute(streamed) as rows:
        for row in rows:
            if all(word.casefold() in _text(row).casefold() for word in words):
                matching.append(row)
            if len(matching) > limit:
                break
    return [_priced(connection, row, now) for row in matching[:limit]], len(matching) > limit


def _has(word: str) -> ColumnElement[bool]:
    """Whether a listing may have the word: exact for ASCII, the only letters that every database lowers."""
    escaped = "".join(WILD.get(sign, sign) if sign.isascii() else "%" for sign in word.lower())
    name, brand, size = (func.coalesce(column, "") for column in (listings.c.name, listings.c.brand, listings.c.size))
    return func.lower(name + " " + brand + " " + size).like(f"%{escaped}%", escape="\\")


def _text(row: Any) -> str:
    return f"{row.name} {row.brand or ''} {row.size or ''}"


def _priced(connection: Connection, row: Any, now: datetime) -> Priced:
    price = price_at(connection, row.store_id, row.listing_id, now)
    return Priced(
        company=row.slug,
        sku=row.sku,
        gtin=row.gtin,
        name=row.name,
        brand=row.brand,
        size=row.size,
        store_code=row.store_code,
        price_cents=price.price_cents if price else None,
        price_basis=price.entry.price_basis if price and price.price_cents is not None else row.price_basis,
        source=price.source if price else OWN,
        observed_at=price.observed_at if price else None,
    )
