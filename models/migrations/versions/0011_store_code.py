"""The chain's own id of a store is `store_code`, as in crawl_runs; `store_id` is the integer key in every table."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE stores RENAME COLUMN store_id TO store_code")
