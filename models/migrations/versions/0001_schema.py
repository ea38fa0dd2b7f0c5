"""The first schema: statements frozen as they were on the day, one file a database."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    name = f"0001.{op.get_bind().dialect.name}.sql"
    script = (Path(__file__).parents[1] / "sql" / name).read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
