"""Which product each new listing is: those the database has are loaded once a batch, then all is decided in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection, text

from models.dialect import among, listed
from splitcart import brands, identity, sizes
from splitcart.identity import Listing
from splitcart.sizes import Size

size_of = lru_cache(maxsize=16_384)(sizes.parse)
brand_of = lru_cache(maxsize=16_384)(brands.key)


@dataclass(slots=True)
class Product:
    """A product as far as the batch must know it; `id` is null until it is inserted."""

    id: int | None
    gtin: str | None
    key: str
    listings: list[Listing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """The product of one listing, and what the two taught: (kind, value) of kind key, gtin or brand."""

    product: Product
    learned: frozenset[tuple[str, str]] = frozenset()


class Catalogue:
    """The products that a batch of listings may be: GTIN first, then the key of brand, name and size, with vetoes."""

    def __init__(self) -> None:
        self.by_gtin: dict[str, list[Product]] = defaultdict(list)
        self.by_key: dict[str, list[Product]] = defaultdict(list)
        self.made: list[Product] = []

    def load(self, connection: Connection, gtins: Iterable[str], keys: Iterable[str]) -> None:
        """Reads the products that any of the GTINs or keys may mean, with their listings: three queries."""
        values = {
            "gtins": listed(connection, sorted(set(gtins))),
            "keys": listed(connection, sorted(set(keys))),
        }
        sql = f"""
            SELECT id, gtin, normalized_key, 'gtin', gtin FROM products WHERE {among(connection, "gtin", "gtins")}
            UNION SELECT id, gtin, normalized_key, 'key', normalized_key FROM products
                WHERE {among(connection, "normalized_key", "keys")}
            UNION SELECT p.id, p.gtin, p.normalized_key, a.kind, a.value FROM product_aliases a
                JOIN products p ON p.id = a.product_id WHERE a.kind = 'gtin' AND {among(connection, "a.value", "gtins")}
            UNION SELECT p.id, p.gtin, p.normalized_key, a.kind, a.value FROM product_aliases a
                JOIN products p ON p.id = a.product_id WHERE a.kind = 'key' AND {among(connection, "a.value", "keys")}
            ORDER BY 1"""  # noqa: S608 fixed text
        products: dict[int, Product] = {}
        for product_id, gtin, key, kind, value in connection.execute(text(sql), values):
            product = products.setdefault(product_id, Product(product_id, gtin, key))
            (self.by_gtin if kind == "gtin" else self.by_key)[value].append(product)
        self._load_listings(connection, products)

    def _load_listings(self, connection: Connection, products: dict[int, Product]) -> None:
        if not products:
            return
        sql = f"""SELECT l.product_id, c.name, l.sku, l.name, l.brand, l.size, l.gtin
            FROM listings l JOIN companies c ON c.id = l.company_id
            WHERE {among(connection, "l.product_id", "ids")} ORDER BY l.id"""  # noqa: S608 fixed text
        for product_id, *listing in connection.execute(text(sql), {"ids": listed(connection, list(products))}):
            products[product_id].listings.append(Listing(*listing))

    def find(self, listing: Listing, key: str) -> Found:
        """The product of a listing that the company did not have; made where nothing says same without a veto."""
        candidates = (*self.by_gtin.get(listing.gtin or "", ()), *self.by_key.get(key, ()))
        for product in candidates:
            learned = _same(listing, product)
            if learned is not None:
                product.listings.append(listing)
                if product.gtin is None and listing.gtin and listing.gtin not in self.by_gtin:
                    return Found(product, learned | {("own_gtin", listing.gtin)})
                return Found(product, learned)
        return Found(self._make(listing, key))

    def _make(self, listing: Listing, key: str) -> Product:
        """A product of its own. A GTIN that another product has stays with that one: the listing still tells it."""
        gtin = listing.gtin if listing.gtin not in self.by_gtin else None
        product = Product(None, gtin, key, [listing])
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


def size_fields(size: Size | None) -> Sequence[int | str | None]:
    """size_amount_e3, size_unit, size_count, size_is_approx of a product."""
    if size is None or size.amount <= 0:
        return (None, None, None, None)
    return (round(size.amount * 1000), size.unit, size.count, int(size.approx))
