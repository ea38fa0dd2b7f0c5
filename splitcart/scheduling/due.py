"""When a worker has to do what is due besides crawling stores: locating them, and merging groups.

docs/scheduling.md states the rule.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one company. A time is None if there was no such event."""

    located_at: datetime | None = None
    """The end of its last complete locator run."""
    tried_at: datetime | None = None
    """The end of its last locator run that was not complete."""
    locating_until: datetime | None = None
    """The end of the lease of a locator run that is under way."""
    paused_until: datetime | None = None
    """The end of its pause after its site has blocked us."""
    completed_at: datetime | None = None
    """The end of the last complete run of a store."""
    merged_at: datetime | None = None
    """When the last merge of its groups began."""
    seen_until: datetime | None = None
    """The last merge took into account the runs that had ended by then."""
    merge_failed_at: datetime | None = None
    """When the last failed merge began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """The settings."""

    locate: timedelta = timedelta(days=7)
    """How old the last complete locator run may be."""
    locate_again: timedelta = timedelta(hours=6)
    """The wait after a locator run that was not complete."""
    merge: timedelta = timedelta(minutes=30)
    """The least time from the beginning of one merge, or failed merge, to the next."""


def locate_at(facts: Facts, intervals: Intervals, now: datetime) -> datetime:
    """When the company's stores are to be located next; `now` where that is due.

    A run that ended after `now` was dated by a wrong clock and is ignored.
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
    """When the company's groups are to be merged next; `now` where that is due; None: no complete run since the
    last."""
    merged = _past(facts.merged_at, now)
    included = _past(facts.seen_until, now)
    if facts.completed_at is None or (included is not None and facts.completed_at <= included):
        return None
    begun = [when for when in (merged, _past(facts.merge_failed_at, now)) if when is not None]
    return max([now, *(when + intervals.merge for when in begun)])


def _past(when: datetime | None, now: datetime) -> datetime | None:
    """The time, or None if it is after `now`: a wrong clock dated it, and waiting for it could take years."""
    return None if when is None or when > now else when
