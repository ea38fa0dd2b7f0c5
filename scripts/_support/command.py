"""The command line of a script, its exit code, and how its errors are printed.

A script is a parser and a function from its options to the exit code:

    def main(arguments: Sequence[str] | None = None) -> int:
        made = parser(__doc__)
        made.add_argument("--store", type=word, help="...")
        return run(made, _work, arguments)

Exit codes: what the work returns; 1 where it fails for a reason that an operator can correct; 2 where the arguments or
DATABASE_URL are invalid. In both cases one line on standard error names the remedy.
"""

import argparse
import logging
import math
import os
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from models.database.retry import original
from models.database.secrets import without_secrets
from models.errors import DatabaseRefused, StorageError
from splitcart.printing import visible, visible_lines

from . import output

KNOWN = (StorageError, SQLAlchemyError, psycopg2.Error, sqlite3.Error, OSError, ValueError)
"""Errors whose text names the remedy; any other is a bug of this project and shows its traceback."""
LONGEST = 200
"""Characters of a word at most: no id, name or number that a script takes is longer."""
LONGEST_ERROR = 600
"""Characters at most of an error that quotes an argument."""


class Refused(Exception):
    """Raised by a script's work when its arguments are invalid together; the text names the remedy. Exit code 2."""


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors escape control characters and refer to --help."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        shortened = message if len(message) <= LONGEST_ERROR else f"{message[:LONGEST_ERROR]}..."
        self.exit(2, f"{self.prog}: error: {visible(shortened)}; see --help\n")


def parser(description: str | None, *, json: str = "print the figures as one JSON object") -> Parser:
    """A parser with the script's docstring. `json` is the help of --json; empty: no --json."""
    made = Parser(description=description)
    if json:
        made.add_argument("--json", action="store_true", help=json)
    return made


def run(
    made: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    arguments: Sequence[str] | None = None,
    *,
    failed: int = 1,
) -> int:
    """Parses the arguments, does the work and returns its exit code. Wrong arguments and Refused raise SystemExit(2).

    failed: the exit code where the work fails for a reason that an operator can correct.
    """
    _show_anything()
    sys.excepthook = _fault
    options = made.parse_args(arguments)
    try:
        with _safe_warnings():
            return work(options)
    except Refused as error:
        made.error(str(error))
    except DatabaseRefused as error:
        output.print_error(_message_of(error))
        return 2
    except BrokenPipeError:
        # The reader of the output has gone; what is left in the buffer must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failed
    except KNOWN as error:
        output.print_error(_message_of(error))
        return failed
    except KeyboardInterrupt:
        output.print_error("interrupted")
        return 130


def word(text: str) -> str:
    """An argument that is an id, a name or a number as text. For argparse's `type`, as are all below."""
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        raise argparse.ArgumentTypeError(
            f"{shown(text)}: 1 to {LONGEST} characters are wanted, none of them a control character"
        )
    return text


def integer(least: int = 0, most: int = 10**9) -> Callable[[str], int]:
    """An argument that is a whole number from `least` to `most`."""

    def read(text: str) -> int:
        digits = text.strip().removeprefix("-")
        found = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
        if found is None or not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{shown(text)}: a whole number from {least} to {most} is wanted")
        return found

    return read


PORT = integer(0, 65535)
"""An argument that is a port; 0 takes a free one."""


def within(least: float, most: float) -> Callable[[str], float]:
    """An argument that is a number from `least` to `most`."""

    def read(text: str) -> float:
        found = _float(text)
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{shown(text)}: a number from {least:g} to {most:g} is wanted")
        return found

    return read


def span(text: str) -> float:
    """An argument that is a number of days or hours: 0 or more."""
    found = _float(text)
    if not 0 <= found <= 1_000_000:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no number of days or hours: 0 or more is wanted, for example 2"
        )
    return found


def folder(text: str) -> Path:
    """An argument that is a folder, or a path at which one can be made."""
    place = Path(word(text))
    try:
        there = next(each for each in (place.absolute(), *place.absolute().parents) if each.exists())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{shown(text)}: {error.strerror}: name another folder") from None
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{shown(text)}: {visible(there)} is a file: name another folder")
    return place


def shown(text: str) -> str:
    """A wrong argument as errors quote it: short, and without control characters."""
    return f"'{visible(text[:40])}{'...' if len(text) > 40 else ''}'"


def _message_of(error: BaseException) -> str:
    """The text of an error, without the secrets that a driver may have repeated."""
    return without_secrets(str(original(error)) or type(error).__name__, os.environ.get("DATABASE_URL", ""))


def _fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Prints the traceback of a bug of this project; what an error quotes is outside text, too."""
    shown = "".join(traceback.format_exception(kind, error, trace))
    output.print_error(without_secrets(shown, os.environ.get("DATABASE_URL", "")))


def _float(text: str) -> float:
    """The number; NaN, which is in no range, where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _show_anything() -> None:
    """Lets both streams write every character: those that their encoding lacks are written as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))


@contextmanager
def _safe_warnings() -> Iterator[None]:
    """Escapes control characters in warnings of packages, which go to standard error while no log is set up."""
    last = logging.lastResort
    assert last is not None
    before = last.formatter
    last.setFormatter(_Plain("%(message)s"))
    try:
        yield
    finally:
        last.setFormatter(before)
