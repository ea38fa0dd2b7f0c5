"""The few statements that SQLite and PostgreSQL write differently."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, MetaData, Table, any_, delete, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def insert_ignoring(connection: Connection, table: Table) -> Any:
    """An INSERT that ignores rows that exist."""
    return upsert(connection, table).on_conflict_do_nothing()


def add_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows that do not exist yet, 500 in each statement to save round trips."""
    for start in range(0, len(rows), 500):
        connection.execute(insert_ignoring(connection, table).values(list(rows[start : start + 500])))


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, which both databases spell alike."""
    return (postgresql.insert if is_postgres(connection) else sqlite.insert)(table)


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """`count` ids for rows of a table about to be inserted. SQLite: only inside a writing transaction."""
    if is_postgres(connection):
        following = func.nextval(f"{table.name}_id_seq")
        return connection.execute(select(following).select_from(func.generate_series(1, count))).scalars().all()
    first = int(connection.execute(select(func.coalesce(func.max(table.c.id), 0) + 1)).scalar_one())
    return range(first, first + count)


def is_one_of(
    connection: Connection, column: ColumnElement[Any], values: Iterable[int] | Iterable[str]
) -> ColumnElement[bool]:
    """Whether the column is one of the values, which are one parameter however many they are."""
    if is_postgres(connection):
        return column == any_(literal(list(values), postgresql.ARRAY(column.type)))
    return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))


def temporary_table(name: str, *columns: Column[Any]) -> Table:
    """A table of its own for each connection that has called `emptied`."""
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])


def emptied(connection: Connection, table: Table) -> None:
    """Creates a temporary table if the connection has none yet, and empties it."""
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(text(f"TRUNCATE {table.name}") if is_postgres(connection) else delete(table))
