"""The last offer of each line, every change of it, when it was seen, and what each store ranges.

Only a store's own runs, and their rollback, write prices, price_changes and sightings (docs/storage.md).

prices and price_changes carry no foreign keys: three of them cost more than the row itself when 20,000 rows are written
(docs/storage.md has the figures). Rows of stores, listings and crawl_runs are never deleted, publishing is the only
writer and takes its ids from these tables, and scripts/check_database.py finds an orphan.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, Text

from models.tables.base import check, offer_checks, offer_columns, reference, table
from models.tables.types import Flag, UtcDateTime

prices = table(
    "prices",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    *offer_columns(priced=True),
    Column("changed_at", UtcDateTime, nullable=False),
    # The run that wrote the row: the first to see these terms, or this description of them.
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
    # Without a price: the store no longer ranges the listing.
    *offer_columns(priced=False),
    Column("crawl_run_id", Integer, nullable=False),
    # The last run that saw the previous state; between that run and this one the price is unknown.
    Column("seen_before", Integer),
    *offer_checks(),
    sqlite_with_rowid=False,
)

# A row for each publish of a run; never rewritten. The rows of rolled-back runs are ignored.
sightings = table(
    "sightings",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, primary_key=True),
    Column("run_id", Integer, nullable=False, index=True),
    # When the run looked: its end, or its start if a specials flip lies between.
    Column("seen_at", UtcDateTime, nullable=False),
    # The first day on which it looked, and the first day of that specials period, by the store's clock.
    Column("local_day", Text, nullable=False),
    Column("period", Text, nullable=False),
    # True: it has the last look at every line with a price. False: only at the lines that its run saw.
    Column("is_complete", Flag, nullable=False),
    # Which lines were seen with a price, and when (models.lines.sightings).
    Column("lines", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

store_ranges = table(
    "store_ranges",
    reference("store_id", "stores.id", primary_key=True),
    Column("ranged", LargeBinary, nullable=False),
    Column("available", LargeBinary, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    # A digest of the terms of its ranged lines; null until it is computed.
    Column("fingerprint", LargeBinary),
    check("length", "length(ranged) = length(available)"),
)

missing_listings = table(
    "missing_listings",
    reference("store_id", "stores.id", primary_key=True),
    reference("listing_id", "listings.id", primary_key=True),
    Column("missing_since", UtcDateTime, nullable=False),
    reference("crawl_run_id", "crawl_runs.id", nullable=False),
    # The last run that saw it.
    Column("seen_run_id", Integer),
    # Set by the second complete run that did not see it; the row is deleted when the listing is seen again.
    Column("delisted_at", UtcDateTime),
    check("order", "delisted_at > missing_since"),
)
