"""Offers tell the members' multibuy: the tables that hold offers are made again with its two columns in their place."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0006"

_TABLES = ("prices", "price_changes", "price_slots", "staged_items")


def upgrade() -> None:
    connection = op.get_bind()
    columns = {}
    for table in _TABLES:
        connection.exec_driver_sql(f"CREATE TABLE {table}_before AS SELECT * FROM {table}")  # noqa: S608 our own names
        told = connection.exec_driver_sql(f"SELECT * FROM {table}_before LIMIT 0").keys()  # noqa: S608 our own names
        columns[table] = ", ".join(told)
        connection.exec_driver_sql(f"DROP TABLE {table}")
    script = (Path(__file__).parents[1] / "sql" / f"0008.{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table, names in columns.items():
        moved = f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before"  # noqa: S608 our own names
        connection.exec_driver_sql(moved)
        connection.exec_driver_sql(f"DROP TABLE {table}_before")
