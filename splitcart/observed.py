"""What a store charges for a line, from what it showed itself and what its group's anchor shows.

Observation and inference are kept apart: a store's own price is what it showed last, and no group writes it. A
member takes its anchor's price if it had the same price before the anchor changed. docs/storage.md gives the reasons.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime

OWN, INFERRED, CONTESTED = "own", "inferred", "contested"
"""How a price is known. Own: the store showed it. Inferred: its anchor shows it, and the store follows its anchor.
Contested: the store showed it, but may charge another price by now."""


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
    """The line at the anchor of the store's group."""

    current_terms: Hashable | None
    """The terms that the anchor shows; None if it does not offer the line."""
    changed_at: datetime | None
    """When the terms changed last, or the line was delisted; None if the anchor never offered it."""
    last_seen: Sighting | None
    """When the anchor last showed the line with a price."""
    earlier_terms: Hashable | None
    """The terms that the anchor charged when the store itself was seen last."""
    earlier_seen: Sighting | None
    """When the anchor last showed `earlier_terms`; needed only if it has changed them since."""


@dataclass(frozen=True, slots=True)
class Known:
    """How a store's price is known."""

    source: str
    takes_anchor: bool
    """Whether the anchor's offer is in effect; otherwise the store's own is."""
    observed_at: datetime


def effective(own: Hashable, seen: Sighting, anchor: Anchor | None) -> Known:
    """How the price of a line is known at a store that showed the terms `own` when it was `seen` last.

    `anchor`: None for a store that is its own anchor. A line without an own row has no price at all.

    If the anchor shows the same terms, the later of the two sightings dates the price. If the anchor has not changed
    since the store was seen, the store's own row is the newest evidence: the store deviates. If the anchor has changed
    since, the price is inferred if the anchor still offers the line, the store charged what the anchor charged then,
    and the anchor was last seen to charge it in no earlier period and on no earlier day than the store; else it is
    contested.
    """
    if anchor is None:
        return Known(OWN, False, seen.at)
    if anchor.current_terms is not None and own == anchor.current_terms:
        shown = anchor.last_seen.at if anchor.last_seen is not None else seen.at
        return Known(OWN, False, seen.at) if seen.at >= shown else Known(INFERRED, True, shown)
    if anchor.changed_at is None or anchor.changed_at <= seen.at:
        return Known(OWN, False, seen.at)
    if anchor.current_terms is not None and own == anchor.earlier_terms and _not_before(anchor.earlier_seen, seen):
        return Known(INFERRED, True, anchor.last_seen.at if anchor.last_seen is not None else anchor.changed_at)
    return Known(CONTESTED, False, seen.at)


def _not_before(anchor: Sighting | None, store: Sighting) -> bool:
    """Whether the anchor was seen in no earlier specials period and on no earlier day, each by its own clock."""
    return anchor is not None and anchor.period >= store.period and anchor.day >= store.day
