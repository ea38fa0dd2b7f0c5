"""The company that a script is asked for, the time, and progress on standard error."""

import time
from datetime import UTC, datetime

from .command import Parser, word
from .output import print_error


def take_company(made: Parser) -> None:
    """Adds --company."""
    made.add_argument("--company", metavar="C", type=word, help="only this company: its name or slug, in any case")


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Progress:
    """Prints the progress of long work on standard error, at most once a second."""

    def __init__(self, company: str) -> None:
        self._company, self._reported_at = company, time.monotonic()

    def __call__(self, what: str, done: int, there_are: int) -> None:
        if time.monotonic() - self._reported_at >= 1:
            self._reported_at = time.monotonic()
            print_error(f"{self._company}: {what} {done}/{there_are}")
