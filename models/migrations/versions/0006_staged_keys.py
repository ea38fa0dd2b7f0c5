"""Staged rows hold the normalized key of their texts, which is computed while the crawl waits for the site."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("staged_items", sa.Column("normalized_key", sa.Text))
