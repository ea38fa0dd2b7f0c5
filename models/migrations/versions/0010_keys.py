"""Keys and sizes of products, and keys of brands, by the rules that read capacities, containers and trade marks.

A later change of these rules needs a revision like this one (docs/storage.md).
"""

from datetime import UTC, datetime

from alembic import op

from models.products import keys

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    keys.rework(op.get_bind(), datetime.now(UTC))
