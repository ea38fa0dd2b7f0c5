"""Specials periods: weeks that begin at a company's flip, in the store's own time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Flip:
    """When a company's specials change, in store-local time."""

    weekday: int = 2
    """0 is Monday; Wednesday by default."""
    hour: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.weekday <= 6 and 0 <= self.hour <= 23):
            raise ValueError(f"flip {self.weekday}/{self.hour}: the weekday is 0 (Monday) to 6, the hour 0 to 23")


def period_start(flip: Flip, tz: str, when: datetime) -> datetime:
    """The UTC moment of the last flip at or before `when` (aware) for a store in the IANA timezone `tz`.

    A flip hour that daylight saving skips or repeats means its first occurrence. ValueError: a naive `when`, an
    unknown zone.
    """
    zone = _zone(tz)
    local = _aware(when).astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - flip.weekday) % 7)
    start = datetime.combine(day, time(flip.hour), zone).astimezone(UTC)
    if start > when:
        start = datetime.combine(day - _WEEK, time(flip.hour), zone).astimezone(UTC)
    return start


def next_flip(flip: Flip, tz: str, when: datetime) -> datetime:
    """The UTC moment of the first flip after `when`; errors as in `period_start`."""
    zone = _zone(tz)
    day = period_start(flip, tz, when).astimezone(zone).date() + _WEEK
    return datetime.combine(day, time(flip.hour), zone).astimezone(UTC)


def crosses(flip: Flip, tz: str, a: datetime, b: datetime) -> bool:
    """Whether a flip lies between the two moments (after the earlier, at or before the later), whatever their order."""
    return period_start(flip, tz, a) != period_start(flip, tz, b)


def _aware(when: datetime) -> datetime:
    if when.utcoffset() is None:
        raise ValueError(f"{when!r} is naive: give an aware time")
    return when


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"timezone {tz!r} is unknown: use an IANA name such as Australia/Sydney") from error
