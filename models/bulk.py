"""Many rows into one table the fastest way each database has: COPY, or executemany."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import psycopg2
from sqlalchemy import Connection, Table

from models.dialect import array, is_postgres, temporary

# A separator and a null mark that no text of a shop holds, so that most batches need no escaping at all.
_SEPARATOR = "\x1f"
_NULL = "\x1e"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", _SEPARATOR: "\\x1f", _NULL: "\\x1e"})
_CHUNKS = (32, 128)
"""Rows handed to COPY at first, so that the server begins, and at most; each time twice as many."""
_VALUES = 3000
"""Values in one statement of SQLite."""

Row = Sequence[Any]


def insert(connection: Connection, table: Table | str, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Inserts rows of plain values (None, str, int; times as text) and returns their number.

    Raises what the driver raises: psycopg2.Error or sqlalchemy's wrapper of sqlite3.Error.
    """
    if not rows:  # an empty executemany would insert a row of defaults
        return 0
    into = table if isinstance(table, str) else table.name
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} ({names}) FROM STDIN WITH (DELIMITER E'\\x1f', NULL E'\\x1e')", rows)
    else:
        _execute(connection, f"INSERT INTO {into} ({names}) VALUES ", len(columns), rows)  # noqa: S608 names of our own tables
    return len(rows)


def given(
    connection: Connection, name: str, columns: Mapping[str, str], rows: Sequence[Row]
) -> tuple[str, dict[str, str]]:
    """A few rows as what a FROM may name `name`, with the values to bind; columns with their types."""
    if not is_postgres(connection):
        temporary(connection, name, ", ".join(f"{column} {kind}" for column, kind in columns.items()))
        insert(connection, name, list(columns), rows)
        return name, {}
    lists = ", ".join(f"CAST(:{name}_{column} AS {kind}[])" for column, kind in columns.items())
    told = {f"{name}_{column}": array(row[n] for row in rows) for n, column in enumerate(columns)}
    return f"unnest({lists}) AS {name}({', '.join(columns)})", told


def _execute(connection: Connection, statement: str, width: int, rows: Sequence[Row]) -> None:
    """Many rows a statement: one at a time the driver would ask for the interpreter's lock again after each.

    A thread that computes keeps that lock for 5 ms whenever it is asked: 2,000 rows beside a busy crawl took 10 s.
    """
    marks = f"({', '.join('?' * width)})"
    step = max(1, _VALUES // width)
    many = statement + ", ".join([marks] * step)
    full = len(rows) - len(rows) % step
    for start in range(0, full, step):
        connection.exec_driver_sql(many, tuple(chain.from_iterable(rows[start : start + step])))
    if rest := rows[full:]:
        connection.exec_driver_sql(statement + ", ".join([marks] * len(rest)), tuple(chain.from_iterable(rest)))


def _copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    cursor, chunks = connection.connection.cursor(), _Chunks(rows)
    try:
        cursor.copy_expert(statement, chunks)
    except psycopg2.Error as error:
        if chunks.refused is not None:  # the driver tells it as a cancelled query
            raise chunks.refused from None
        if connection.dialect.is_disconnect(error, None, None):
            connection.invalidate(error)
        raise
    finally:
        cursor.close()


class _Chunks:
    """Rows as the file that COPY reads: the server works on one chunk while the next is made."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows, self._next, self._size = rows, 0, _CHUNKS[0]
        self.refused: Exception | None = None
        """Why a row could not be written down at all."""

    def read(self, _size: int = -1) -> bytes:
        """The next chunk, of any length; empty at the end."""
        try:
            some = self._rows[self._next : self._next + self._size]
            self._next, self._size = self._next + self._size, min(2 * self._size, _CHUNKS[1])
            return encode(some).encode() if some else b""
        except Exception as error:
            self.refused = error
            raise


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _word(value: Any) -> str:
    """A value that is no plain str, int or None; an integer in words of its own, anything else raises."""
    return str(value) if isinstance(value, str) else f"{value:d}"


def _line(row: Row) -> str:
    return _SEPARATOR.join(
        [_NULL if v is None else v if v.__class__ is str else str(v) if v.__class__ is int else _word(v) for v in row]
    )


def _escaped_line(row: Row) -> str:
    return _line([_escaped(v) if isinstance(v, str) else v for v in row])


def encode(rows: Sequence[Row]) -> str:
    """The rows in COPY's text format. They are escaped only when the plain text shows that something needs it."""
    text = "\n".join(map(_line, rows))
    clean = (
        "\\" not in text
        and "\r" not in text
        and text.count("\n") == len(rows) - 1
        and text.count(_SEPARATOR) == sum(map(len, rows)) - len(rows)
        and not any(_NULL in row for row in rows)  # the mark is a null only where it is the whole value
    )
    return (text if clean else "\n".join(map(_escaped_line, rows))) + "\n"
