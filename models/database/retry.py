"""Which failures of a database are tried again, and which are the fault of the row."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, StatementError

logger = logging.getLogger(__name__)

T = TypeVar("T")

# serialization_failure, deadlock_detected, lock_not_available, unique_violation (another transaction made the same row
# meanwhile: the next try finds it), and a server that stops, starts or has no connection left.
_AGAIN = {"40001", "40P01", "55P03", "23505", "57P01", "57P02", "57P03", "53300"}
_POISON = (psycopg2.DataError, psycopg2.IntegrityError, sqlite3.IntegrityError, sqlite3.DataError)
_UNBINDABLE = (ValueError, TypeError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


def original(error: BaseException) -> BaseException:
    """The driver's own error if SQLAlchemy has wrapped it, else the error itself."""
    return error.orig if isinstance(error, StatementError) and error.orig is not None else error


def is_transient(engine: Engine, error: BaseException) -> bool:
    """Whether the same transaction may succeed if it is repeated: lost connection, deadlock, busy file."""
    cause = original(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    if isinstance(cause, psycopg2.Error):
        lost = cause.pgcode is None and isinstance(cause, psycopg2.OperationalError | psycopg2.InterfaceError)
        return lost or cause.pgcode in _AGAIN or engine.dialect.is_disconnect(cause, None, None)
    return False


def is_poison(error: BaseException) -> bool:
    """Whether the rows are at fault: the database or its driver refuses them every time."""
    return isinstance(original(error), (*_POISON, *_UNBINDABLE))


def delays(first: float = 0.05, last: float = 5.0) -> Callable[[int], float]:
    """Returns the seconds to wait after the n-th failure (from 0): doubling, at most `last`."""
    return lambda n: min(last, first * 2**n)


def retried(
    engine: Engine,
    work: Callable[[], T],
    *,
    what: str,
    tries: int = 8,
    sleep: Callable[[float], None] = time.sleep,
    on: Connection | None = None,
) -> T:
    """Runs a transaction, and repeats it after a lost connection, a deadlock or a serialisation failure.

    `work` must begin and end its own transaction and be harmless to repeat. Raises its last error. `on`: a connection
    whose session holds what `work` needs; if it is lost, the error is raised at once.
    """
    delay = delays()
    for attempt in range(tries):
        try:
            return work()
        except Exception as error:
            gone = on is not None and on.invalidated
            if attempt == tries - 1 or gone or not is_transient(engine, error):
                raise
            logger.warning("%s failed (%s); trying again", what, str(original(error)).strip())
            sleep(delay(attempt))
    raise AssertionError("unreachable")
