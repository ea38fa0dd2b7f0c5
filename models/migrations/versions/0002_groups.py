"""Two caches: comparisons by both fingerprints, and the offers of a store as columns."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    name = f"0002.{op.get_bind().dialect.name}.sql"
    script = (Path(__file__).parents[1] / "sql" / name).read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
