"""Runs Alembic. The scripts may be in a zipped egg, which Alembic cannot read, so they are extracted first."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def _extract(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                _extract(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())


@contextmanager
def config(connection: Connection | None = None) -> Iterator[Config]:
    """An Alembic configuration whose scripts are in a temporary folder while the block runs."""
    with tempfile.TemporaryDirectory(prefix="splitcart-migrations-") as folder:
        _extract(files("models").joinpath("migrations"), Path(folder))
        made = Config()
        made.set_main_option("script_location", folder.replace("%", "%%"))
        made.set_main_option("path_separator", "os")
        made.attributes["connection"] = connection
        yield made


def upgrade(connection: Connection) -> None:
    """Brings the schema to the head revision, inside the connection's transaction."""
    with config(connection) as made:
        command.upgrade(made, "head")


def head() -> str | None:
    """The newest revision that has a script."""
    with config() as made:
        return ScriptDirectory.from_config(made).get_current_head()
