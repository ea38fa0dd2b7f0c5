"""What the split reads: one row for each product and distinct price column. All can be built again from prices.

No foreign keys: hundreds of thousands of rows are written at once, and check_database compares them with prices.
"""

from sqlalchemy import Column, Index, Integer, Text

from models.tables.base import check, offer_checks, offer_columns, one_of, table
from models.tables.types import UtcDateTime

price_slots = table(
    "price_slots",
    Column("product_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    # The store whose price this is: an anchor, or a member at which its anchor's offer is not in effect.
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    *offer_columns(priced=True),
    Column("source", Text, nullable=False),
    # The run of the price row.
    Column("built_from_run", Integer, nullable=False),
    *offer_checks(),
    one_of("source", ("own", "contested")),
    Index("ix_price_slots_store_id", "store_id"),
    sqlite_with_rowid=False,
)

# What has to be built again: a product at all stores, or a store with all its products. Append-only, so that no publish
# waits for another's mark; a build deletes the marks that it has read.
slot_dirty = table(
    "slot_dirty",
    Column("id", Integer, primary_key=True),
    Column("product_id", Integer),
    Column("store_id", Integer),
    Column("marked_at", UtcDateTime, nullable=False),
    check("what", "(product_id IS NULL) <> (store_id IS NULL)"),
)
