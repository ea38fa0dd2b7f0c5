"""Crawl runs, the rows that they staged, and the rows that the database refused."""

from sqlalchemy import DDL, Column, Index, Integer, LargeBinary, Text, event, text

from models.tables.base import both_or_none, check, gtin_check, offer_checks, offer_columns, one_of, reference, table
from models.tables.types import Flag, Json, UtcDateTime

STATUSES = ("running", "complete", "partial", "blocked", "failed", "abandoned")

crawl_runs = table(
    "crawl_runs",
    Column("id", Integer, primary_key=True),
    reference("company_id", "companies.id", nullable=False),
    # The chain's id of the store; store_id stays null until the first publish makes the store's row.
    Column("store_code", Text, nullable=False),
    reference("store_id", "stores.id"),
    Column("spider", Text, nullable=False),
    Column("lease_token", Text),
    Column("lease_until", UtcDateTime),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("answered_for", Text),
    Column("counts", Json),
    Column("figures", Json),
    Column("skipped_roots", Json),
    # For rollback_run: what publishing overwrote and the history does not record (ranges, absence, texts).
    Column("undo", LargeBinary),
    Column("rolled_back_at", UtcDateTime),
    # The lease token under which the run was ended, by which a retry finds that its own first try was committed.
    Column("ended_by", Text),
    one_of("status", STATUSES),
    check("finished", "(status = 'running') = (finished_at IS NULL)"),
    check("held", "(status = 'running') = (lease_token IS NOT NULL)"),
    both_or_none("lease", "lease_token", "lease_until"),
    Index(
        "uq_crawl_runs_running",
        "company_id",
        "store_code",
        unique=True,
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
    Index("ix_crawl_runs_company_id_store_code", "company_id", "store_code", "finished_at"),
    Index("ix_crawl_runs_store_id", "store_id", "finished_at"),
)

crawl_run_categories = table(
    "crawl_run_categories",
    reference("run_id", "crawl_runs.id", primary_key=True),
    Column("key", Text, primary_key=True),
    Column("expected", Integer),
    Column("seen", Integer, nullable=False),
    Column("ended", Flag, nullable=False),
    Column("capped", Flag, nullable=False),
    # Whether its count is compared with earlier runs (splitcart.runs.facts.Category).
    Column("held", Flag, nullable=False),
    Column("failed", Text),
    Column("children", Json),
    Column("finished_at", UtcDateTime),
    Column("status", Text, nullable=False),
    check("counts", "expected >= 0 AND seen >= 0"),
    one_of("status", ("complete", "partial", "capped", "failed")),
    sqlite_with_rowid=False,
)

# UNLOGGED in PostgreSQL: after a crash staging is empty, which a publish detects because it counts the rows.
staged_items = table(
    "staged_items",
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("sku", Text, nullable=False),
    # Null: it could not be read; the listing is known and keeps its name.
    Column("name", Text),
    Column("brand", Text),
    Column("gtin", Text),
    Column("size", Text),
    *offer_columns(priced=False),
    Column("is_available", Flag, nullable=False),
    Column("is_ranged", Flag, nullable=False),
    # JSON array of names, as text; null if the row has none.
    Column("category_path", Text),
    Column("category_key", Text),
    Column("is_promo", Flag, nullable=False),
    Column("url", Text),
    Column("image_url", Text),
    Column("sponsored", Flag, nullable=False),
    Column("scraped_at", UtcDateTime),
    # splitcart.identity.matching.normalized_key of its texts; null in rows that were staged before this column existed.
    Column("normalized_key", Text),
    # The site sent a name or a price that could not be read.
    Column("is_unreadable", Flag, nullable=False, server_default=text("false")),
    *offer_checks(),
    gtin_check(),
    check("text", "sku <> '' AND name <> ''"),
    sqlite_with_rowid=False,
)

quarantined_items = table(
    "quarantined_items",
    Column("id", Integer, primary_key=True),
    reference("run_id", "crawl_runs.id", nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("sku", Text),
    Column("reason", Text, nullable=False),
    Column("row", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

event.listen(
    staged_items, "after_create", DDL("ALTER TABLE staged_items SET UNLOGGED").execute_if(dialect="postgresql")
)
