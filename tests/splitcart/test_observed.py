"""The rule of what a store charges, as a table: its own sighting beside its group's anchor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.observed import CONTESTED, INFERRED, OWN, Anchor, Sighting, effective

MONDAY = datetime(2026, 11, 23, 1, tzinfo=UTC)
OLD, NEW, OTHER = 100, 120, 999


def seen(hours: float, *, day: int | None = None, period: int | None = None) -> Sighting:
    """A sighting so many hours after Monday 01:00 UTC, by a clock of UTC; `day` and `period` in days after Monday."""
    at = MONDAY + timedelta(hours=hours)
    monday = MONDAY.date()
    local = at.date() if day is None else monday + timedelta(days=day)
    week = monday - timedelta(days=5) if period is None else monday + timedelta(days=period)
    return Sighting(at, local, week)


def hour(number: float) -> datetime:
    return MONDAY + timedelta(hours=number)


def anchor(
    terms, *, changed: float | None = 0, shown: float | None = 0, earlier_terms=None, earlier_seen=None
) -> Anchor:
    changed_at = None if changed is None else hour(changed)
    return Anchor(terms, changed_at, None if shown is None else seen(shown), earlier_terms, earlier_seen)


NEVER_OFFERED = anchor(None, changed=None, shown=None)
FOLLOWED = anchor(NEW, changed=30, shown=40, earlier_terms=OLD, earlier_seen=seen(5))

# The store's terms and look, the anchor; how the price is known, whether the anchor's offer is taken, when it was seen.
TABLE = {
    "an anchor itself": (OLD, seen(5), None, (OWN, False, 5)),
    # Equal to the anchor's: the later look counts.
    "equal, the store looked later": (OLD, seen(5), anchor(OLD), (OWN, False, 5)),
    "equal, both looked at once": (OLD, seen(5), anchor(OLD, shown=5), (OWN, False, 5)),
    "equal, the anchor looked later": (OLD, seen(5), anchor(OLD, shown=9), (INFERRED, True, 9)),
    "equal, though the anchor has changed since": (OLD, seen(5), anchor(OLD, changed=7, shown=9), (INFERRED, True, 9)),
    "equal, but no look of the anchor is known": (OLD, seen(5), anchor(OLD, shown=None), (OWN, False, 5)),
    # Another price, and the anchor has not changed since.
    "a deviation that the anchor did not move since": (OTHER, seen(5), anchor(OLD, shown=9), (OWN, False, 5)),
    "the anchor changed at the same moment": (OTHER, seen(5), anchor(OLD, changed=5, shown=9), (OWN, False, 5)),
    "the anchor never offered it": (OTHER, seen(5), NEVER_OFFERED, (OWN, False, 5)),
    "the anchor had ended it before": (OTHER, seen(5), anchor(None, changed=4, shown=None), (OWN, False, 5)),
    # The anchor has changed since: the store follows where it charged the same.
    "followed": (OLD, seen(5), FOLLOWED, (INFERRED, True, 40)),
    "followed, though the store looked later the same day": (OLD, seen(9), FOLLOWED, (INFERRED, True, 40)),
    "followed, the anchor's last look is not known": (
        OLD,
        seen(5),
        replace(FOLLOWED, last_seen=None),
        (INFERRED, True, 30),
    ),
    "followed over days": (OLD, seen(5), replace(FOLLOWED, earlier_seen=seen(29)), (INFERRED, True, 40)),
    # It deviated, or may have.
    "a deviation that the anchor moved since": (OTHER, seen(5), FOLLOWED, (CONTESTED, False, 5)),
    "the anchor had looked on an earlier day": (OLD, seen(25), FOLLOWED, (CONTESTED, False, 25)),
    "the anchor had looked in an earlier period": (
        *(OLD, seen(9, period=0)),
        *(replace(FOLLOWED, earlier_seen=seen(5, period=-7)), (CONTESTED, False, 9)),
    ),
    "by their clocks the anchor had looked a day before": (
        *(OLD, seen(14, day=1)),
        *(replace(FOLLOWED, earlier_seen=seen(15, day=0)), (CONTESTED, False, 14)),
    ),
    "when the anchor looked is not known": (OLD, seen(5), replace(FOLLOWED, earlier_seen=None), (CONTESTED, False, 5)),
    "the anchor did not charge it then": (OLD, seen(5), replace(FOLLOWED, earlier_terms=OTHER), (CONTESTED, False, 5)),
    "the anchor did not offer it then": (OLD, seen(5), replace(FOLLOWED, earlier_terms=None), (CONTESTED, False, 5)),
    "the anchor has ended it since": (OLD, seen(5), replace(FOLLOWED, current_terms=None), (CONTESTED, False, 5)),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_a_store_charges(case: str) -> None:
    own, look, other, (source, takes_anchor, hours) = TABLE[case]
    known = effective(own, look, other)
    assert (known.source, known.takes_anchor, known.observed_at) == (source, takes_anchor, hour(hours))


LOOKS = st.builds(seen, st.integers(0, 60), day=st.sampled_from([None, 0, 1]), period=st.sampled_from([None, 0]))
TERMS = st.sampled_from([OLD, NEW])
ANCHORS = st.builds(
    Anchor,
    current_terms=st.none() | TERMS,
    changed_at=st.none() | st.integers(0, 60).map(hour),
    last_seen=st.none() | LOOKS,
    earlier_terms=st.none() | TERMS,
    earlier_seen=st.none() | LOOKS,
)


@given(own=TERMS, look=LOOKS, other=st.none() | ANCHORS)
def test_the_anchors_offer_is_taken_exactly_if_the_price_is_inferred(own, look, other) -> None:
    known = effective(own, look, other)
    assert known.source in (OWN, INFERRED, CONTESTED)
    assert known.takes_anchor is (known.source == INFERRED)
    if known.takes_anchor:
        assert other is not None
        assert other.current_terms is not None
    else:
        assert known.observed_at == look.at


@given(own=TERMS, look=LOOKS, other=ANCHORS)
def test_a_line_seen_since_the_anchors_last_change_charges_the_same_with_or_without_an_anchor(own, look, other) -> None:
    if other.changed_at is None or other.changed_at <= look.at:
        known = effective(own, look, other)
        assert (other.current_terms if known.takes_anchor else own) == own
