"""The history of one product's or one listing's prices, store by store, as the anchors and own rows tell it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from models.tables import companies, listings, price_changes, products, stores


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: the offer from `changed_at` on; `price_cents` is null where the listing was no longer sold."""

    company: str
    sku: str
    name: str
    store_id: str
    changed_at: datetime
    price_cents: int | None
    was_price_cents: int | None
    price_basis: str
    multibuy_quantity: int | None
    multibuy_total_cents: int | None
    kind: str
    """own, or follows: from here on the price is that of the group's anchor."""
    crawl_run_id: int
    seen_before: int | None
    """The last run that saw the offer before; between the two runs the price is unknown."""


def of_gtin(connection: Connection, gtin: str, store: str | None = None) -> list[Entry]:
    """The history of every company's listings of the product with this GTIN (14 digits)."""
    return _entries(connection, (products.c.gtin == gtin) | (listings.c.gtin == gtin), store)


def of_sku(connection: Connection, company: str, sku: str, store: str | None = None) -> list[Entry]:
    """The history of one company's listing; the company by its slug, in any case."""
    return _entries(connection, (companies.c.slug == company.lower()) & (listings.c.sku == sku), store)


def check_store(connection: Connection, store: str, company: str | None) -> None:
    """Raises ValueError where no company, or not this one (its slug), has a store of this id."""
    joined = stores.join(companies, companies.c.id == stores.c.company_id)
    wanted = select(stores.c.id).select_from(joined).where(stores.c.store_id == store)
    if company is not None:
        wanted = wanted.where(companies.c.slug == company)
    if connection.execute(wanted).first() is None:
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
    told = (companies.c.name.label("company"), listings.c.sku, listings.c.name, stores.c.store_id, change.changed_at)
    offer = (change.price_cents, change.was_price_cents, change.price_basis)
    offer = (*offer, change.multibuy_quantity, change.multibuy_total_cents)  # type: ignore[assignment]
    wanted = select(*told, *offer, change.kind, change.crawl_run_id, change.seen_before).select_from(joined)
    wanted = wanted.where(which)
    if store is not None:
        wanted = wanted.where(stores.c.store_id == store)
    wanted = wanted.order_by(companies.c.name, listings.c.sku, stores.c.store_id, change.changed_at)
    return [Entry(**row) for row in connection.execute(wanted).mappings()]
