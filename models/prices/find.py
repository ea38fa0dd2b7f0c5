"""A plain search: the listings that have every word in name, brand or size, with what each store charges for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from models.prices.queries import price_at
from models.tables import companies, listings, prices, products, stores

WILD = {"\\": "\\\\", "%": "\\%", "_": "\\_"}


@dataclass(frozen=True, slots=True)
class Priced:
    """A listing at one store."""

    company: str
    """Slug."""
    sku: str
    gtin: str | None
    """14 digits: the listing's, else its product's."""
    name: str
    brand: str | None
    size: str | None
    store_id: str
    price_cents: int | None
    """In effect now; of one kilogram where price_basis is kg."""
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

    words: in any case, each found anywhere in the name, the brand or the size.
    """
    told = (companies.c.slug, listings.c.sku, listings.c.name, listings.c.brand, listings.c.size, stores.c.store_code)
    ids = (prices.c.store_id.label("of_store"), prices.c.listing_id, prices.c.price_basis)
    gtin = func.coalesce(listings.c.gtin, products.c.gtin).label("gtin")
    joined = (
        prices.join(listings, listings.c.id == prices.c.listing_id)
        .join(products, products.c.id == listings.c.product_id)
        .join(companies, companies.c.id == listings.c.company_id)
        .join(stores, stores.c.id == prices.c.store_id)
    )
    wanted = select(*told, gtin, *ids).select_from(joined).where(*map(_has, words))
    if company_id is not None:
        wanted = wanted.where(listings.c.company_id == company_id)
    if store is not None:
        wanted = wanted.where(stores.c.store_code == store)
    order = (companies.c.slug, listings.c.name, listings.c.sku, stores.c.store_code)
    found: list[Any] = []
    streamed = wanted.order_by(*order).execution_options(yield_per=500)  # a word may be in millions of rows
    with connection.execute(streamed) as rows:
        for row in rows:
            if all(word.casefold() in _text(row).casefold() for word in words):
                found.append(row)
            if len(found) > limit:
                break
    return [_priced(connection, row, now) for row in found[:limit]], len(found) > limit


def _has(word: str) -> ColumnElement[bool]:
    """Whether a listing may have the word: exact for ASCII, of which alone every database knows the other case."""
    escaped = "".join(WILD.get(sign, sign) if sign.isascii() else "%" for sign in word.lower())
    texts = (listings.c.name, listings.c.brand, listings.c.size)
    spoken = func.lower(
        func.coalesce(texts[0], "") + " " + func.coalesce(texts[1], "") + " " + func.coalesce(texts[2], "")
    )
    return spoken.like(f"%{escaped}%", escape="\\")


def _text(row: Any) -> str:
    return f"{row.name} {row.brand or ''} {row.size or ''}"


def _priced(connection: Connection, row: Any, now: datetime) -> Priced:
    told = price_at(connection, row.of_store, row.listing_id, now)
    return Priced(
        company=row.slug,
        sku=row.sku,
        gtin=row.gtin,
        name=row.name,
        brand=row.brand,
        size=row.size,
        store_id=row.store_code,
        price_cents=told.price_cents if told else None,
        price_basis=told.entry.price_basis if told and told.price_cents is not None else row.price_basis,
        source=told.source if told else "own",
        observed_at=told.observed_at if told else None,
    )
