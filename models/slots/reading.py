"""Reads the slots of a shopping list: every option of each line at the chosen stores, in a few statements.

An option is a line that a store ranges, has in stock and has a price for. Its offer is the store's slot, or if it has
none the anchor's; when the offer was observed follows from the sightings of both.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, cast, func, literal, select, union_all

from models.database.dialect import is_one_of
from models.lines import sightings
from models.lines.sightings import LastLooks, Look
from models.tables import price_slots, store_group_memberships, store_groups, store_ranges, stores
from models.tables.base import OFFER
from models.tables.products import brands, categories, listings, product_aliases, products
from models.tables.stores import companies
from splitcart.bits import Bits, unpack
from splitcart.cart import slots as documents
from splitcart.cart.items import Wanted, fold
from splitcart.cart.lists import Entry
from splitcart.cart.slots import Line, Option, Slots
from splitcart.cart.trips import kilometres
from splitcart.observed import INFERRED, OWN
from splitcart.periods import Flip, next_flip

UNKNOWN, NOT_SOLD, NOT_WEIGHED = "unknown item", "not sold at these stores", "not sold by weight at these stores"
OUT_OF_STOCK, NO_PRICE, NO_WEIGHT = "out of stock", "price not known", "weight of a piece not known"
_WORST_FIRST = (UNKNOWN, NOT_SOLD, NO_PRICE, OUT_OF_STOCK, NOT_WEIGHED, NO_WEIGHT)
"""Of several reasons, a line gets the last in this order, which is nearest to an option."""


@dataclass(frozen=True, slots=True)
class _Store:
    """A store of the list, and its lines as bit strings over listings.ordinal."""

    row: Row[Any]
    """The row of `stores`, with the company and the id and time zone of the anchor."""
    facts: documents.Store
    ranged: Bits
    available: Bits


def known_names(connection: Connection, folded: Collection[str]) -> set[str]:
    """Those of the folded texts that are names of products."""
    named = is_one_of(connection, func.lower(products.c.name, type_=Text), sorted(_variants(folded)))
    names = connection.execute(select(products.c.name).distinct().where(named)).scalars()
    return {fold(name) for name in names} & set(folded)


def companies_of(connection: Connection) -> set[str]:
    """The slugs of all companies."""
    return set(connection.execute(select(companies.c.slug)).scalars())


def stores_near(connection: Connection, latitude: float, longitude: float, radius: float) -> list[str]:
    """The open stores with prices within `radius` kilometres, as company:store_code, the nearest first."""
    joined = stores.join(companies, companies.c.id == stores.c.company_id)
    joined = joined.join(store_ranges, store_ranges.c.store_id == stores.c.id)
    query = select(companies.c.slug, stores.c.store_code, stores.c.latitude, stores.c.longitude).select_from(joined)
    placed = query.where(stores.c.closed_at.is_(None), stores.c.latitude.is_not(None), stores.c.longitude.is_not(None))
    here = (latitude, longitude)
    rows = connection.execute(placed)
    near = [(kilometres(here, (row.latitude, row.longitude)), f"{row.slug}:{row.store_code}") for row in rows]
    return [store for away, store in sorted(near) if away <= radius]


def slots_of(connection: Connection, entries: Sequence[Entry], names: Sequence[str], now: datetime) -> Slots:
    """The slots of a list at the named stores (company:store_code). ValueError names an unknown store."""
    chosen = _stores(connection, names)
    product_ids = _products(connection, [item for entry in entries for item in (entry.wanted, *entry.substitutes)])
    shelves, offers = _offered(connection, set().union(*product_ids.values()), chosen)
    seen = sightings.read(connection, sorted({i for store in chosen for i in (store.row.id, store.row.anchor_id)}))
    reader = _Reader(chosen, product_ids, shelves, seen, offers, now)
    lines = tuple(reader.line(entry) for entry in entries)
    return Slots(now.isoformat(timespec="seconds"), tuple(store.facts for store in chosen), lines)


def _stores(connection: Connection, names: Sequence[str]) -> list[_Store]:
    anchor, member, group = stores.alias("anchor"), store_group_memberships, store_groups
    joined = (
        stores.join(companies, companies.c.id == stores.c.company_id)
        .outerjoin(member, member.c.store_id == stores.c.id)
        .outerjoin(group, group.c.id == member.c.group_id)
        .outerjoin(anchor, anchor.c.id == group.c.anchor_id)
        .outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
    )
    query = select(
        stores, anchor.c.id.label("anchor_id"), anchor.c.timezone.label("anchor_timezone"), store_ranges.c.ranged,
        store_ranges.c.available, companies.c.slug, companies.c.name.label("company"), companies.c.flip_weekday,
        companies.c.flip_hour,
    ).select_from(joined)  # fmt: skip
    codes = [name.partition(":")[2] for name in names]
    store_of = {}
    for row in connection.execute(query.where(stores.c.store_code.in_(codes))):
        address = ", ".join(str(part) for part in (row.address_line_1, row.suburb, row.state, row.postcode) if part)
        name = f"{row.slug}:{row.store_code}"
        facts = documents.Store(
            name, row.store_code, row.company, row.store_name, address or None, row.latitude, row.longitude
        )
        store_of[name] = _Store(row, facts, unpack(row.ranged), unpack(row.available))
    for name in names:
        if name not in store_of:
            raise ValueError(
                f"store {name!r} is unknown: COMPANY:STORE of a store that was crawled or located is wanted"
            )
    return [store_of[name] for name in dict.fromkeys(names)]


def _variants(names: Collection[str]) -> set[str]:
    """What a database's lower() may return for the names in any case: SQLite's lowers ASCII letters only."""
    spellings = (text for name in names for text in (name, name.upper(), name.title(), name.capitalize()))
    return {"".join(c.lower() if c.isascii() else c for c in text) for text in spellings} | {n.lower() for n in names}


def _products(connection: Connection, wanted: Sequence[Wanted]) -> dict[tuple[str, str], set[int]]:
    """Product ids by the kind and key of the items; the key of a sku is COMPANY:SKU."""
    keys: dict[str, set[str]] = {"gtin": set(), "product": set(), "sku": set(), "name": set()}
    for item in wanted:
        keys[item.kind].add(_key(item)[1])

    def one_of(column: ColumnElement[Any], values: Collection[int] | Collection[str]) -> ColumnElement[bool]:
        return is_one_of(connection, column, values)

    product, alias, listing = products.c, product_aliases.c, listings.c
    ids = {int(key) for key in keys["product"] if int(key) < 2**31}
    skus = {key.partition(":")[2] for key in keys["sku"]}
    of_company = listings.join(companies, companies.c.id == listing.company_id)
    sku = (companies.c.slug + ":" + listing.sku, listing.product_id)
    query = union_all(
        select(literal("gtin"), product.gtin, product.id).where(one_of(product.gtin, keys["gtin"])),
        select(literal("gtin"), alias.value, alias.product_id).where(
            alias.kind == "gtin", one_of(alias.value, keys["gtin"])
        ),
        select(literal("product"), cast(product.id, Text), product.id).where(one_of(product.id, ids)),
        select(literal("sku"), *sku).select_from(of_company).where(one_of(listing.sku, skus)),
        select(literal("name"), product.name, product.id).where(
            one_of(func.lower(product.name, type_=Text), _variants(keys["name"]))
        ),
    )
    product_ids: dict[tuple[str, str], set[int]] = {}
    for kind, key, product_id in connection.execute(query):
        product_ids.setdefault((kind, fold(key) if kind == "name" else key), set()).add(product_id)
    return product_ids


def _key(wanted: Wanted) -> tuple[str, str]:
    return wanted.kind, f"{wanted.company}:{wanted.key}" if wanted.kind == "sku" else wanted.key


def _offered(
    connection: Connection, product_ids: Collection[int], chosen: Sequence[_Store]
) -> tuple[dict[int, list[Row[Any]]], dict[tuple[int, int], Row[Any]]]:
    """The products' listings at the stores' companies, by product, and their slots, by store and listing.

    The slots are those of the stores and of their anchors.
    """
    listing, slot = listings.c, price_slots.c
    store_ids = {store_id for store in chosen for store_id in (store.row.id, store.row.anchor_id)}
    here = and_(slot.product_id == listing.product_id, slot.listing_id == listing.id, slot.store_id.in_(store_ids))
    joined = (
        listings.join(products, products.c.id == listing.product_id)
        .outerjoin(brands, brands.c.id == products.c.brand_id)
        .outerjoin(categories, categories.c.id == listing.category_id)
        .outerjoin(price_slots, here)
    )
    names = ("id", "company_id", "ordinal", "product_id", "sku", "size", "image_url", "brand")
    others = (categories.c.path, products.c.name.label("product_name"), brands.c.name.label("product_brand"))
    offer = (slot[name] for name in ("store_id", "source", *OFFER))
    query: Select[Any] = select(*(listing[name] for name in names), *others, *offer).select_from(joined)
    query = query.where(listing.company_id.in_({store.row.company_id for store in chosen}))
    query = query.order_by(listing.product_id, listing.id, slot.store_id)
    by_product: dict[int, dict[int, Row[Any]]] = {}
    offers: dict[tuple[int, int], Row[Any]] = {}
    for row in connection.execute(query.where(is_one_of(connection, listing.product_id, product_ids))):
        by_product.setdefault(row.product_id, {}).setdefault(row.id, row)
        if row.store_id is not None:
            offers[row.store_id, row.id] = row
    return {product: list(rows.values()) for product, rows in by_product.items()}, offers


@dataclass(frozen=True, slots=True)
class _Reader:
    stores: Sequence[_Store]
    products: Mapping[tuple[str, str], set[int]]
    """As `_products` returns them."""
    listings: Mapping[int, list[Row[Any]]]
    """By product."""
    seen: Mapping[int, LastLooks]
    """By store; anchors' too."""
    offers: Mapping[tuple[int, int], Row[Any]]
    """By store and listing; anchors' too."""
    now: datetime

    def line(self, entry: Entry) -> Line:
        """A line with its options: those of the item, then those of each substitute, each by store."""
        options: dict[tuple[str, int], Option] = {}
        reasons: set[str] = set()
        for wanted in (entry.wanted, *entry.substitutes):
            products = sorted(self.products.get(_key(wanted), ()))
            reasons |= {NOT_SOLD if products else UNKNOWN}
            for store, listing in self._shelves(products):
                option = self._option(store, listing, wanted, is_substitute=wanted is not entry.wanted)
                if isinstance(option, Option):
                    options.setdefault((store.facts.store, listing.id), option)
                else:
                    reasons.add(option)
        reason = None if options else max(reasons, key=_WORST_FIRST.index)
        item, unit = entry.wanted.item, entry.wanted.quantity_unit
        return Line(entry.line, item, entry.wanted.quantity, unit, reason, tuple(options.values()))

    def _shelves(self, products: Sequence[int]) -> Iterator[tuple[_Store, Row[Any]]]:
        """The stores that range the products, each with the listing that it ranges."""
        for store in self.stores:
            for product in products:
                for listing in self.listings.get(product, ()):
                    if listing.company_id == store.row.company_id and _has(store.ranged, listing.ordinal):
                        yield store, listing

    def _option(self, store: _Store, listing: Row[Any], wanted: Wanted, *, is_substitute: bool) -> Option | str:
        """The option, or the reason why there is none."""
        look = self.seen[store.row.id].at(listing.ordinal)
        own = self.offers.get((store.row.id, listing.id))
        slot = own or self.offers.get((store.row.anchor_id, listing.id))
        if look is None or slot is None:
            return NO_PRICE
        if store.row.closed_at is not None or not _has(store.available, listing.ordinal):
            return OUT_OF_STOCK
        if wanted.quantity_unit == "g" and slot.price_basis != "kg":
            return NOT_WEIGHED
        if wanted.quantity_unit is None and slot.price_basis == "kg" and slot.typical_grams is None:
            return NO_WEIGHT
        source, observed_at, timezone = self._known(store, listing, own, look)
        flip = Flip(store.row.flip_weekday, store.row.flip_hour)
        path = json.loads(listing.path) if listing.path else []
        return Option(
            **{name: getattr(store.facts, name) for name in _OF_THE_STORE},
            **{name: getattr(slot, name) for name in _OF_THE_SLOT},
            product_id=listing.product_id,
            product_name=listing.product_name,
            brand=listing.product_brand or listing.brand,
            size=listing.size,
            sku=listing.sku,
            is_substitute=is_substitute,
            quantity=wanted.quantity,
            quantity_unit=wanted.quantity_unit,
            unit_price_cents=slot.price_cents,
            is_on_special=slot.is_on_special,
            offer_until=None if slot.offer_until is None else slot.offer_until.isoformat(timespec="seconds"),
            unit_price=None if slot.unit_price_e4 is None else slot.unit_price_e4 / 10_000,
            source=source,
            observed_at=observed_at.isoformat(timespec="seconds"),
            flip_since=next_flip(flip, timezone, observed_at) <= self.now,
            is_estimated=slot.is_estimated,
            department=path[0] if path else None,
            image_url=listing.image_url,
        )

    def _known(self, store: _Store, listing: Row[Any], own: Row[Any] | None, look: Look) -> tuple[str, datetime, str]:
        """(source, time of observation, time zone of the observed store) of the price."""
        if own is not None:
            return str(own.source), look.sighting.at, store.row.timezone
        anchor = self.seen[store.row.anchor_id].at(listing.ordinal)
        if anchor is None or look.sighting.at >= anchor.sighting.at:
            return OWN, look.sighting.at, store.row.timezone
        return INFERRED, anchor.sighting.at, store.row.anchor_timezone


_OF_THE_STORE = ("store", "company_name", "store_id", "store_name", "store_address")
_OF_THE_SLOT = (
    *("price_basis", "typical_grams", "was_price_cents", "offer_id", "offer_kind", "multibuy_quantity"),
    *("multibuy_total_cents", "member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"),
    "unit_of_measure",
)


def _has(bits: Bits, ordinal: int) -> bool:
    return ordinal < len(bits) and bool(bits[ordinal])
