"""What the scripts on the database share: which one, whether it is ours, and how a refusal is told."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from models import engine as engines
from models.errors import StorageError
from models.retry import original


@contextmanager
def database() -> Iterator[Engine]:
    """The engine that DATABASE_URL names, its schema checked. Raises SchemaMismatch, ConnectionError, ValueError.

    A SQLite file that is not there is no database: it is not made here, where a wrong path would look like a sound one.
    """
    url = make_url(engines.normalise(engines.url_from(os.environ)))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise ConnectionError(f"there is no database at {url.database}: check DATABASE_URL, or crawl a store first")
    engine = engines.create(url.render_as_string(hide_password=False))
    try:
        engines.check_schema(engine)
        yield engine
    finally:
        engine.dispose()


def guarded(work: Callable[[], int], *, refused: int = 1) -> int:
    """Runs a script's work; what an operator can put right is told in a line, with exit code `refused`."""
    try:
        return work()
    except (StorageError, ConnectionError, SQLAlchemyError, ValueError) as error:
        print(str(original(error)).strip(), file=sys.stderr)
        return refused


def span(text: str) -> float:
    """An argument that is a number of days or hours: 0 or more. For argparse's `type`."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days or hours: 0 or more is wanted, for example 2")
    return found
