"""Many rows at once: all of them, and in few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from models import bulk
from models.dialect import temporary
from tests.models.test_dialect import AWKWARD


@contextmanager
def statements(engine: Engine) -> Iterator[list[bool]]:
    """Of each statement sent meanwhile, whether the driver repeats it row by row."""
    sent: list[bool] = []

    def note(*told: Any) -> None:
        sent.append(bool(told[-1]))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("count", [0, 1, 2, 199, 200, 201, 1499, 1500, 1501, 4000])
def test_every_row_arrives_once_in_its_order_whatever_their_number(engine: Engine, count: int) -> None:
    rows = [(n, f"word\t{n}\n" if n % 7 else None) for n in range(count)]
    with engine.begin() as connection:
        temporary(connection, "words", "number INTEGER, word TEXT")
        assert bulk.insert(connection, "words", ("number", "word"), rows) == count
        found = connection.execute(text("SELECT number, word FROM words")).all()
    assert [tuple(row) for row in found] == rows


def test_sqlite_is_given_many_rows_a_statement(engine: Engine) -> None:
    """Row by row the driver wants the interpreter's lock each time, which a busy crawl gives up for 5 ms at most."""
    with engine.begin() as connection, statements(engine) as sent:
        temporary(connection, "numbers", "number INTEGER")
        before = len(sent)
        bulk.insert(connection, "numbers", ("number",), [(n,) for n in range(10_000)])
    assert not any(sent)
    assert len(sent) - before <= 4


def test_texts_numbers_and_nulls_arrive_as_they_are(engine: Engine) -> None:
    rows = [(n, word, None if n % 3 else 2**40) for n, word in enumerate([*AWKWARD, None])]
    with engine.begin() as connection:
        temporary(connection, "given", "n INTEGER, word TEXT, big BIGINT")
        bulk.insert(connection, "given", ("n", "word", "big"), rows)
        found = connection.execute(text("SELECT n, word, big FROM given ORDER BY n")).all()
    assert [tuple(row) for row in found] == rows
