"""Many rows at once: all of them, and in few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, Text, event, select

from models.database import bulk
from models.database.dialect import emptied, temporary_table
from models.tables.base import Big
from tests.support.awkward import AWKWARD

WORDS = temporary_table("words", Column("number", Integer), Column("word", Text), Column("big", Big))


@contextmanager
def statements(engine: Engine) -> Iterator[list[bool]]:
    """Whether the driver repeats a statement row by row, for each statement sent meanwhile."""
    sent: list[bool] = []

    def note(*arguments: Any) -> None:
        sent.append(bool(arguments[-1]))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("count", [0, 1, 2, 199, 200, 201, 1499, 1500, 1501, 4000])
def test_every_row_arrives_once_in_its_order_whatever_their_number(engine: Engine, count: int) -> None:
    rows = [(n, f"word\t{n}\n" if n % 7 else None) for n in range(count)]
    with engine.begin() as connection:
        emptied(connection, WORDS)
        assert bulk.insert(connection, WORDS, ("number", "word"), rows) == count
        found = connection.execute(select(WORDS.c.number, WORDS.c.word)).all()
    assert [tuple(row) for row in found] == rows


def test_sqlite_is_given_many_rows_a_statement(engine: Engine) -> None:
    """Row by row, the driver takes the interpreter's lock each time, which a busy crawl holds for 5 ms at a time."""
    with engine.begin() as connection, statements(engine) as sent:
        emptied(connection, WORDS)
        before = len(sent)
        bulk.insert(connection, WORDS, ("number",), [(n,) for n in range(10_000)])
    assert not any(sent)
    assert len(sent) - before <= 4


def test_texts_numbers_and_nulls_arrive_as_they_are(engine: Engine) -> None:
    rows = [(n, word, None if n % 3 else 2**40) for n, word in enumerate([*AWKWARD, None])]
    with engine.begin() as connection:
        emptied(connection, WORDS)
        bulk.insert(connection, WORDS, ("number", "word", "big"), rows)
        found = connection.execute(select(WORDS).order_by(WORDS.c.number)).all()
    assert [tuple(row) for row in found] == rows
