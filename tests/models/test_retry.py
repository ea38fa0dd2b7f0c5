"""What is tried again, and what is the row's own fault."""

import sqlite3

import psycopg2
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from models.retry import is_poison, is_transient, retried


def test_a_busy_file_is_tried_again_whole(sqlite_url: str) -> None:
    from models import engine as engines

    calls, waits = [], []

    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise sqlite3.OperationalError("database is locked")
        return "done"

    assert retried(engines.create(sqlite_url), work, what="it", sleep=waits.append) == "done"
    assert len(calls) == 3
    assert waits == sorted(waits)


def test_the_last_error_is_told_and_a_lasting_one_at_once(engine: Engine) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise sqlite3.OperationalError("database is locked" if len(calls) > 1 else "no such table")

    with pytest.raises(sqlite3.OperationalError, match="no such"):
        retried(engine, work, what="it", sleep=calls.append)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        retried(engine, work, what="it", tries=3, sleep=calls.append)


def test_a_killed_backend_is_transient_and_a_refused_row_is_poison(postgres_url: str) -> None:
    from models import engine as engines

    engine = engines.create(postgres_url)
    with pytest.raises(DBAPIError) as lost, engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
        connection.execute(text("INSERT INTO slot_dirty VALUES (NULL, now())"))
    assert (is_transient(engine, lost.value), is_poison(lost.value)) == (True, False)
    assert (is_transient(engine, refused.value), is_poison(refused.value)) == (False, True)
    assert is_transient(engine, psycopg2.OperationalError("server closed the connection unexpectedly"))
    engine.dispose()
