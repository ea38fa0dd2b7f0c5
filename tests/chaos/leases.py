"""Mishaps in which a crawl loses its lease, or the file of its database."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, select, update

from models.runs import leases
from models.tables import crawl_runs, stores
from tests.chaos.rounds import Round
from tests.chaos.run import at_statement
from tests.chaos.strikes import wait_until

EARLY = 12
"""A crawl sends at least this many statements before its last commit."""


# The lease --------------------------------------------------------------------------------------------------------


def lease_lost(round: Round) -> None:
    """The run is abandoned by another, or taken over by one that dies; the crawl must end by itself within a minute."""
    run = round.scene.run(round.chain, round.store_code)
    with round.scene.engine.begin() as connection:
        held = select(crawl_runs).where(crawl_runs.c.id == (run.id if run else -1), crawl_runs.c.status == "running")
        mine = connection.execute(held.with_for_update()).one_or_none()
        round.struck = mine is not None
        if mine is None:  # it was not open yet, or has ended
            return
        if round.chance.random() < 0.5:
            leases.abandon(connection, mine, round.scene.now())
        else:
            _take_over(connection, mine.id, mine.store_id)
            round.stack.callback(_abandon, round, mine.id)
    crawl = round.crawl
    assert crawl
    wait_until(lambda: crawl.code() is not None)
    if crawl.code() is None:
        round.notes.append("a crawl that had lost its lease went on for a minute")


def _take_over(connection: Connection, run_id: int, store_id: int | None) -> None:
    connection.execute(update(crawl_runs).where(crawl_runs.c.id == run_id).values(lease_token="another's"))
    connection.execute(update(stores).where(stores.c.id == store_id).values(lease_token="another's"))


def _abandon(round: Round, run_id: int) -> None:
    with round.scene.engine.begin() as connection:
        run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run_id)).one()
        if run.status == "running":
            leases.abandon(connection, run, round.scene.now())


# SQLite's file ----------------------------------------------------------------------------------------------------


def file_lost(round: Round) -> None:
    """The file is removed or replaced; after the crawl it is put back, with its log."""
    lose = round.chance.choice((_removed, _replaced, _log_removed))
    room = round.stack.enter_context(_folder_beside(round.scene.file))

    def strike() -> None:
        round.struck = True
        back = lose(round.scene.file, room)
        round.stack.callback(back)

    door, number = round.chance.randrange(3), round.chance.randint(1, EARLY)
    if door == 0:
        round.doors.engine_made.append(lambda engine: at_statement(engine, number, strike))
    else:
        doors = round.doors.before_judging if door == 1 else round.doors.before_publishing
        doors.append(lambda _: strike())


@contextlib.contextmanager
def _folder_beside(file: Path) -> Iterator[Path]:
    """A folder on the file's own disk: a file keeps its inode when it is moved there and back."""
    folder = file.with_name("away")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _moved(file: Path, room: Path, suffixes: tuple[str, ...]) -> Callable[[], None]:
    parts = [file.with_name(file.name + suffix) for suffix in suffixes]
    there = [part for part in parts if part.exists()]
    for part in there:
        part.rename(room / part.name)

    def back() -> None:
        for part in there:
            (room / part.name).replace(part)

    return back


def _removed(file: Path, room: Path) -> Callable[[], None]:
    return _moved(file, room, ("", "-wal", "-shm"))


def _log_removed(file: Path, room: Path) -> Callable[[], None]:
    return _moved(file, room, ("-wal",))


def _replaced(file: Path, room: Path) -> Callable[[], None]:
    with contextlib.closing(
        sqlite3.connect(file, timeout=30)
    ) as reader:  # closing the file in any other way would end its locks
        reader.execute("VACUUM INTO ?", [str(room / "copy")])
    back = _moved(file, room, ("",))
    (room / "copy").rename(file)
    return back
