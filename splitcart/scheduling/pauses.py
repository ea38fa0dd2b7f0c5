"""How long a company's crawls pause after its site has blocked us."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

FIRST = timedelta(hours=1)
LONGEST = timedelta(days=1)
LOOK_BACK = timedelta(days=14)
"""Blocked runs that ended longer ago are not counted. Blocks in a row reach the longest pause within two days."""


class Span(NamedTuple):
    """When a run began and ended."""

    started_at: datetime
    finished_at: datetime


def paused_until(blocked: Iterable[Span], answered: Iterable[datetime]) -> datetime | None:
    """The end of the company's pause: an hour after a blocked run, doubled for each block in a row, at most a day.

    blocked: its runs that ended blocked. answered: when its complete and partial runs began. A block is the next in a
    row when its run began after the block before it and no answered run began in between. A run that was under way when
    a block came does not count either way: several crawls that one block ends count as one block.
    """
    answered = sorted(answered)
    until: datetime | None = None
    pause, before = FIRST, None
    for run in sorted(blocked, key=lambda each: each.finished_at):
        if before is None or any(before <= began < run.finished_at for began in answered):
            pause = FIRST
        elif run.started_at >= before:
            pause = min(2 * pause, LONGEST)
        end = run.finished_at + pause
        until = end if until is None else max(until, end)
        before = run.finished_at
    return until
