"""What goes wrong with a crawl's database: its connections, its server, its disk, others that use it."""

import contextlib
import sqlite3
import threading
from typing import Any

import _chaos_scene as scenes
import _oracle
from _chaos_rounds import Round
from _chaos_run import at_every_statement, at_statement
from _chaos_strikes import STATEMENTS
from sqlalchemy import Engine, event, text

from models import engine as engines

FULL_FOR = 6
"""Connections taken from the pool for which the disk stays full, at most."""
TABLES = ("staged_items", "listings", "products", "prices", "price_changes", "store_ranges", "crawl_run_categories")


# Connections ------------------------------------------------------------------------------------------------------


def cut_while_staging(round: Round) -> None:
    _through_proxy(round)
    proxy = round.scene.proxy
    assert proxy
    word, chunks = round.chance.choice([(b"COPY staged_items", 1), (b"", round.chance.randint(1, 60)), (b"COMMIT", 3)])
    answer = round.chance.random() < 0.5
    round.doors.engine_made.append(lambda _: proxy.cut_next(chunks, word, answer=answer))


def cut_while_publishing(round: Round) -> None:
    _through_proxy(round)
    proxy, chunks, answer = round.scene.proxy, round.chance.randint(1, 2 * STATEMENTS), round.chance.random() < 0.5
    assert proxy
    round.doors.before_publishing.append(lambda _: proxy.cut_next(chunks, answer=answer))


def commit_unanswered(round: Round) -> None:
    """The commit is done, its answer is lost."""
    _through_proxy(round)
    proxy, number = round.scene.proxy, round.chance.randint(1, 3)
    assert proxy
    round.doors.before_publishing.append(lambda _: proxy.cut_next(number, b"COMMIT", answer=True))


def _through_proxy(round: Round) -> None:
    proxy = round.scene.proxy
    assert proxy
    round.options["database"] = round.scene.proxied
    before = proxy.cuts
    round.stack.callback(proxy.spare)
    round.fired = lambda: proxy.cuts > before


def backends_terminated(round: Round) -> None:
    """Every connection of the database is ended by the server at once."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with round.scene.engine.connect() as connection:
        connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))


# The server -------------------------------------------------------------------------------------------------------


def restart(round: Round) -> None:
    assert round.scene.server
    round.scene.server.restart()


def restarts_before_judging(round: Round) -> None:
    """All is staged, then the server crashes: unlogged staging comes back empty."""
    round.doors.before_judging.append(lambda _: _restart(round))


def restarts_before_publishing(round: Round) -> None:
    round.doors.before_publishing.append(lambda _: _restart(round))


def restarts_while_publishing(round: Round) -> None:
    number = round.chance.randint(1, STATEMENTS)
    round.doors.before_publishing.append(lambda engine: at_statement(engine, number, lambda: _restart(round)))


def _restart(round: Round) -> None:
    assert round.scene.server
    round.struck = True
    round.scene.errand(round.scene.server.restart)


def server_is_down(round: Round) -> None:
    """It is away when the crawl starts, and comes back afterwards."""
    server = round.scene.server
    assert server
    server.stop()
    round.stack.callback(server.start)
    round.struck = True


# The disk ---------------------------------------------------------------------------------------------------------


def disk_full_for_a_while(round: Round) -> None:
    """From a random moment on nothing can be written; some moments later there is room again."""
    full = _sqlite_full if round.scene.name == "sqlite" else _postgres_full
    full(round)


def _sqlite_full(round: Round) -> None:
    first, times = round.chance.randint(3, 30), round.chance.randint(1, FULL_FOR)
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
    """SQLite: no file of the process may grow beyond some bytes. PostgreSQL: no table takes a row from a moment on."""
    round.as_process = {}
    if round.scene.name == "sqlite":
        size = round.scene.file.stat().st_size
        round.as_process = {"largest_file": round.chance.randint(16_384, size + 65_536)}
        round.struck = True


def no_room_from_now_on(round: Round) -> None:
    if round.scene.name == "postgresql":
        _refuse(round, (*TABLES, "crawl_runs"))


# Others at the same database --------------------------------------------------------------------------------------


def another_writer(round: Round) -> None:
    """Another process writes for a while: SQLite lets only one."""
    other = sqlite3.connect(round.scene.file, timeout=30, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2 + round.chance.random(), other.close).start()


def second_crawl(round: Round) -> None:
    """A second crawl of the store: it must find the store held, or come after the first."""
    second = scenes.inside(round.scene, round.chain, round.store_id)
    second.future.exception(120)
    if second.code() not in (0, 3):
        round.notes.append(f"a second crawl of the store ended with exit code {second.code()}")


def readers_look_on(round: Round) -> None:
    """A reader before every statement of the publish: it sees the old prices, whole, and does not wait."""
    looks: list[bool] = []
    engine = engines.create(round.scene.database)
    round.stack.callback(engine.dispose)
    before = _oracle.stored(engine, round.chain, round.store_id)

    def look() -> None:
        looks.append(_oracle.stored(engine, round.chain, round.store_id) == before)
        if not looks[-1] and looks.count(False) == 1:
            round.notes.append(f"a reader saw other prices at statement {len(looks)}, before the commit")

    round.doors.before_publishing.append(lambda engine: at_every_statement(engine, look))
    round.fired = lambda: bool(looks)
