"""Finds the product of each new listing in the database, or makes a new product for it."""

from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Select, select, union

from models.database import bulk
from models.database.dialect import is_one_of, new_ids
from models.staging.rows import SeenSku
from models.tables import companies, listings, product_aliases, products
from splitcart.identity import matching
from splitcart.identity.matching import Listing
from splitcart.sizes import packs


@dataclass(slots=True, eq=False)
class Product:
    """What matching needs to know of a product; `id` is None until it is inserted."""

    id: int | None
    rank: int
    """Its place in the order of ids; products that are not inserted yet come last."""
    gtin: str | None
    key: str
    listings: list[Listing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ProductMatch:
    """The product of one listing."""

    product: Product
    learned: frozenset[tuple[str, str]] = frozenset()
    """(kind, value) of kind key, gtin or brand: other names by which the product is found from now on. Kind own_gtin:
    the product had no GTIN and takes the listing's."""

    @property
    def product_id(self) -> int:
        """The product's id, once `identified` has inserted the products that are new."""
        assert self.product.id is not None
        return self.product.id


_AFTER = 2**62
"""Above every id of a database."""


class Catalogue:
    """The products that a batch of listings may be: by GTIN, then by the key of brand, name and size, with vetoes."""

    def __init__(self) -> None:
        self.by_gtin: dict[str, list[Product]] = defaultdict(list)
        self.by_key: dict[str, list[Product]] = defaultdict(list)
        self.made: list[Product] = []

    def load(self, connection: Connection, gtins: Collection[str], keys: Collection[str]) -> None:
        """Reads the products that have any of the GTINs or keys, with their listings."""
        known: dict[int, Product] = {}
        by_gtin = _known_by(connection, "gtin", products.c.gtin, gtins)
        by_key = _known_by(connection, "key", products.c.normalized_key, keys)
        for rows, candidates in ((by_gtin, self.by_gtin), (by_key, self.by_key)):
            for product_id, gtin, key, value in sorted(rows, key=itemgetter(0)):
                product = known.setdefault(product_id, Product(product_id, product_id, gtin, key))
                candidates[value].append(product)
        if known:
            for product_id, *listing in connection.execute(_listings(connection, known)):
                known[product_id].listings.append(Listing(*listing))

    def find(self, listing: Listing, key: str) -> ProductMatch:
        """The product of a new listing: the first candidate that is the same without a veto, else a new product."""
        candidates = (*self.by_gtin.get(listing.gtin or "", ()), *self.by_key.get(key, ()))
        for product in candidates:
            learned = _same(listing, product)
            if learned is not None:
                product.listings.append(listing)
                if product.gtin is None and listing.gtin and listing.gtin not in self.by_gtin:
                    product.gtin = listing.gtin
                    learned |= {("own_gtin", listing.gtin)}
                self._add_candidate(product, learned)
                return ProductMatch(product, learned)
        return ProductMatch(self._make(listing, key))

    def _add_candidate(self, product: Product, learned: Iterable[tuple[str, str]]) -> None:
        """Makes the product a candidate under its new names for the rest of the batch, as if they had been loaded."""
        for kind, value in learned:
            if kind != "brand":
                candidates = (self.by_key if kind == "key" else self.by_gtin)[value]
                if product not in candidates:
                    insort(candidates, product, key=attrgetter("rank"))

    def _make(self, listing: Listing, key: str) -> Product:
        """A new product. It gets no GTIN that another product has; the listing keeps the GTIN in any case."""
        gtin = listing.gtin if listing.gtin not in self.by_gtin else None
        product = Product(None, _AFTER + len(self.made), gtin, key, [listing])
        self.made.append(product)
        if gtin:
            self.by_gtin[gtin].append(product)
        self.by_key[key].append(product)
        return product


def _same(listing: Listing, product: Product) -> frozenset[tuple[str, str]] | None:
    """What is learned if the listing is the product; None if no listing of it is the same, or any vetoes it."""
    learned: frozenset[tuple[str, str]] = frozenset()
    is_same = False
    for other in product.listings:
        decision = matching.decide(listing, other)
        if decision.same:
            is_same, learned = True, learned | decision.learned
        elif decision.by is not None or matching.vetoed(listing, other):
            return None
    return learned if is_same else None


def _known_by(connection: Connection, kind: str, column: Column[Any], values: Collection[str]) -> Sequence[Any]:
    """(id, gtin, normalized_key, value) of each product with a value in the column, or as an alias of the kind."""
    ordered, aliases = sorted(values), product_aliases.c
    product = select(products.c.id, products.c.gtin, products.c.normalized_key)
    direct = product.add_columns(column.label("value")).where(is_one_of(connection, column, ordered))
    aliased = product.add_columns(aliases.value).join(product_aliases, aliases.product_id == products.c.id)
    aliased = aliased.where(aliases.kind == kind, is_one_of(connection, aliases.value, ordered))
    return connection.execute(union(direct, aliased)).all() if ordered else []


def _listings(connection: Connection, product_ids: Iterable[int]) -> Select[Any]:
    names = (listings.c[name] for name in ("sku", "name", "brand", "size", "gtin"))
    query = select(listings.c.product_id, companies.c.name.label("company"), *names)
    query = query.join(companies, companies.c.id == listings.c.company_id)
    return query.where(is_one_of(connection, listings.c.product_id, sorted(product_ids))).order_by(listings.c.id)


SIZE = ("size_amount_e3", "size_unit", "size_count", "size_is_approx")
"""The columns of products that hold a pack."""
_PRODUCT = ("id", "name", "brand_id", "gtin", "normalized_key", *SIZE)


def identified(
    connection: Connection, company: str, skus: Sequence[SeenSku], brands: Mapping[str, int]
) -> list[ProductMatch]:
    """The product of each new sku of a company, in order; new products are inserted.

    `brands`: ids by the brand as listings write it.
    """
    keys = [one.normalized_key or matching.normalized_key(one.brand, one.name, one.size) for one in skus]
    catalogue = Catalogue()
    catalogue.load(connection, {one.gtin for one in skus if one.gtin}, set(keys))
    matches = [
        catalogue.find(Listing(company, one.sku, one.name, one.brand, one.size, one.gtin), key)
        for one, key in zip(skus, keys, strict=True)
    ]
    ids, rows = iter(new_ids(connection, products, len(catalogue.made))), list[bulk.Row]()
    for one, product in zip(skus, (match.product for match in matches), strict=True):
        if product.id is None:
            product.id = next(ids)
            brand = brands.get(one.brand or "")
            rows.append((product.id, one.name, brand, product.gtin, product.key, *size_fields(one.size, one.name)))
    bulk.insert(connection, products, _PRODUCT, rows)
    return matches


def size_fields(size_text: str | None, name: str) -> tuple[int | None, str | None, int | None, int | None]:
    """The columns SIZE of a product, from its size text and its name."""
    size = packs.of(size_text, name)
    if size is None or size.amount <= 0:
        return (None, None, None, None)
    return (round(size.amount * 1000), size.unit, size.count, int(size.approx))
