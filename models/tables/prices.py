"""Prices as they are now, every change they ever made, and what each store ranges.

prices and price_changes carry no foreign keys: three of them cost more than the row itself when 20,000 rows are written
(docs/storage.md has the figures). Rows of stores, listings and crawl_runs are never deleted, publishing is the only
writer and takes its ids from these tables, and scripts/check_database.py finds an orphan.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, Text

from models.tables.base import check, offer_checks, offer_columns, one_of, reference, table
from models.types import UtcDateTime

prices = table(
    "prices",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    *offer_columns(priced=True),
    Column("changed_at", UtcDateTime, nullable=False),
    # A run of another store: this price was inferred from that store when this one left its group.
    Column("crawl_run_id", Integer, nullable=False),
    *offer_checks(),
    Index("ix_prices_listing_id_store_id", "listing_id", "store_id"),
    sqlite_with_rowid=False,
)

price_changes = table(
    "price_changes",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    Column("changed_at", UtcDateTime, primary_key=True),
    Column("kind", Text, nullable=False),
    *offer_columns(priced=False),
    Column("crawl_run_id", Integer, nullable=False),
    # The last run that saw the state before; between the two the price is unknown.
    Column("seen_before", Integer),
    *offer_checks(),
    one_of("kind", ("own", "follows")),
    sqlite_with_rowid=False,
)

store_ranges = table(
    "store_ranges",
    reference("store_id", "stores.id", primary_key=True),
    Column("ranged", LargeBinary, nullable=False),
    Column("available", LargeBinary, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    # Whose price the store has told itself, as its history ends: a member follows its anchor in these lines only.
    Column("priced", LargeBinary, nullable=False),
    check("length", "length(ranged) = length(available) AND length(ranged) = length(priced)"),
)

missing_listings = table(
    "missing_listings",
    reference("store_id", "stores.id", primary_key=True),
    reference("listing_id", "listings.id", primary_key=True),
    Column("missing_since", UtcDateTime, nullable=False),
    reference("crawl_run_id", "crawl_runs.id", nullable=False),
    # The last run that saw it.
    Column("seen_run_id", Integer),
    # Set by the second complete run that did not see it; the row goes when the listing comes back.
    Column("delisted_at", UtcDateTime),
    check("order", "delisted_at > missing_since"),
)
