"""The token under which a run ended becomes a column (before: a key of counts). A retry finds its own commit by it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_SQLITE = """UPDATE crawl_runs
    SET ended_by = json_extract(counts, '$.ended_by'), counts = json_remove(counts, '$.ended_by')
    WHERE json_extract(counts, '$.ended_by') IS NOT NULL"""
_POSTGRESQL = """UPDATE crawl_runs
    SET ended_by = counts ->> 'ended_by', counts = counts - 'ended_by'
    WHERE jsonb_exists(counts, 'ended_by')"""


def upgrade() -> None:
    op.add_column("crawl_runs", sa.Column("ended_by", sa.Text))
    op.execute(_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL)
