"""A store that one complete locator run missed; when a listing's barcode was last looked up."""

from alembic import op
from sqlalchemy import Column

from models.tables.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("stores", Column("missing_since", UtcDateTime))
    op.add_column("listings", Column("gtin_looked_up_at", UtcDateTime))
