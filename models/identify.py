"""Which product each new listing is, and the rows of those that are new."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from sqlalchemy import Connection

from models import bulk
from models.catalogue import Catalogue, Found
from models.dialect import new_ids
from models.tables import products
from splitcart import sizes
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


def catalogue_of(told: Sequence[Named], keys: Sequence[str]) -> Catalogue:
    """The catalogue that `identified` looks at for these listings, still to be loaded."""
    return Catalogue((one.gtin for one in told if one.gtin), keys)


def identified(
    connection: Connection,
    company: str,
    told: Sequence[Named],
    keys: Sequence[str],
    brands: Mapping[str, int],
    catalogue: Catalogue,
) -> tuple[list[int], dict[int, Found]]:
    """The product of each listing, in order, and what was found of those that had to be compared, by their place.

    New products are inserted. `keys`: normalized keys in order; `brands`: ids by the brands as they are written;
    `catalogue`: `catalogue_of` them, loaded; it serves once. Most listings meet no product that the database has, and
    share neither barcode nor key with another of the batch: each of these is a product of its own. Only the others are
    compared, one by one.
    """
    compared = {
        place: catalogue.find(Listing(company, one.sku, one.name, one.brand, one.size, one.gtin), keys[place])
        for place, one in _to_compare(told, keys, catalogue)
    }
    ids = iter(new_ids(connection, "products", len(catalogue.made) + len(told) - len(compared)))
    rows, product_id = list[bulk.Row](), list[int]()
    for place, one in enumerate(told):
        if place not in compared:
            product_id.append(next(ids))
            rows.append(_row(product_id[-1], one, one.gtin, keys[place], brands))
            continue
        product = compared[place].product
        if product.id is None:
            product.id = next(ids)
            rows.append(_row(product.id, one, product.gtin, product.key, brands))
        product_id.append(product.id)
    bulk.insert(connection, products, _NAMES, rows)
    return product_id, compared


def _to_compare(told: Sequence[Named], keys: Sequence[str], catalogue: Catalogue) -> list[tuple[int, Named]]:
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
