"""Databases that are filled once for a module, and copies of them for its tests."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import engine as engines
from tests.support.postgres import Server


@dataclass(frozen=True)
class Template:
    """A database without connections: a SQLite file, or the name of one of `server`."""

    name: str
    server: Server | None = None

    @contextlib.contextmanager
    def copy(self, folder: Path) -> Iterator[Engine]:
        """An engine on a copy; a SQLite file of it lies in `folder`."""
        with self._copied(folder) as url:
            engine = engines.create(url)
            try:
                yield engine
            finally:
                engine.dispose()

    @contextlib.contextmanager
    def _copied(self, folder: Path) -> Iterator[str]:
        if self.server is None:
            yield f"sqlite:///{shutil.copyfile(self.name, folder / 'splitcart.db')}"
            return
        name = self.server.create_database(self.name)
        try:
            yield self.server.url(name)
        finally:
            self.server.drop_database(name)


@contextlib.contextmanager
def filled(request: pytest.FixtureRequest, fill: Callable[[Engine], object]) -> Iterator[Template]:
    """For a module's fixture with the parameters sqlite and postgres: a migrated database, filled."""
    empty = request.getfixturevalue(f"{request.param}_template")
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    folder = request.getfixturevalue("tmp_path_factory").mktemp("filled")
    with Template(str(empty), server).copy(folder) as engine:
        fill(engine)
        engine.dispose()  # a template can only be copied without connections
        yield Template(str(engine.url.database), server)
