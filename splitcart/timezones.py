"""The state and the time zone of an Australian address: specials flip at the store's own midnight."""

from bisect import bisect_right
from zoneinfo import ZoneInfo

from splitcart.patterns import Pattern

BY_STATE = {
    "NSW": "Australia/Sydney",
    "ACT": "Australia/Sydney",
    "VIC": "Australia/Melbourne",
    "QLD": "Australia/Brisbane",
    "SA": "Australia/Adelaide",
    "WA": "Australia/Perth",
    "TAS": "Australia/Hobart",
    "NT": "Australia/Darwin",
}
DEFAULT_ZONE = BY_STATE["NSW"]
"""The zone of a store whose own zone is not known."""
# Post offices that keep another time than their state.
BY_POSTCODE = {
    "2880": "Australia/Broken_Hill",
    "2898": "Australia/Lord_Howe",
    "2899": "Pacific/Norfolk",
    "6443": "Australia/Eucla",
    "6798": "Indian/Christmas",
    "6799": "Indian/Cocos",
}
NAMES = {
    "NEW SOUTH WALES": "NSW",
    "AUSTRALIAN CAPITAL TERRITORY": "ACT",
    "VICTORIA": "VIC",
    "QUEENSLAND": "QLD",
    "SOUTH AUSTRALIA": "SA",
    "WESTERN AUSTRALIA": "WA",
    "TASMANIA": "TAS",
    "NORTHERN TERRITORY": "NT",
}
_RANGES = (
    *((200, "ACT"), (300, None), (800, "NT"), (1000, "NSW"), (2600, "ACT"), (2619, "NSW"), (2900, "ACT")),
    *((2921, "NSW"), (3000, "VIC"), (4000, "QLD"), (5000, "SA"), (6000, "WA"), (7000, "TAS"), (8000, "VIC")),
    *((9000, "QLD"), (10_000, None)),
)
"""The first postcode of each range, with its state (Australia Post). Some places at a border have a postcode of the
other state's range, so the state that a chain gives comes first."""
_STARTS = [start for start, _ in _RANGES]
_POSTCODE = Pattern(r"(?:[A-Za-z]{2,3}[ ,]+)?([0-9]{3,4})(?:\.0+)?(?:[ ,]+[A-Za-z]{2,3})?", most=40)


def postcode(value: object) -> str | None:
    """The postcode as four digits: `0800` for 800, `0870` for `NT 0870`; None if it is not in any state's range."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _POSTCODE.fullmatch(str(value).strip()) if isinstance(value, str) or 0 <= value < 10_000 else None
    code = match[1].zfill(4) if match else ""
    return code if code and state_of(code) else None


def state_of(postcode: str | None) -> str | None:
    """The state in whose range a postcode of four digits lies."""
    if postcode is None or len(postcode) != 4 or not (postcode.isascii() and postcode.isdecimal()):
        return None
    place = bisect_right(_STARTS, int(postcode))
    return _RANGES[place - 1][1] if place else None


def state_code(state: str | None) -> str | None:
    """`WA` for `WA`, `wa`, `W.A.`, `AU-WA` or `Western Australia`; None for anything else."""
    name = " ".join((state or "").replace(".", "").split()).upper().removeprefix("AU-")
    code = NAMES.get(name, name)
    return code if code in BY_STATE else None


def zone_for(state: str | None, postcode: str | None) -> str | None:
    """The IANA zone of an address; None if it follows from neither the state nor the postcode."""
    special = BY_POSTCODE.get((postcode or "").strip())
    return special or BY_STATE.get(state_code(state) or state_of(postcode) or "")


def zone_called(name: str | None) -> str | None:
    """The IANA zone of that name; None if it is not one (`AUS Eastern Standard Time`, `+10:00`)."""
    try:
        return ZoneInfo(name).key if name and "/" in name else None
    except (ValueError, OSError, KeyError):
        return None
