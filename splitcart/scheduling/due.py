"""What a worker has to do besides crawling stores: finding them anew, and grouping them.

docs/scheduling.md has it in words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one company; None: it never was."""

    located_at: datetime | None = None
    """The end of its last complete locator run."""
    tried_at: datetime | None = None
    """The end of its last locator run that was not complete."""
    locating_until: datetime | None = None
    """The end of the lease of a locator run that is under way."""
    paused_until: datetime | None = None
    """Until when its site is left alone because it has blocked us."""
    completed_at: datetime | None = None
    """The end of the last complete run of a store."""
    merged_at: datetime | None = None
    """When the last merge of its groups began."""
    seen_until: datetime | None = None
    """Runs that had ended by then were seen by that merge."""
    merge_failed_at: datetime | None = None
    """When the last merge that failed began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """The settings."""

    locate: timedelta = timedelta(days=7)
    """How old the last complete locator run may be."""
    locate_again: timedelta = timedelta(hours=6)
    """How long a locator that failed is not tried again."""
    merge: timedelta = timedelta(minutes=30)
    """The least time between two merges, or two tries."""


def locate_at(facts: Facts, intervals: Intervals, now: datetime) -> datetime:
    """When the company's stores are to be located; `now` where that is due.

    A complete run that ended after `now` was dated by a wrong clock, and counts as none.
    """
    located = _past(facts.located_at, now)
    tried = _past(facts.tried_at, now)
    ends = [
        located + intervals.locate if located else None,
        tried + intervals.locate_again if tried else None,
        facts.locating_until,
        facts.paused_until,
    ]
    return max([now, *(end for end in ends if end is not None)])


def merge_at(facts: Facts, intervals: Intervals, now: datetime) -> datetime | None:
    """When the company's groups are to be merged; `now` where that is due; None: no complete run has ended since."""
    merged = _past(facts.merged_at, now)
    seen = _past(facts.seen_until, now)
    if facts.completed_at is None or (seen is not None and facts.completed_at <= seen):
        return None
    begun = [when for when in (merged, _past(facts.merge_failed_at, now)) if when is not None]
    return max([now, *(when + intervals.merge for when in begun)])


def _past(when: datetime | None, now: datetime) -> datetime | None:
    """None for a time that a wrong clock has put after `now`: what waits for it would wait for long."""
    return None if when is None or when > now else when
