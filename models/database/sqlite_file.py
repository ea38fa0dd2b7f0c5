"""Checks that a SQLite database is still in the files that were opened.

An open connection keeps writing to a file that was removed or replaced: its commits succeed and are lost.
"""

import os
import sqlite3
import threading
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event

from models.errors import DatabaseReplaced

Identity = tuple[int, int]
"""Device and inode."""

BESIDE = ("-wal", "-shm")
"""The write-ahead log and its index, which hold the latest commits. They exist while a connection is open."""


class SqliteFile:
    """The files of one database, each known by device and inode since it was first seen.

    `check` reads the path that the operator named, so that a swapped link and a moved folder are detected too. It takes
    some microseconds.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._main: Identity | None = None
        self._beside: dict[str, Identity] = {}
        self._open = 0

    def watch(self, engine: Engine) -> None:
        """Checks before and after each new connection of the engine and before each commit."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine.pool, "connect", self._opened)
        event.listen(engine.pool, "close", self._closed)
        event.listen(engine, "commit", self._committing)

    def check(self) -> None:
        """Raises DatabaseReplaced unless every file that was seen is there and is the same."""
        with self._lock:
            self._check()

    def _check(self) -> None:
        if self._main is None:
            return
        self._compare(self.path, self._main)
        real = os.path.realpath(self.path)  # SQLite puts the log beside the file that a link leads to
        for suffix in BESIDE:
            known = self._beside.get(suffix)
            if known is not None:
                self._compare(real + suffix, known)
            elif self._open and (found := _identity(real + suffix)) is not None:
                self._beside[suffix] = found

    def _compare(self, path: str, known: Identity) -> None:
        found = _identity(path)
        if found is None:
            raise DatabaseReplaced(path, "was removed or moved")
        if found != known:
            raise DatabaseReplaced(path, "was replaced by another file")

    def _connect(self, _dialect: Any, _record: Any, names: Any, options: dict[str, Any]) -> sqlite3.Connection | None:
        """Opens the file; only the first connection may create it."""
        self.check()
        if self._main is None or "uri" in options:
            return None  # SQLAlchemy connects as usual
        return sqlite3.connect(f"file:{quote(names[0])}?mode=rw", uri=True, **options)

    def _opened(self, _connection: Any, _record: Any) -> None:
        with self._lock:
            self._main = self._main or _identity(self.path)
            self._open += 1
            self._check()

    def _closed(self, _connection: Any, _record: Any) -> None:
        with self._lock:
            self._open -= 1
            if self._open <= 0:  # SQLite removes them with the last connection, and the next one makes others
                self._beside.clear()

    def _committing(self, _connection: Connection) -> None:
        self.check()


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
