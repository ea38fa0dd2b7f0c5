"""Which product a known listing is that is told otherwise, and what a product's row says of its size."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Connection

from models import bulk
from models.catalogue import Catalogue
from models.dialect import new_ids
from models.staged_texts import Staged
from models.tables import products
from splitcart import sizes
from splitcart.identity import Listing


def identified(
    connection: Connection, company: str, told: Sequence[Staged], keys: Sequence[str], brands: Mapping[str, int]
) -> list[int]:
    """The product of each listing, in order; those that are new are inserted.

    `keys`: normalized keys in order; `brands`: ids by the brands as they are written. All are compared, one by one: of
    many new listings `models.resolve` compares only those that meet a product or each other.
    """
    catalogue = Catalogue((one.gtin for one in told if one.gtin), keys)
    catalogue.load(connection)
    found = [
        catalogue.find(Listing(company, one.sku, one.name, one.brand, one.size, one.gtin), key).product
        for one, key in zip(told, keys, strict=True)
    ]
    ids, rows = iter(new_ids(connection, "products", len(catalogue.made))), list[bulk.Row]()
    for one, product in zip(told, found, strict=True):
        if product.id is None:
            product.id = next(ids)
            brand = brands.get(one.brand or "")
            rows.append((product.id, one.name, brand, product.gtin, product.key, *size_fields(one.size)))
    bulk.insert(connection, products, _NAMES, rows)
    return [int(product.id or 0) for product in found]


_SIZE = ("size_amount_e3", "size_unit", "size_count", "size_is_approx")
_NAMES = ("id", "name", "brand_id", "gtin", "normalized_key", *_SIZE)


@lru_cache(maxsize=16_384)
def size_fields(size_text: str | None) -> tuple[int | None, str | None, int | None, int | None]:
    """size_amount_e3, size_unit, size_count, size_is_approx of a product, as its size text tells them."""
    size = sizes.parse(size_text)
    if size is None or size.amount <= 0:
        return (None, None, None, None)
    return (round(size.amount * 1000), size.unit, size.count, int(size.approx))
