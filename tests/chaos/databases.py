"""Mishaps of a crawl's database: its connections, its server, and others that use it."""

import sqlite3
import threading

from _support import oracle
from sqlalchemy import text

from models.database import engine as engines
from tests.chaos import scene as scenes
from tests.chaos.rounds import Round
from tests.chaos.run import at_every_statement, at_statement
from tests.chaos.strikes import some_statement

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
    proxy, chunks, answer = round.scene.proxy, 2 * some_statement(round.chance), round.chance.random() < 0.5
    assert proxy
    round.doors.before_publishing.append(lambda _: proxy.cut_next(chunks, answer=answer))


def commit_unanswered(round: Round) -> None:
    """The commit is done, its answer is lost."""
    _through_proxy(round)
    proxy, number = round.scene.proxy, round.chance.randint(1, 3)
    assert proxy
    round.doors.before_publishing.append(lambda _: proxy.cut_next(number, b"COMMIT", answer=True))


def opening_unanswered(round: Round) -> None:
    """The commit that opens the run is done, its answer is lost."""
    _through_proxy(round)
    proxy = round.scene.proxy
    assert proxy
    round.doors.engine_made.append(lambda _: proxy.cut_next(1, b"COMMIT", answer=True))


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
    """The server crashes once all is staged: the unlogged staging comes back empty."""
    round.doors.before_judging.append(lambda _: _restart(round))


def restarts_before_publishing(round: Round) -> None:
    round.doors.before_publishing.append(lambda _: _restart(round))


def restarts_while_publishing(round: Round) -> None:
    number = some_statement(round.chance)
    round.doors.before_publishing.append(lambda engine: at_statement(engine, number, lambda: _restart(round)))


def restarts_at_a_statement(round: Round) -> None:
    """At any statement of the run, its opening included."""
    number = some_statement(round.chance)
    round.doors.engine_made.append(lambda engine: at_statement(engine, number, lambda: _restart(round)))


def _restart(round: Round) -> None:
    assert round.scene.server
    round.struck = True
    round.scene.errand(round.scene.server.restart)


def server_is_down(round: Round) -> None:
    """The server is down when the crawl starts, and comes back afterwards."""
    server = round.scene.server
    assert server
    server.stop()
    round.stack.callback(server.start)
    round.struck = True


# Others at the same database --------------------------------------------------------------------------------------


def another_writer(round: Round) -> None:
    """Another process writes for a while: SQLite lets only one."""
    other = sqlite3.connect(round.scene.file, timeout=30, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2 + round.chance.random(), other.close).start()


def second_crawl(round: Round) -> None:
    """A second crawl of the store: it must find the store held, or begin after the first has ended."""
    second = scenes.inside(round.scene, round.chain, round.store_code)
    second.future.exception(120)
    if second.code() not in (0, 3):
        round.notes.append(f"a second crawl of the store ended with exit code {second.code()}")


def readers_look_on(round: Round) -> None:
    """A reader before every statement of the publish: it sees the old prices, complete, and does not wait."""
    looks: list[bool] = []
    engine = engines.create(round.scene.database)
    round.stack.callback(engine.dispose)
    before = oracle.stored(engine, round.chain, round.store_code)

    def look() -> None:
        prices, run = (
            oracle.stored(engine, round.chain, round.store_code),
            oracle.last_run(engine, round.chain, round.store_code),
        )
        if run is not None and run.status != "running":
            return  # the publish is committed: what follows are the barcodes that the run learnt
        looks.append(prices == before)
        if not looks[-1] and looks.count(False) == 1:
            round.notes.append(f"a reader saw other prices at statement {len(looks)}, before the commit")

    round.doors.before_publishing.append(lambda engine: at_every_statement(engine, look))
    round.fired = lambda: bool(looks)
