"""The products that a batch of new listings may be: those of the database, loaded, and those that the batch makes."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from sqlalchemy import Connection, text

from models.dialect import among, listed, lists, met
from splitcart import identity
from splitcart.identity import Listing


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

    def __init__(self, gtins: Iterable[str], keys: Iterable[str]) -> None:
        self.gtins, self.keys = frozenset(gtins), frozenset(keys)
        """What the batch tells."""
        self.by_gtin: dict[str, list[Product]] = defaultdict(list)
        self.by_key: dict[str, list[Product]] = defaultdict(list)
        self.known: dict[int, Product] = {}
        self.made: list[Product] = []

    def load(self, connection: Connection) -> None:
        """Reads the products that any of the GTINs or keys may mean, with their listings."""
        texts = {"gtins": listed(connection, sorted(self.gtins)), "keys": listed(connection, sorted(self.keys))}
        queries = (
            met(connection, columns, table, column, name)
            for columns, table, column, name in (
                ("id, gtin, normalized_key, 'gtin', gtin", "products", "gtin", "gtins"),
                ("id, gtin, normalized_key, 'key', normalized_key", "products", "normalized_key", "keys"),
                (_ALIASED, _ALIASES, "a.kind = 'gtin' AND a.value", "gtins"),
                (_ALIASED, _ALIASES, "a.kind = 'key' AND a.value", "keys"),
            )
        )
        sql = f"{lists(connection, *texts)}{' UNION '.join(queries)} ORDER BY 1"
        for product_id, gtin, key, kind, value in connection.execute(text(sql), texts):
            product = self.known.setdefault(product_id, Product(product_id, product_id, gtin, key))
            (self.by_gtin if kind == "gtin" else self.by_key)[value].append(product)
        self._load_listings(connection)

    def _load_listings(self, connection: Connection) -> None:
        if not self.known:
            return
        sql = f"""SELECT l.product_id, c.name, l.sku, l.name, l.brand, l.size, l.gtin
            FROM listings l JOIN companies c ON c.id = l.company_id
            WHERE {among(connection, "l.product_id", "ids")} ORDER BY l.id"""  # noqa: S608 fixed text
        for product_id, *listing in connection.execute(text(sql), {"ids": listed(connection, sorted(self.known))}):
            self.known[product_id].listings.append(Listing(*listing))

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
