"""What the split reads: one row a product and distinct price column."""

from sqlalchemy import Column, Integer

from models.tables.base import offer_checks, offer_columns, reference, table
from models.types import UtcDateTime

price_slots = table(
    "price_slots",
    reference("product_id", "products.id", primary_key=True),
    reference("listing_id", "listings.id", primary_key=True),
    # The store whose price this is: an anchor, or a member with a row of its own.
    reference("store_id", "stores.id", primary_key=True),
    reference("company_id", "companies.id", nullable=False),
    reference("anchor_id", "stores.id", nullable=False),
    *offer_columns(priced=True),
    Column("built_from_run", Integer, nullable=False),
    *offer_checks(),
    sqlite_with_rowid=False,
)

slot_dirty = table(
    "slot_dirty",
    Column("product_id", Integer, primary_key=True, autoincrement=False),
    Column("marked_at", UtcDateTime, nullable=False),
)
