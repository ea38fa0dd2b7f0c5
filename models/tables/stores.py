"""Companies, their stores, and the groups of stores that charge the same."""

from sqlalchemy import REAL, Column, Float, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from models.tables.base import both_or_none, check, reference, table
from models.tables.types import Flag, UtcDateTime
from splitcart.timezones import DEFAULT_ZONE

# REAL has eight bytes in STRICT tables, but four in PostgreSQL, which would round a latitude.
Degrees = Float().with_variant(DOUBLE_PRECISION(), "postgresql").with_variant(REAL(), "sqlite")

companies = table(
    "companies",
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("flip_weekday", Integer, nullable=False, server_default=text("2")),
    Column("flip_hour", Integer, nullable=False, server_default=text("0")),
    check("slug", "slug = lower(slug) AND slug <> ''"),
    check("flip", "flip_weekday BETWEEN 0 AND 6 AND flip_hour BETWEEN 0 AND 23"),
)

stores = table(
    "stores",
    Column("id", Integer, primary_key=True),
    reference("company_id", "companies.id", nullable=False),
    # The chain's own id. In items and JSON it is called store_id.
    Column("store_code", Text, nullable=False),
    Column("locator_id", Text),
    Column("store_name", Text, nullable=False),
    Column("address_line_1", Text),
    Column("suburb", Text),
    Column("state", Text),
    Column("postcode", Text),
    Column("latitude", Degrees),
    Column("longitude", Degrees),
    Column("timezone", Text, nullable=False, server_default=DEFAULT_ZONE),
    Column("is_online", Flag, nullable=False, server_default=text("true")),
    Column("fulfilled_by", Text),
    Column("last_scraped", UtcDateTime),
    Column("verified_at", UtcDateTime),
    Column("scheduled_at", UtcDateTime),
    Column("needs_rescraping", Flag, nullable=False, server_default=text("false")),
    Column("lease_until", UtcDateTime),
    Column("lease_token", Text),
    Column("fail_count", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    # Set by the first complete locator run that misses the store; the second one in a row closes it.
    Column("missing_since", UtcDateTime),
    # This and the check of store_code keep the name store_id of older databases: SQLite cannot rename a constraint.
    UniqueConstraint("company_id", "store_code", name="uq_stores_company_id_store_id"),
    both_or_none("lease", "lease_until", "lease_token"),
    check("fail_count", "fail_count >= 0"),
    check("store_id", "store_code <> ''"),
    check("fulfilled_by", "fulfilled_by <> store_code"),
    check("place", "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180"),
)

store_groups = table(
    "store_groups",
    Column("id", Integer, primary_key=True),
    reference("company_id", "companies.id", nullable=False),
    reference("anchor_id", "stores.id", nullable=False, unique=True),
)

store_group_memberships = table(
    "store_group_memberships",
    reference("store_id", "stores.id", primary_key=True),
    reference("group_id", "store_groups.id", nullable=False, index=True),
)

membership_periods = table(
    "membership_periods",
    reference("store_id", "stores.id", primary_key=True),
    Column("from_at", UtcDateTime, primary_key=True),
    Column("to_at", UtcDateTime),
    # No foreign key: a group that ends is deleted, its periods stay.
    Column("group_id", Integer, nullable=False),
    reference("anchor_id", "stores.id", nullable=False, index=True),
    check("order", "to_at > from_at"),
    Index(
        "uq_membership_periods_open",
        "store_id",
        unique=True,
        sqlite_where=text("to_at IS NULL"),
        postgresql_where=text("to_at IS NULL"),
    ),
)

# A compared pair of stores, by fingerprints. If either store changes, so does its fingerprint, and the row is void.
group_comparisons = table(
    "group_comparisons",
    reference("company_id", "companies.id", primary_key=True),
    Column("low", LargeBinary, primary_key=True),
    Column("high", LargeBinary, primary_key=True),
    Column("common", Integer, nullable=False),
    Column("differ", Integer, nullable=False),
    Column("smaller", Integer, nullable=False),
    # False: comparing stopped as soon as the pair was proven apart; common is an upper bound, differ a lower one.
    Column("exact", Flag, nullable=False),
    check("order", "low < high"),
    check("counts", "differ >= 0 AND differ <= common AND common <= smaller"),
    sqlite_with_rowid=False,
)

# When each company's groups were last merged, and the lease of the process that merges them now.
group_merges = table(
    "group_merges",
    reference("company_id", "companies.id", primary_key=True),
    # When the last merge began, and the time up to which it has seen every ended run; null before the first.
    Column("merged_at", UtcDateTime),
    Column("seen_until", UtcDateTime),
    Column("lease_token", Text),
    Column("lease_until", UtcDateTime),
    Column("host", Text),
    Column("pid", Integer),
    both_or_none("lease", "lease_token", "lease_until"),
)
