"""What the scripts about store groups share: the company chosen, progress on standard error, figures for people."""

import argparse
import sys
import time
from datetime import UTC, datetime


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with what both scripts take."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--company", metavar="C", help="only this company: its name or slug, in any case")
    made.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    return made


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Progress:
    """Tells at most once a second what long work is at, on standard error."""

    def __init__(self, company: str) -> None:
        self._company, self._told = company, time.monotonic()

    def __call__(self, what: str, done: int, there_are: int) -> None:
        if time.monotonic() - self._told >= 1:
            self._told = time.monotonic()
            print(f"{self._company}: {what} {done}/{there_are}", file=sys.stderr)
