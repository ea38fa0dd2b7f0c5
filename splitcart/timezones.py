"""The time zone of an Australian address: specials flip at the store's own midnight."""

from zoneinfo import ZoneInfo

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
# Post offices that keep another time than their state.
BY_POSTCODE = {
    "2880": "Australia/Broken_Hill",
    "2898": "Australia/Lord_Howe",
    "6443": "Australia/Eucla",
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


def state_code(state: str | None) -> str | None:
    """`WA` for `WA`, `wa` or `Western Australia`; None for what is no Australian state."""
    name = " ".join((state or "").split()).upper()
    code = NAMES.get(name, name)
    return code if code in BY_STATE else None


def zone_for(state: str | None, postcode: str | None) -> str | None:
    """The IANA zone of an address, None where neither state nor postcode tells."""
    special = BY_POSTCODE.get((postcode or "").strip())
    return special or BY_STATE.get(state_code(state) or "")


def zone_called(name: str | None) -> str | None:
    """The IANA zone of that name; None for what is none (`AUS Eastern Standard Time`, `+10:00`)."""
    try:
        return ZoneInfo(name).key if name and "/" in name else None
    except (ValueError, OSError, KeyError):
        return None
