"""What a store charges for a line, from what it showed itself and what its group's anchor shows.

Observation and inference are apart: a store's own price is what it showed last, and no group writes it. An anchor's
price stands for a member's where the member is known to have followed it. docs/storage.md gives the reasons.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime

OWN, INFERRED, CONTESTED = "own", "inferred", "contested"
"""How a price is known: the store showed it; its anchor shows it, and the store follows; the store showed it, but may
charge another one by now."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a line that showed a price."""

    at: datetime
    day: date
    """The store's local date."""
    period: date
    """The local date on which its specials period began."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the anchor of the store's group says of the line."""

    now: Hashable | None
    """The terms that it shows; None where it does not offer the line."""
    changed_at: datetime | None
    """Of its last change, a delisting too; None where it never offered the line."""
    seen: Sighting | None
    """Its last look at the line with a price."""
    then: Hashable | None
    """The terms that it charged when the store looked last."""
    then_seen: Sighting | None
    """Its last look at those terms; wanted only where it has changed them since."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a store's price."""

    source: str
    takes_anchor: bool
    """The anchor's offer stands; else the store's own."""
    observed_at: datetime


def effective(own: Hashable, seen: Sighting, anchor: Anchor | None) -> Known:
    """How the price of a line is known at a store that showed the terms `own` when it was `seen` last.

    `anchor`: None for a store that is its own anchor. A line without a price of the store's own has no price at all.
    """
    if anchor is None:
        return Known(OWN, False, seen.at)
    if anchor.now is not None and own == anchor.now:
        shown = anchor.seen.at if anchor.seen is not None else seen.at
        return Known(OWN, False, seen.at) if seen.at >= shown else Known(INFERRED, True, shown)
    if anchor.changed_at is None or anchor.changed_at <= seen.at:
        return Known(OWN, False, seen.at)
    if anchor.now is not None and own == anchor.then and _not_before(anchor.then_seen, seen):
        return Known(INFERRED, True, anchor.seen.at if anchor.seen is not None else anchor.changed_at)
    return Known(CONTESTED, False, seen.at)


def _not_before(anchor: Sighting | None, store: Sighting) -> bool:
    """Whether the anchor was seen in no earlier specials period and on no earlier day, each by its own clock."""
    return anchor is not None and anchor.period >= store.period and anchor.day >= store.day
