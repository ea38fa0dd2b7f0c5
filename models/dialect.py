"""The few words that SQLite and PostgreSQL spell apart."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, ColumnElement, Connection, MetaData, Table, any_, delete, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def insert_ignoring(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves rows alone that are there already."""
    return upsert(connection, table).on_conflict_do_nothing()


def add_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that may be there already, 500 a statement: a statement a row would be a round trip a row."""
    for start in range(0, len(rows), 500):
        connection.execute(insert_ignoring(connection, table).values(list(rows[start : start + 500])))


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, the same words in both databases."""
    return (postgresql.insert if is_postgres(connection) else sqlite.insert)(table)


def among(connection: Connection, column: str, name: str) -> str:
    """An expression: the column is one of the list bound as `name` (see `listed`); any length, one plan."""
    if is_postgres(connection):
        return f"{column} = ANY(:{name})"
    return f"{column} IN (SELECT value FROM json_each(:{name}))"  # noqa: S608 our own names


def looked_up(connection: Connection, alias: str, table: str, names: str, where: str, *, outer: bool = True) -> str:
    """What joins each row of a FROM so far with those of a table: an index look-up for each (see `met`).

    `names`, `where` and what reads them write `alias` before the table's columns. `outer`: also where there is none.
    """
    if not is_postgres(connection):
        return f"{'LEFT' if outer else 'CROSS'} JOIN {table} AS {alias} ON {where}"
    kind, condition = ("LEFT", " ON TRUE") if outer else ("CROSS", "")
    return (
        f"""{kind} JOIN LATERAL (SELECT {names} FROM {table} AS {alias} WHERE {where} OFFSET 0) AS {alias}{condition}"""  # noqa: S608 our own names
    )


@contextmanager
def by_hash(connection: Connection, *, groups: bool = False, looks_up: bool = False) -> Iterator[None]:
    """Within, PostgreSQL joins by hashing; what `looked_up` and `exists` name it still looks up row by row.

    It has statistics neither of temporary tables nor of what came after the last ANALYZE: of a company or store that
    is new since then it believes that it has one row, and reads all of them for each row of a crawl, 20,000 times.
    `groups`: it groups by hashing, too. `looks_up`: by index even in tables that have few rows.
    """
    chosen = {"enable_nestloop": True, "enable_sort": groups, "enable_seqscan": looks_up}
    names = [name for name, wanted in chosen.items() if wanted]
    if is_postgres(connection):
        connection.execute(text("; ".join(f"SET LOCAL {name} TO off" for name in names)))
    yield
    if is_postgres(connection):  # after an error the transaction is gone, and what was set for it
        connection.execute(text("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in names)))


def unguessed(connection: Connection, name: str) -> str:
    """An integer bound as `name`, of which PostgreSQL's planner does not see that it is new to its statistics.

    Where it believes that a company has one row, any index on the company is as good to it as the one on the sku.
    """
    return f"(SELECT CAST(:{name} AS INTEGER))" if is_postgres(connection) else f":{name}"


def listed(connection: Connection, values: Collection[int] | Collection[str]) -> str:
    """The bound value for `among`: one text, because the server reads a list value by value as an expression each."""
    if not is_postgres(connection):
        return json.dumps(list(values))
    if not values or isinstance(next(iter(values)), int):
        return f"{{{','.join(map(str, values))}}}"
    texts = '","'.join(cast("Collection[str]", values))
    if "\\" in texts or texts.count('"') > 2 * (len(values) - 1):
        texts = '","'.join(str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return f'{{"{texts}"}}'


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """`count` ids for rows of a table about to be inserted. SQLite: only inside a writing transaction."""
    if is_postgres(connection):
        following = func.nextval(f"{table.name}_id_seq")
        return connection.execute(select(following).select_from(func.generate_series(1, count))).scalars().all()
    first = int(connection.execute(select(func.coalesce(func.max(table.c.id), 0) + 1)).scalar_one())
    return range(first, first + count)


def packed(connection: Connection, *values: str) -> str:
    """An expression: the integers (of 32 bits) of all rows in one value, for `integers`: 20,000 rows are slow."""
    if is_postgres(connection):
        return f"string_agg({' || '.join(f'int4send({value})' for value in values)}, ''::bytea)"
    joined = " || ',' || ".join(f"({value})" for value in values)
    return f"group_concat({joined})"


def integers(told: bytes | memoryview | str | None, width: int) -> npt.NDArray[np.int64]:
    """What `packed` told of `width` values: (rows, width), in no order."""
    if told is None:
        return np.empty((0, width), np.int64)
    flat = np.array(told.split(","), np.int64) if isinstance(told, str) else np.frombuffer(told, ">i4").astype(np.int64)
    return flat.reshape(-1, width)


def is_one_of(
    connection: Connection, column: ColumnElement[Any], values: Iterable[int] | Iterable[str]
) -> ColumnElement[bool]:
    """The column is one of the values: one parameter and one statement, however many they are."""
    if is_postgres(connection):
        return column == any_(literal(list(values), postgresql.ARRAY(column.type)))
    return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))


def temporary_table(name: str, *columns: Column[Any]) -> Table:
    """A table that each connection has for itself once it has called `emptied`."""
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])


def emptied(connection: Connection, table: Table) -> None:
    """Creates a temporary table where the connection has none yet, and empties it."""
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(text(f"TRUNCATE {table.name}") if is_postgres(connection) else delete(table))


def temporary(connection: Connection, name: str, columns: str) -> None:
    """An empty table of this transaction alone. PostgreSQL keeps its definition for the session."""
    ending = " ON COMMIT DELETE ROWS" if is_postgres(connection) else ""
    connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns}){ending}"))
    if not is_postgres(connection):
        connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 our own names
