"""Which errors are tried again, and which are the fault of the row."""

import sqlite3
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from models.database.retry import is_poison, is_transient, retried
from models.products import barcodes
from models.publishing.publish import publish
from models.runs import opening
from models.runs.endings import Ending
from tests.support.storage import START, judged, open_run, query, row, stage, value


def test_all_of_the_work_is_repeated_while_the_file_is_busy(sqlite_url: str) -> None:
    from models.database import engine as engines

    calls, waits = [], []

    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise sqlite3.OperationalError("database is locked")
        return "done"

    assert retried(engines.create(sqlite_url), work, what="it", sleep=waits.append) == "done"
    assert len(calls) == 3
    assert waits == sorted(waits)


def test_a_lasting_error_is_raised_at_once_and_a_transient_one_after_the_last_try(engine: Engine) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise sqlite3.OperationalError("database is locked" if len(calls) > 1 else "no such table")

    with pytest.raises(sqlite3.OperationalError, match="no such"):
        retried(engine, work, what="it", sleep=calls.append)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        retried(engine, work, what="it", tries=3, sleep=calls.append)


def test_a_killed_backend_is_transient_and_a_refused_row_is_poison(postgres_url: str) -> None:
    from models.database import engine as engines

    engine = engines.create(postgres_url)
    with pytest.raises(DBAPIError) as lost, engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
        connection.execute(text("INSERT INTO companies (slug) VALUES (NULL)"))
    assert (is_transient(engine, lost.value), is_poison(lost.value)) == (True, False)
    assert (is_transient(engine, refused.value), is_poison(refused.value)) == (False, True)
    assert is_transient(engine, psycopg2.OperationalError("server closed the connection unexpectedly"))
    engine.dispose()


def test_what_a_verdict_needs_is_read_again_when_the_connection_is_lost(postgres_url: str) -> None:
    from models.database import engine as engines

    engine, other = engines.create(postgres_url), engines.create(postgres_url)
    run = open_run(engine)
    stage(engine, run.id, [row(1)])
    lost: list[int] = []

    def kill(connection: Any, *_: Any) -> None:
        if lost and lost.pop():
            query(other, "SELECT pg_terminate_backend(:pid, 5000)", pid=connection.connection.get_backend_pid())

    event.listen(engine, "before_cursor_execute", kill)
    for read in (
        lambda: opening.history(engine, run),
        lambda: opening.measure(engine, run),
        lambda: barcodes.known(engine, run.company_id, START),
        lambda: opening.heartbeat(engine, run, START),
        lambda: publish(engine, run, Ending(verdict=judged(), now=START, counts={"staged": 1})),
    ):
        lost.append(1)
        read()
        assert lost == []
    assert value(engine, "SELECT status FROM crawl_runs") == "complete"
    engine.dispose()
    other.dispose()
