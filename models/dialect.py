"""The few words that SQLite and PostgreSQL spell apart."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_ignoring(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves rows alone that are there already."""
    return upsert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, the same words in both databases."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
