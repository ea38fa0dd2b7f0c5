"""The database that a script works on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from models.database import engine as engines


@contextmanager
def database(*, writes: bool = True) -> Iterator[Engine]:
    """The engine that DATABASE_URL names, its schema checked. Raises StorageError, ConnectionError.

    A SQLite file that does not exist is not created: a wrong path would look like an empty database.
    writes: whether the role must be allowed to write.
    """
    url = engines.url_from(os.environ)
    check_there(url)
    engine = engines.create(url)
    try:
        engines.check_schema(engine, writes=writes)
        yield engine
    finally:
        engine.dispose()


def check_there(url: str) -> None:
    """Raises ConnectionError where a SQLite URL names no file, or an empty one."""
    place = make_url(engines.normalise(url))
    if place.get_backend_name() != "sqlite":
        return
    file = Path(place.database or "")
    if not file.exists() or (file.is_file() and file.stat().st_size == 0):
        raise ConnectionError(f"there is no database at {file}: check DATABASE_URL, or crawl a store first")
