"""The complete schema; `from models import tables` and then `tables.prices`."""

from models.tables.base import metadata
from models.tables.cart import price_slots, slot_dirty
from models.tables.prices import missing_listings, price_changes, prices, sightings, store_ranges
from models.tables.products import (
    brand_aliases,
    brands,
    categories,
    listings,
    product_aliases,
    product_categories,
    products,
)
from models.tables.runs import crawl_run_categories, crawl_runs, quarantined_items, staged_items
from models.tables.stores import (
    companies,
    group_comparisons,
    group_merges,
    membership_periods,
    store_group_memberships,
    store_groups,
    stores,
)

__all__ = [
    "brand_aliases",
    "brands",
    "categories",
    "companies",
    "crawl_run_categories",
    "crawl_runs",
    "group_comparisons",
    "group_merges",
    "listings",
    "membership_periods",
    "metadata",
    "missing_listings",
    "price_changes",
    "price_slots",
    "prices",
    "product_aliases",
    "product_categories",
    "products",
    "quarantined_items",
    "sightings",
    "slot_dirty",
    "staged_items",
    "store_group_memberships",
    "store_groups",
    "store_ranges",
    "stores",
]
