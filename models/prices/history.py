"""The price history of a product or a listing: what every store showed itself, or what was in effect at one store,
including prices that it took from its anchors."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, select

from models.prices.queries import price_at
from models.tables import companies, listings, membership_periods, price_changes, products, sightings, stores
from splitcart.observed import OWN


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: the offer from `changed_at` on; `price_cents` is None if the listing was no longer sold."""

    company: str
    sku: str
    name: str
    store_code: str
    changed_at: datetime
    price_cents: int | None
    was_price_cents: int | None
    price_basis: str
    multibuy_quantity: int | None
    multibuy_total_cents: int | None
    source: str
    """own: the store showed it; inferred: its anchor showed it, and the store followed; contested."""
    crawl_run_id: int
    seen_before: int | None
    """The last run that saw the previous offer; between that run and this one the price is unknown."""


def of_gtin(connection: Connection, gtin: str, store: str | None = None) -> list[Entry]:
    """The history of the listings that have this GTIN (14 digits) or whose product has it, of every company."""
    return _entries(connection, (products.c.gtin == gtin) | (listings.c.gtin == gtin), store)


def of_sku(connection: Connection, company: str, sku: str, store: str | None = None) -> list[Entry]:
    """The history of one listing; the company is named by its slug, in any case."""
    return _entries(connection, (companies.c.slug == company.lower()) & (listings.c.sku == sku), store)


def check_store(connection: Connection, store: str, company: str | None) -> None:
    """Raises ValueError if the company (a slug; None: every company) has no store with this store_code."""
    joined = stores.join(companies, companies.c.id == stores.c.company_id)
    query = select(stores.c.id).select_from(joined).where(stores.c.store_code == store)
    if company is not None:
        query = query.where(companies.c.slug == company)
    if connection.execute(query).first() is None:
        raise ValueError(
            f"store {store!r} is unknown{f' at {company}' if company else ''}: the chain's own id is wanted"
        )


def _entries(connection: Connection, which: ColumnElement[bool], store: str | None) -> list[Entry]:
    change = price_changes.c
    joined = (
        price_changes.join(listings, listings.c.id == change.listing_id)
        .join(products, products.c.id == listings.c.product_id)
        .join(companies, companies.c.id == listings.c.company_id)
        .join(stores, stores.c.id == change.store_id)
    )
    line = (companies.c.name.label("company"), listings.c.sku, listings.c.name, stores.c.store_code)
    order = (companies.c.name, listings.c.sku, stores.c.store_code)
    if store is not None:
        query = select(*line, change.store_id, change.listing_id).select_from(joined).where(which)
        rows = connection.execute(query.where(stores.c.store_code == store).distinct().order_by(*order)).all()
        return [entry for row in rows for entry in _in_effect(connection, row)]
    query = select(*line, *_OFFER).select_from(joined).where(which)
    changes = connection.execute(query.order_by(*order, change.changed_at)).mappings()
    return [Entry(**row, source=OWN) for row in changes]


_OFFER = tuple(price_changes.c[name] for name in list(Entry.__dataclass_fields__)[4:] if name != "source")


def _in_effect(connection: Connection, line: Any) -> Iterator[Entry]:
    """The changes of what price_at returns for one listing at one store."""
    latest: tuple[int, datetime, str] | None = None
    for when in connection.execute(_moments(line.store_id, line.listing_id)).scalars():
        price = price_at(connection, line.store_id, line.listing_id, when)
        if price is None or (price.store_id, price.entry.changed_at, price.source) == latest:
            continue
        latest = (price.store_id, price.entry.changed_at, price.source)
        offer = {column.name: getattr(price.entry, column.name) for column in _OFFER}
        offer |= {"changed_at": when, "source": price.source}
        yield Entry(line.company, line.sku, line.name, line.store_code, **offer)


def _moments(store_id: int, listing_id: int) -> CompoundSelect[Any]:
    """SELECT of the times at which price_at may change: publishes of the store, changes of its anchors, and moves."""
    change, period, look = price_changes.c, membership_periods.c, sightings.c
    anchors = select(period.anchor_id).where(period.store_id == store_id)
    of_either = change.store_id.in_(anchors) | (change.store_id == store_id)
    changed = select(change.changed_at.label("at")).where(change.listing_id == listing_id, of_either)
    moved = select(period.from_at).where(period.store_id == store_id)
    published = select(look.at).where(look.store_id == store_id)
    return changed.union(moved, published).order_by("at")
