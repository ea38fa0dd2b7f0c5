"""The range of each setting, checked before a crawl begins. A value outside it is refused with a message that states
the range."""

import math
from collections.abc import Iterator
from urllib.parse import urlsplit

from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from splitcart.runs.verdict import Gates

DAY, YEAR = 86_400, 366 * 86_400
WHOLE: dict[str, tuple[int, int]] = {
    "LEASE_SECONDS": (1, DAY),
    "LOCATOR_LEASE_SECONDS": (1, 7 * DAY),
    "HOST_IN_FLIGHT": (1, 100),
    "RETRY_TIMES": (0, 100),
    "CONCURRENT_REQUESTS": (1, 1_000),
    "CONCURRENT_REQUESTS_PER_DOMAIN": (1, 1_000),
    "DOWNLOAD_MAXSIZE": (1, 2**31),
    "DOWNLOAD_WARNSIZE": (0, 2**31),
    "CLOSESPIDER_ITEMCOUNT": (0, 10**9),
    "CLOSESPIDER_PAGECOUNT": (0, 10**9),
    "CLOSESPIDER_ERRORCOUNT": (0, 10**9),
    "DEPTH_LIMIT": (0, 10**6),
    "REDIRECT_MAX_TIMES": (0, 100),
}
NUMBERS: dict[str, tuple[float, float]] = {
    "HEARTBEAT_SECONDS": (0.01, DAY),
    "HOST_RATE": (0.0001, 1_000),
    "RETRY_BACKOFF": (0, 3_600),
    "SESSION_MAX_AGE": (0, YEAR),
    "CLOCK_MOST_DAYS": (1, 100_000),
    "SCHEDULE_LOCKOUT_HOURS": (0, 1_000_000),
    "SCHEDULE_FAILURE_MINUTES": (0, 1_440),
    "LOCATE_DAYS": (0.01, 1_000_000),
    "LOCATE_AGAIN_HOURS": (0.01, 1_000_000),
    "MERGE_MINUTES": (0.01, 1_000_000),
    "CLOCK_AHEAD": (-1_000 * YEAR, 1_000 * YEAR),
    "DOWNLOAD_DELAY": (0, 3_600),
    "DOWNLOAD_DELAY_JITTER": (0, 10),
    "DOWNLOAD_TIMEOUT": (0.1, 3_600),
    "LOGSTATS_INTERVAL": (0, DAY),
    "PROGRESS_SECONDS": (0, DAY),
    "CLOSESPIDER_TIMEOUT": (0, YEAR),
}
"""Name -> the least and the most. Every number that an operator may set is in one of these two."""
YES_OR_NO = {"POLITE", "BROWSER", "KEEP_MARKETPLACE", "EXPORT_CATEGORIES"}
"""May be unset as well."""
NAMED = {"ROBOTS_UNAVAILABLE": ("stop", "allow")}


def check_settings(settings: BaseSettings) -> None:
    """Raises UsageError for the first setting that is out of its range; absent settings are not checked."""
    for wrong in _wrong(settings):
        raise UsageError(wrong, print_help=False)


def _wrong(settings: BaseSettings) -> Iterator[str]:
    for name, (least, most) in (WHOLE | NUMBERS).items():
        if name in settings and not least <= _number(settings.get(name), is_whole=name in WHOLE) <= most:
            kind = "a whole number" if name in WHOLE else "a number"
            yield f"{_quoted(name, settings)}: {kind} from {least:g} to {most:g} is wanted"
    for name in YES_OR_NO & set(settings):
        if str(settings.get(name)) not in ("None", "True", "False", "true", "false", "1", "0"):
            yield f"{_quoted(name, settings)}: 1 or 0 is wanted"
    for name, known in NAMED.items():
        if name in settings and settings.get(name) not in known:
            yield f"{_quoted(name, settings)}: {' or '.join(known)} is wanted"
    yield from _wrong_together(settings)


def _wrong_together(settings: BaseSettings) -> Iterator[str]:
    lease, beat = (_number(settings.get(name), is_whole=False) for name in ("LEASE_SECONDS", "HEARTBEAT_SECONDS"))
    if beat >= lease:
        yield f"HEARTBEAT_SECONDS={beat:g} is not less than LEASE_SECONDS={lease:g}: it would end between two beats"
    if settings.get("DEV_BASE_URL") and not _is_base(str(settings.get("DEV_BASE_URL"))):
        yield f"{_quoted('DEV_BASE_URL', settings)}: the sandbox's address is wanted, such as http://127.0.0.1:8000"
    contact = str(settings.get("CONTACT", ""))
    if not contact.isprintable() or not contact.isascii() or len(contact) > 200:
        yield f"{_quoted('CONTACT', settings)}: at most 200 ASCII characters are wanted, it is part of a header"
    try:
        Gates.of(settings.getdict("RUN_GATES"))
    except (ValueError, TypeError) as error:
        yield f"RUN_GATES: {error}"


def _number(value: object, *, is_whole: bool) -> float:
    """A setting's value as a number; NaN, which is outside every range, if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return math.nan
    if is_whole and isinstance(value, str) and not value.strip().removeprefix("-").isdecimal():
        return math.nan  # Scrapy does not accept 1e3 and 120.0 as integers
    return number if not is_whole or number.is_integer() else math.nan


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # a port that is not a number
        return False


def _quoted(name: str, settings: BaseSettings) -> str:
    return f"setting {name}={str(settings.get(name))[:40]!r}"
