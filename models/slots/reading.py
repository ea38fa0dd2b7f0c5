"""Reads the slots of a shopping list: every option of each line at the stores asked for, in a few statements.

An option is a line that a store ranges, has in stock and has a price for. Its offer is the slot of the store, or of its
anchor where the store has none of its own; how old it is follows from the sightings of both.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, cast, func, literal, select, union_all

from models.database.dialect import is_one_of
from models.lines import sightings
from models.lines.sightings import Look, Seen
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
"""Of several reasons the last one is given: it is nearest to an option."""


@dataclass(frozen=True, slots=True)
class _Store:
    """A store asked for, and what is known of its lines."""

    row: Row[Any]
    facts: documents.Store
    ranged: Bits
    available: Bits


def known_names(connection: Connection, folded: Collection[str]) -> set[str]:
    """Which of these texts, folded, are the name of a product."""
    return {fold(name) for name in _named(connection, folded)} & set(folded)


def companies_of(connection: Connection) -> set[str]:
    """The slugs of the companies that there are."""
    return set(connection.execute(select(companies.c.slug)).scalars())


def stores_near(connection: Connection, latitude: float, longitude: float, radius: float) -> list[str]:
    """The open stores with prices within `radius` kilometres, as company:store_id, the nearest first."""
    joined = stores.join(companies, companies.c.id == stores.c.company_id)
    joined = joined.join(store_ranges, store_ranges.c.store_id == stores.c.id)
    wanted = select(companies.c.slug, stores.c.store_code, stores.c.latitude, stores.c.longitude).select_from(joined)
    placed = wanted.where(stores.c.closed_at.is_(None), stores.c.latitude.is_not(None), stores.c.longitude.is_not(None))
    here = (latitude, longitude)
    found = [
        (kilometres(here, (row.latitude, row.longitude)), f"{row.slug}:{row.store_code}")
        for row in connection.execute(placed)
    ]
    return [store for away, store in sorted(found) if away <= radius]


def slots_of(connection: Connection, entries: Sequence[Entry], asked: Sequence[str], now: datetime) -> Slots:
    """The slots of a list at the stores `asked` for (company:store_id). ValueError names a store that is unknown."""
    known = _stores(connection, asked)
    wanted = [one for entry in entries for one in (entry.wanted, *entry.substitutes)]
    named = _products(connection, wanted)
    offered, offers = _offered(connection, {p for found in named.values() for p in found}, known)
    seen = sightings.read(connection, sorted({i for one in known for i in (one.row.id, one.row.anchor_id)}))
    reader = _Reader(known, named, offered, seen, offers, now)
    lines = tuple(reader.line(entry) for entry in entries)
    return Slots(now.isoformat(timespec="seconds"), tuple(one.facts for one in known), lines)


def _stores(connection: Connection, asked: Sequence[str]) -> list[_Store]:
    anchor, member, group = stores.alias("anchor"), store_group_memberships, store_groups
    joined = (
        stores.join(companies, companies.c.id == stores.c.company_id)
        .outerjoin(member, member.c.store_id == stores.c.id)
        .outerjoin(group, group.c.id == member.c.group_id)
        .outerjoin(anchor, anchor.c.id == group.c.anchor_id)
        .outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
    )
    wanted = select(
        stores, anchor.c.id.label("anchor_id"), anchor.c.timezone.label("anchor_timezone"), store_ranges.c.ranged,
        store_ranges.c.available, companies.c.slug, companies.c.name.label("company"), companies.c.flip_weekday,
        companies.c.flip_hour,
    ).select_from(joined)  # fmt: skip
    codes = [store.partition(":")[2] for store in asked]
    found = {}
    for row in connection.execute(wanted.where(stores.c.store_code.in_(codes))):
        place = ", ".join(str(part) for part in (row.address_line_1, row.suburb, row.state, row.postcode) if part)
        name = f"{row.slug}:{row.store_code}"
        facts = documents.Store(
            name, row.store_code, row.company, row.store_name, place or None, row.latitude, row.longitude
        )
        found[name] = _Store(row, facts, unpack(row.ranged), unpack(row.available))
    for store in asked:
        if store not in found:
            raise ValueError(
                f"store {store!r} is unknown: COMPANY:STORE of a store that was crawled or located is wanted"
            )
    return [found[store] for store in dict.fromkeys(asked)]


def _named(connection: Connection, folded: Collection[str]) -> list[str]:
    named = is_one_of(connection, func.lower(products.c.name, type_=Text), sorted(_variants(folded)))
    return list(connection.execute(select(products.c.name).distinct().where(named)).scalars())


def _variants(names: Collection[str]) -> set[str]:
    """What a database's lower() may make of a name in any case: SQLite's folds ASCII alone."""
    spellings = (one for name in names for one in (name, name.upper(), name.title(), name.capitalize()))
    return {"".join(c.lower() if c.isascii() else c for c in one) for one in spellings} | {n.lower() for n in names}


def _products(connection: Connection, wanted: Sequence[Wanted]) -> dict[tuple[str, str], set[int]]:
    """Ids of products by the kind and key of what is wanted; a sku's key is COMPANY:SKU."""
    keys: dict[str, set[str]] = {"gtin": set(), "product": set(), "sku": set(), "name": set()}
    for one in wanted:
        keys[one.kind].add(_key(one)[1])

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
    found: dict[tuple[str, str], set[int]] = {}
    for kind, key, product_id in connection.execute(query):
        found.setdefault((kind, fold(key) if kind == "name" else key), set()).add(product_id)
    return found


def _key(wanted: Wanted) -> tuple[str, str]:
    return wanted.kind, f"{wanted.company}:{wanted.key}" if wanted.kind == "sku" else wanted.key


def _offered(
    connection: Connection, wanted: Collection[int], known: Sequence[_Store]
) -> tuple[dict[int, list[Row[Any]]], dict[tuple[int, int], Row[Any]]]:
    """What the companies of the stores call the products, by product; and the slots of that, by store and listing."""
    listing, slot = listings.c, price_slots.c
    asked = {store_id for one in known for store_id in (one.row.id, one.row.anchor_id)}
    here = and_(slot.product_id == listing.product_id, slot.listing_id == listing.id, slot.store_id.in_(asked))
    joined = (
        listings.join(products, products.c.id == listing.product_id)
        .outerjoin(brands, brands.c.id == products.c.brand_id)
        .outerjoin(categories, categories.c.id == listing.category_id)
        .outerjoin(price_slots, here)
    )
    names = ("id", "company_id", "ordinal", "product_id", "sku", "size", "image_url", "brand")
    shelf = (categories.c.path, products.c.name.label("product_name"), brands.c.name.label("product_brand"))
    offer = (slot[name] for name in ("store_id", "source", *OFFER))
    query: Select[Any] = select(*(listing[name] for name in names), *shelf, *offer).select_from(joined)
    query = query.where(listing.company_id.in_({one.row.company_id for one in known}))
    query = query.order_by(listing.product_id, listing.id, slot.store_id)
    found: dict[int, dict[int, Row[Any]]] = {}
    offers: dict[tuple[int, int], Row[Any]] = {}
    for row in connection.execute(query.where(is_one_of(connection, listing.product_id, wanted))):
        found.setdefault(row.product_id, {}).setdefault(row.id, row)
        if row.store_id is not None:
            offers[row.store_id, row.id] = row
    return {product: list(rows.values()) for product, rows in found.items()}, offers


@dataclass(frozen=True, slots=True)
class _Reader:
    known: Sequence[_Store]
    products: Mapping[tuple[str, str], set[int]]
    listings: Mapping[int, list[Row[Any]]]
    seen: Mapping[int, Seen]
    offers: Mapping[tuple[int, int], Row[Any]]
    now: datetime

    def line(self, entry: Entry) -> Line:
        """A line with its options: by store, those of the item itself first."""
        options: dict[tuple[str, int], Option] = {}
        reasons: set[str] = set()
        for wanted in (entry.wanted, *entry.substitutes):
            products = sorted(self.products.get(_key(wanted), ()))
            reasons |= {NOT_SOLD if products else UNKNOWN}
            for store, listing in self._shelves(products):
                found = self._option(store, listing, wanted, is_substitute=wanted is not entry.wanted)
                if isinstance(found, Option):
                    options.setdefault((store.facts.store, listing.id), found)
                else:
                    reasons.add(found)
        reason = None if options else max(reasons, key=_WORST_FIRST.index)
        item, unit = entry.wanted.item, entry.wanted.quantity_unit
        return Line(entry.line, item, entry.wanted.quantity, unit, reason, tuple(options.values()))

    def _shelves(self, products: Sequence[int]) -> Iterator[tuple[_Store, Row[Any]]]:
        """The stores that range the products, each with its company's listing."""
        for store in self.known:
            for product in products:
                for listing in self.listings.get(product, ()):
                    if listing.company_id == store.row.company_id and _has(store.ranged, listing.ordinal):
                        yield store, listing

    def _option(self, store: _Store, listing: Row[Any], wanted: Wanted, *, is_substitute: bool) -> Option | str:
        """The option, or why there is none."""
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
        return self._made(store, listing, wanted, slot, self._known(store, listing, own, look), is_substitute)

    def _known(self, store: _Store, listing: Row[Any], own: Row[Any] | None, look: Look) -> tuple[str, datetime, str]:
        """How the price is known, when it was seen, and in which time zone."""
        if own is not None:
            return str(own.source), look.sighting.at, store.row.timezone
        anchor = self.seen[store.row.anchor_id].at(listing.ordinal)
        if anchor is None or look.sighting.at >= anchor.sighting.at:
            return OWN, look.sighting.at, store.row.timezone
        return INFERRED, anchor.sighting.at, store.row.anchor_timezone

    def _made(
        self,
        store: _Store,
        listing: Row[Any],
        wanted: Wanted,
        slot: Row[Any],
        known: tuple[str, datetime, str],
        is_substitute: bool,
    ) -> Option:
        source, observed_at, timezone = known
        flip = Flip(store.row.flip_weekday, store.row.flip_hour)
        facts = store.facts
        path = json.loads(listing.path) if listing.path else []
        return Option(
            **{name: getattr(facts, name) for name in _OF_THE_STORE},
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


_OF_THE_STORE = ("store", "company_name", "store_id", "store_name", "store_address")
_OF_THE_SLOT = (
    *("price_basis", "typical_grams", "was_price_cents", "offer_id", "offer_kind", "multibuy_quantity"),
    *("multibuy_total_cents", "member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"),
    "unit_of_measure",
)


def _has(bits: Bits, ordinal: int) -> bool:
    return ordinal < len(bits) and bool(bits[ordinal])
