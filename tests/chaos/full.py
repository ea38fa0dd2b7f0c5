"""Mishaps of a full disk: a real one where the process may mount one, else an imitation."""

import contextlib
import sqlite3
from typing import Any

from sqlalchemy import Engine, event, text

from tests.chaos.rounds import Round
from tests.chaos.run import at_statement

FULL_FOR = 6
"""Connections taken from the pool for which the disk stays full, at most."""
TABLES = ("staged_items", "listings", "products", "prices", "price_changes", "store_ranges", "crawl_run_categories")


def disk_full_for_a_while(round: Round) -> None:
    """From a random moment on nothing can be written, until a later one."""
    full = _sqlite_full if round.scene.name == "sqlite" else _postgres_full
    full(round)


def _sqlite_full(round: Round) -> None:
    first, times = round.chance.randint(1, 12), round.chance.randint(1, FULL_FOR)
    spare, taken = round.chance.randint(0, 12), [0]

    def taking(connection: sqlite3.Connection, *_: Any) -> None:
        taken[0] += 1
        if taken[0] == first:
            _fill(round, spare)
        full = first <= taken[0] < first + times
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages if full else 2**30}")
        round.struck = round.struck or full

    round.doors.engine_made.append(lambda engine: event.listen(engine.pool, "checkout", taking))
    round.stack.callback(_empty, round)


def _fill(round: Round, spare: int) -> None:
    """Takes all free pages of the file but `spare`."""
    with contextlib.closing(sqlite3.connect(round.scene.file, timeout=30, isolation_level=None)) as other:
        size, free = (other.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "freelist_count"))
        other.execute("CREATE TABLE IF NOT EXISTS chaos_ballast (weight BLOB)")
        for _ in range(max(0, free - spare - 1)):
            other.execute("INSERT INTO chaos_ballast VALUES (zeroblob(?))", [size - 200])


def _empty(round: Round) -> None:
    with contextlib.closing(sqlite3.connect(round.scene.file, timeout=30, isolation_level=None)) as other:
        other.execute("DROP TABLE IF EXISTS chaos_ballast")


def _postgres_full(round: Round) -> None:
    _refuse(round, (round.chance.choice(TABLES),))
    round.struck = True


def _refuse(round: Round, tables: tuple[str, ...]) -> None:
    """Every write to the tables fails as a full disk makes it fail: SQLSTATE 53100."""
    body = "$$BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END$$"
    with round.scene.engine.begin() as connection:
        connection.execute(text(f"CREATE OR REPLACE FUNCTION chaos_full() RETURNS trigger LANGUAGE plpgsql AS {body}"))
        for table in tables:
            connection.execute(
                text(f"CREATE TRIGGER chaos_full BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION chaos_full()")
            )
    round.stack.callback(_allow, round.scene.engine)


def _allow(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION IF EXISTS chaos_full() CASCADE"))


def disk_stays_full(round: Round) -> None:
    """SQLite: no file of the process may grow beyond some bytes. PostgreSQL: no table accepts rows after a moment."""
    round.as_process = {}
    if round.scene.name == "sqlite":
        size = round.scene.file.stat().st_size
        round.as_process = {"largest_file": round.chance.randint(16_384, size + 65_536)}
        round.struck = True


def no_room_from_now_on(round: Round) -> None:
    if round.scene.name == "postgresql":
        _refuse(round, (*TABLES, "crawl_runs"))


def no_space_left(round: Round) -> None:
    """ENOSPC from a random request on: for tables, indexes, logs and temporary files alike."""
    round.stack.callback(_room_again, round)


def disk_fills_up(round: Round) -> None:
    """The strike of `no_space_left`."""
    disk = round.scene.disk
    assert disk
    disk.fill(round.chance.choice((0, 0, 16_384, 65_536, 262_144)))


def no_space_left_to_publish(round: Round) -> None:
    """ENOSPC from a random statement of the publish on."""
    no_space_left(round)
    number = round.chance.randint(1, 12)

    def full() -> None:
        round.struck = True
        disk_fills_up(round)

    round.doors.before_publishing.append(lambda engine: at_statement(engine, number, full))


def _room_again(round: Round) -> None:
    """Empties the disk; the server may have crashed because its log had no room."""
    assert round.scene.disk
    round.scene.disk.empty()
    if round.scene.server:
        round.scene.server.revive()
