"""What the scripts on the database share: which one, whether it is ours, and how a refusal is told."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models import engine as engines
from models.errors import StorageError
from models.retry import original


@contextmanager
def database() -> Iterator[Engine]:
    """The engine that DATABASE_URL names, its schema checked. Raises SchemaMismatch, ConnectionError, ValueError."""
    engine = engines.create(engines.url_from(os.environ))
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
