"""Which listings share a product in the database."""

from sqlalchemy import Engine

from splitcart.identity.matching import Listing
from tests.support.storage import query

Products = frozenset[frozenset[Listing]]


def products(engine: Engine) -> Products:
    """The listings of each product."""
    sql = """SELECT l.product_id, c.name, l.sku, l.name, l.brand, l.size, l.gtin
        FROM listings l JOIN companies c ON c.id = l.company_id"""
    found: dict[int, set[Listing]] = {}
    for product, *listing in query(engine, sql):
        found.setdefault(product, set()).add(Listing(*listing))
    return frozenset(map(frozenset, found.values()))
