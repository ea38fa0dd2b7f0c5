"""Slots are rows of the price column that they are built from; marks of what to build again are append-only."""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for table in ("price_slots", "slot_dirty"):
        op.execute(f"DROP TABLE {table}")
    name = f"0008.{op.get_bind().dialect.name}.sql"
    script = (Path(__file__).parents[1] / "sql" / name).read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    # Nothing is built yet: marks every store that has prices.
    op.get_bind().execute(
        text("INSERT INTO slot_dirty (store_id, marked_at) SELECT store_id, max(at) FROM sightings GROUP BY store_id")
    )
