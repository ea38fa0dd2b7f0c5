"""The settings and records of grouping, and when a store's prices are recent enough to decide by.

A group is stores of one company that charge the same; its anchor is the store whose prices are used for the others.
`compare` compares stores, `plan` decides.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, overload
from zoneinfo import ZoneInfo

from splitcart.grouping.columns import Flags, Ints
from splitcart.patterns import Pattern
from splitcart.periods import Flip, period_start
from splitcart.timezones import DEFAULT_ZONE

_DIGITS = Pattern(r"([0-9]+)", most=200)


def natural_key(store_code: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """The sort key of store codes in natural order: 2 before 10, S2 before S10. Codes that differ never tie."""
    parts = (part for part in _DIGITS.split(store_code) if part)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts), store_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings of grouping. Shares are exact fractions, so that no decision depends on rounding."""

    join: Fraction = Fraction(98, 100)
    """Two anchors match when at least this share of their common lines is equal."""
    leave: Fraction = Fraction(97, 100)
    """A member leaves below this share; lower than `join`, so that a store near it does not come and go."""
    overlap: Fraction = Fraction(1, 2)
    """Two stores match only if their common lines are at least this share of the smaller range."""
    fresh: timedelta = timedelta(hours=72)
    flip: Flip = field(default_factory=Flip)

    def __post_init__(self) -> None:
        if not 0 < self.leave <= self.join <= 1 or not 0 <= self.overlap <= 1:
            raise ValueError(
                f"join {self.join}, leave {self.leave}, overlap {self.overlap}: must be 0 < leave <= join <= 1"
            )

    @classmethod
    def at(cls, threshold: float | str, *, flip: Flip | None = None, fresh_hours: float = 72) -> "Rules":
        """Rules that join at `threshold` (0.98) and leave one point below it. ValueError: outside 0.5 to 1."""
        try:
            join = Fraction(str(threshold))
        except (ValueError, ZeroDivisionError):
            join = Fraction(0)
        if not Fraction(1, 2) <= join <= 1:
            raise ValueError(f"threshold {threshold}: a share between 0.5 and 1, such as 0.98")
        return cls(join=join, leave=join - Fraction(1, 100), fresh=timedelta(hours=fresh_hours), flip=flip or Flip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What grouping knows of one store besides its prices. All stores of one plan belong to one company."""

    store_code: str
    anchor: str | None
    """The store_code of its group's anchor; its own for an anchor; None for a store that has no group yet."""
    complete_at: datetime | None = None
    """The end of its last complete run."""
    verified_at: datetime | None = None
    """The last probe that agreed with what was known of its prices."""
    touched_at: datetime | None = None
    """The end of the last run that published anything, complete or not; None: the last complete one."""
    timezone: str = DEFAULT_ZONE
    closed: bool = False
    fulfilled_by: str | None = None
    """The store that the site answers for in this one's place: both are always in one group."""


def is_fresh(store: Store, rules: Rules, now: datetime) -> bool:
    """Whether the store's own last complete run is recent enough to decide by."""
    return not store.closed and store.complete_at is not None and now - store.complete_at <= rules.fresh


def has_agreed(store: Store, rules: Rules, now: datetime) -> bool:
    """Whether a probe since the last complete run agreed in the present specials period."""
    verified = store.verified_at
    if store.closed or verified is None or (store.complete_at is not None and store.complete_at > verified):
        return False
    return week(store, rules, verified) == week(store, rules, now)


def week(store: Store, rules: Rules, when: datetime) -> date:
    """The local date on which the specials period of `when` began; the same for stores in other time zones."""
    return period_start(rules.flip, store.timezone, when).astimezone(ZoneInfo(store.timezone)).date()


def period(store: Store, rules: Rules, when: datetime | None) -> date | None:
    """The specials period that the store's prices belong to when it was seen at `when`.

    None if it was never seen, or if a later incomplete run has mixed in prices of another period.
    """
    if when is None:
        return None
    own = week(store, rules, when)
    mixed = store.touched_at is not None and store.touched_at > when and week(store, rules, store.touched_at) != own
    return None if mixed else own


@overload
def reaches(part: int, total: int, share: Fraction) -> bool: ...
@overload
def reaches(part: Ints, total: Ints, share: Fraction) -> Flags: ...
def reaches(part: Any, total: Any, share: Fraction) -> Any:
    """Whether `part` is at least this share of `total`, without rounding; of arrays, element by element."""
    return part * share.denominator >= total * share.numerator


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stores' lines side by side; a line is a listing that a store ranges and prices."""

    common: int
    """Lines that both have; if `exact` is False, the most that they can have."""
    differ: int
    """Common lines whose offers differ; if `exact` is False, those counted before the comparison was given up."""
    smaller: int
    """Number of lines of the store that has fewer."""
    exact: bool = True

    def matches(self, share: Fraction, overlap: Fraction = Fraction(1, 2)) -> bool | None:
        """Whether at least `share` of the common lines are equal, and the common lines are at least `overlap` of the
        smaller range. None: the comparison was given up, and does not decide for this share.
        """
        alike = reaches(self.common - self.differ, self.common, share)
        if not self.exact:
            return None if alike else False
        enough = reaches(self.common, self.smaller, overlap)
        return self.common > 0 and enough and alike

    def __str__(self) -> str:
        if not self.exact:
            return f"{self.differ} lines differ already, of at most {self.common} in common"
        share = 100 * (self.common - self.differ) / self.common if self.common else 0
        return f"{share:.2f}% of {self.common} common lines are equal ({self.smaller} in the smaller range)"


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing decided about one store, and why."""

    store_code: str
    action: str
    """adopted, reanchored, closed, fulfilled, stays, waits, ejected, flagged, merged, moved, drifted, widened,
    apart."""
    other: str | None
    """The store that it was judged against: its anchor, or another anchor."""
    reason: str

    def __str__(self) -> str:
        return f"{self.store_code} {self.action}{f' ({self.other})' if self.other else ''}: {self.reason}"
