"""After a SQLite file is removed or replaced while in use, no commit succeeds and no connection makes a new file."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from models.database import engine as engines
from models.errors import DatabaseReplaced
from tests.support.storage import crawl, open_run, query, row, stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the database, below one that can be moved."""
    return tmp_path / "real" / "data"


@pytest.fixture
def path(folder: Path, tmp_path: Path, sqlite_template: Path) -> Path:
    """The database's path, which leads through a link to its folder and through a link to itself."""
    folder.mkdir(parents=True)
    shutil.copyfile(sqlite_template, folder / "true.db")
    (folder / "splitcart.db").symlink_to(folder / "true.db")
    (tmp_path / "linked").symlink_to(folder)
    return tmp_path / "linked" / "splitcart.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    created = engines.create(f"sqlite:///{path}")
    yield created
    created.dispose()


def beside(path: Path, suffix: str) -> Path:
    real = Path(os.path.realpath(path))
    return real.with_name(real.name + suffix)


def replaced(file: Path) -> None:
    """Puts another file of the same content in its place."""
    other = file.with_name("other")
    shutil.copyfile(file, other)
    other.replace(file)


def removed_with_log(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        beside(path, suffix).unlink()


def link_swapped(path: Path) -> None:
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    path.unlink()
    path.symlink_to(other)


def folder_moved(path: Path) -> None:
    real = beside(path, "").parent
    real.rename(real.with_name("elsewhere"))


def folder_link_swapped(path: Path) -> None:
    other = path.parent.with_name("copied")
    shutil.copytree(path.parent, other)
    path.parent.unlink()
    path.parent.symlink_to(other)


STRIKES: dict[str, Callable[[Path], None]] = {
    "removed": lambda path: beside(path, "").unlink(),
    "removed with its log": removed_with_log,
    "replaced": lambda path: replaced(beside(path, "")),
    "emptied by another in its place": lambda path: (beside(path, "").unlink(), path.touch())[1],
    "link removed": lambda path: path.unlink(),
    "link swapped": link_swapped,
    "folder moved": folder_moved,
    "link to the folder swapped": folder_link_swapped,
    "log removed": lambda path: beside(path, "-wal").unlink(),
    "log replaced": lambda path: replaced(beside(path, "-wal")),
    "index removed": lambda path: beside(path, "-shm").unlink(),
}


@pytest.mark.parametrize("how", STRIKES)
def test_no_commit_succeeds_once_the_file_is_replaced_or_removed(engine: Engine, path: Path, how: str) -> None:
    crawl(engine, [row(1)])

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE stores SET store_name = 'lost'"))
            STRIKES[how](path)

    with pytest.raises(DatabaseReplaced, match=r"the database file .* was (removed|replaced).*check_database"):
        write()
    with pytest.raises(DatabaseReplaced):
        crawl(engine, [row(1, 200)])
    with pytest.raises(DatabaseReplaced):
        engines.check_file(engine)


@pytest.mark.parametrize("how", ["removed with its log", "link removed", "folder moved"])
def test_no_new_connection_makes_an_empty_database_where_the_file_was(engine: Engine, path: Path, how: str) -> None:
    crawl(engine, [row(1)])
    with engine.connect() as held:
        held.execute(text("SELECT count(*) FROM stores")).scalar()
        STRIKES[how](path)
        with pytest.raises(DatabaseReplaced), engine.connect():
            pass
    assert not path.exists()


def test_a_write_refused_while_the_file_was_gone_is_absent_when_it_is_back(engine: Engine, path: Path) -> None:
    crawl(engine, [row(1, 100)])
    kept = beside(path, "").rename(path.parent / "away")
    with pytest.raises(DatabaseReplaced):
        crawl(engine, [row(1, 200)])
    kept.rename(beside(path, ""))
    engines.check_file(engine)
    assert query(engine, "SELECT price_cents FROM prices") == [(100,)]
    with engine.begin() as connection:
        connection.execute(text("UPDATE stores SET store_name = 'back'"))


def test_a_new_log_is_accepted_after_the_last_connection_has_closed(engine: Engine, path: Path) -> None:
    crawl(engine, [row(1)])
    before = beside(path, "-wal").stat()
    engine.dispose()
    assert not beside(path, "-wal").exists()
    (path.parent / "takes the inode").touch()
    crawl(engine, [row(1, 200)])
    assert beside(path, "-wal").stat() != before


def test_other_engines_may_open_and_close_the_file_meanwhile(engine: Engine, path: Path) -> None:
    run = open_run(engine)
    for _ in range(3):
        other = engines.create(f"sqlite:///{path}")
        assert query(other, "SELECT count(*) FROM crawl_runs") == [(1,)]
        other.dispose()
        stage(engine, run.id, [row(1)])
    engines.check_file(engine)


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "#1", "a&mode=memory", "ä", "%41.db"])
def test_a_file_of_any_name_is_opened_again_under_that_name(tmp_path: Path, name: str) -> None:
    from sqlalchemy import URL

    url = URL.create("sqlite", database=str(tmp_path / name)).render_as_string()
    engine = engines.create(url)
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert connection.execute(text("SELECT count(*) FROM stores")).scalar() == 0
    engine.dispose()
    assert Path(str(make_url(url).database)).exists()
    assert [found for found in os.listdir(tmp_path) if found != name] == []
