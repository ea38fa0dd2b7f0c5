"""Which product each new listing is: those the database has are loaded once a batch, then all is decided in memory."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Protocol

from sqlalchemy import Connection, text

from models import bulk
from models.dialect import among, listed, lists, met, new_ids
from models.tables import products
from splitcart import identity, sizes
from splitcart.identity import Listing


class Named(Protocol):
    """What says which product a listing is; a Newcomer and a Staged both do."""

    @property
    def sku(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def brand(self) -> str | None: ...

    @property
    def gtin(self) -> str | None: ...

    @property
    def size(self) -> str | None: ...


@dataclass(slots=True, eq=False)
class Product:
    """A product as far as the batch must know it; `id` is null until it is inserted."""

    id: int | None
    rank: int
    """The order of ids, which those that are not inserted yet will follow."""
    gtin: str | None
    key: str
    listings: list[Listing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """The product of one listing, and what the two taught: (kind, value) of kind key, gtin or brand."""

    product: Product
    learned: frozenset[tuple[str, str]] = frozenset()


_AFTER = 2**62
"""Above every id of a database."""
_ALIASED = "p.id, p.gtin, p.normalized_key, a.kind, a.value"
_ALIASES = "product_aliases a JOIN products p ON p.id = a.product_id"


class Catalogue:
    """The products that a batch of listings may be: GTIN first, then the key of brand, name and size, with vetoes."""

    def __init__(self) -> None:
        self.by_gtin: dict[str, list[Product]] = defaultdict(list)
        self.by_key: dict[str, list[Product]] = defaultdict(list)
        self.made: list[Product] = []

    def load(self, connection: Connection, gtins: Iterable[str], keys: Iterable[str]) -> None:
        """Reads the products that any of the GTINs or keys may mean, with their listings: two queries."""
        values = {
            "gtins": listed(connection, list(dict.fromkeys(gtins))),
            "keys": listed(connection, list(dict.fromkeys(keys))),
        }
        queries = [
            met(connection, columns, table, column, name)
            for columns, table, column, name in (
                ("id, gtin, normalized_key, 'gtin', gtin", "products", "gtin", "gtins"),
                ("id, gtin, normalized_key, 'key', normalized_key", "products", "normalized_key", "keys"),
                (_ALIASED, _ALIASES, "a.kind = 'gtin' AND a.value", "gtins"),
                (_ALIASED, _ALIASES, "a.kind = 'key' AND a.value", "keys"),
            )
        ]
        sql = f"{lists(connection, *values)}{' UNION '.join(queries)} ORDER BY 1"
        known: dict[int, Product] = {}
        for product_id, gtin, key, kind, value in connection.execute(text(sql), values):
            product = known.setdefault(product_id, Product(product_id, product_id, gtin, key))
            (self.by_gtin if kind == "gtin" else self.by_key)[value].append(product)
        self._load_listings(connection, known)

    def _load_listings(self, connection: Connection, known: dict[int, Product]) -> None:
        if not known:
            return
        sql = f"""SELECT l.product_id, c.name, l.sku, l.name, l.brand, l.size, l.gtin
            FROM listings l JOIN companies c ON c.id = l.company_id
            WHERE {among(connection, "l.product_id", "ids")} ORDER BY l.id"""  # noqa: S608 fixed text
        for product_id, *listing in connection.execute(text(sql), {"ids": listed(connection, list(known))}):
            known[product_id].listings.append(Listing(*listing))

    def find(self, listing: Listing, key: str) -> Found:
        """The product of a listing that the company did not have; made where nothing says same without a veto."""
        candidates = (*self.by_gtin.get(listing.gtin or "", ()), *self.by_key.get(key, ()))
        for product in candidates:
            learned = _same(listing, product)
            if learned is not None:
                product.listings.append(listing)
                if product.gtin is None and listing.gtin and listing.gtin not in self.by_gtin:
                    product.gtin = listing.gtin
                    learned |= {("own_gtin", listing.gtin)}
                self._remember(product, learned)
                return Found(product, learned)
        return Found(self._make(listing, key))

    def _remember(self, product: Product, learned: Iterable[tuple[str, str]]) -> None:
        """What was learned holds for the rest of the batch, too, as if it had been loaded."""
        for kind, value in learned:
            if kind != "brand":
                known = (self.by_key if kind == "key" else self.by_gtin)[value]
                if product not in known:
                    insort(known, product, key=attrgetter("rank"))

    def _make(self, listing: Listing, key: str) -> Product:
        """A product of its own. A GTIN that another product has stays with that one: the listing still tells it."""
        gtin = listing.gtin if listing.gtin not in self.by_gtin else None
        product = Product(None, _AFTER + len(self.made), gtin, key, [listing])
        self.made.append(product)
        if gtin:
            self.by_gtin[gtin].append(product)
        self.by_key[key].append(product)
        return product


def _same(listing: Listing, product: Product) -> frozenset[tuple[str, str]] | None:
    """What is learned when the listing is the product; None when nothing says so, or any of its listings forbids it."""
    learned: frozenset[tuple[str, str]] = frozenset()
    said = False
    for other in product.listings:
        decision = identity.decide(listing, other)
        if decision.same:
            said, learned = True, learned | decision.learned
        elif decision.by is not None or identity.vetoed(listing, other):
            return None
    return learned if said else None


def identified(
    connection: Connection, company: str, told: Sequence[Named], keys: Sequence[str], brands: Mapping[str, int]
) -> tuple[list[int], dict[int, Found]]:
    """The product of each listing, in order, and what was found of those that had to be compared, by their place.

    New products are inserted. `keys`: normalized keys in order; `brands`: ids by the brands as they are written. Most
    listings meet no product that the database has, and share neither barcode nor key with another of the batch: each
    of these is a product of its own. Only the others are compared, one by one.
    """
    catalogue = Catalogue()
    catalogue.load(connection, [one.gtin for one in told if one.gtin], keys)
    compared = {
        place: catalogue.find(Listing(company, one.sku, one.name, one.brand, one.size, one.gtin), keys[place])
        for place, one in _to_compare(told, keys, catalogue)
    }
    ids = iter(new_ids(connection, "products", len(catalogue.made) + len(told) - len(compared)))
    rows, product_id = [], []
    for place, one in enumerate(told):
        product = compared[place].product if place in compared else Product(None, 0, one.gtin, keys[place])
        if product.id is None:
            product.id = next(ids)
            rows.append(_row(product.id, one, product.gtin, product.key, brands))
        product_id.append(product.id)
    bulk.insert(connection, products, _NAMES, rows)
    return product_id, compared


def _to_compare(told: Sequence[Named], keys: Sequence[str], catalogue: "Catalogue") -> list[tuple[int, Named]]:
    """Those with a barcode or key of a product that is there, or of another of them; no other makes such a product."""
    gtins, often = Counter(one.gtin for one in told if one.gtin), Counter(keys)
    gtins.update(list(catalogue.by_gtin))
    often.update(list(catalogue.by_key))
    return [(n, one) for n, one in enumerate(told) if often[keys[n]] > 1 or gtins.get(one.gtin or "", 0) > 1]


_SIZE = ("size_amount_e3", "size_unit", "size_count", "size_is_approx")
_NAMES = ("id", "name", "brand_id", "gtin", "normalized_key", *_SIZE)


def _row(product_id: int, first: Named, gtin: str | None, key: str, brands: Mapping[str, int]) -> bulk.Row:
    return (product_id, first.name, brands.get(first.brand or ""), gtin, key, *size_fields(first.size))


@lru_cache(maxsize=16_384)
def size_fields(size_text: str | None) -> tuple[int | None, str | None, int | None, int | None]:
    """size_amount_e3, size_unit, size_count, size_is_approx of a product, as its size text tells them."""
    size = sizes.parse(size_text)
    if size is None or size.amount <= 0:
        return (None, None, None, None)
    return (round(size.amount * 1000), size.unit, size.count, int(size.approx))
