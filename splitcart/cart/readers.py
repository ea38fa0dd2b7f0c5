"""Reads values of untrusted documents. The ValueError for a value names its place, the value, and what is accepted."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from splitcart import cleaning

MAX_TEXT = 300


def refuse(where: str, value: object, accepted: str) -> NoReturn:
    """Raises the ValueError of this module: the place, the value (cut), and what is accepted."""
    shown = repr(value)
    raise ValueError(f"{where}: {shown[:80]}{'...' if len(shown) > 80 else ''} is not accepted; give {accepted}")


def integer(value: object, where: str, least: int, most: int) -> int:
    """A whole number within the limits; no bool, no float."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        refuse(where, value, f"a whole number from {least} to {most}")
    return value


def flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        refuse(where, value, "true or false")
    return value


def text(value: object, where: str, limit: int = MAX_TEXT) -> str:
    """Text without control characters, trimmed, not empty, of at most `limit` characters."""
    cleaned = cleaning.clean(value, limit + 1)
    if cleaned is None or len(cleaned) > limit:
        refuse(where, value, f"a text of 1 to {limit} characters")
    return cleaned


def one_of(value: object, where: str, accepted: Iterable[str | None]) -> Any:
    known = list(accepted)
    if not isinstance(value, str | None) or value not in known:
        refuse(where, value, "one of " + ", ".join("null" if each is None else each for each in known))
    return value


def number(value: object, where: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        refuse(where, value, f"a number from {least:g} to {most:g}")
    return float(value)


def moment(value: object, where: str) -> str:
    """An ISO time with its offset from UTC, as it was written."""
    try:
        aware = isinstance(value, str) and len(value) <= 40 and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        refuse(where, value, "a time such as 2026-11-27T08:00:00+00:00")
    return str(value)


def entries(value: object, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        refuse(where, value if not isinstance(value, list) else f"{len(value)} entries", f"a list of at most {most}")
    return value


def keys(value: object, where: str, needed: Iterable[str], allowed: Iterable[str] = ()) -> Mapping[str, Any]:
    """An object with every needed key, and no other keys than these and the allowed ones."""
    if not isinstance(value, dict):
        refuse(where, value, "an object")
    must, may = list(needed), list(allowed)
    if value.keys() == set(must):
        return value
    missing = [key for key in must if key not in value]
    unknown = [key for key in value if key not in {*must, *may}]
    if missing:
        raise ValueError(f"{where}: the key {missing[0]} is missing; give {', '.join(must)}")
    if unknown:
        refuse(f"{where}: a key", unknown[0], f"of {', '.join([*must, *may])}")
    return value


def from_json(source: str, where: str) -> Any:
    """The value of a JSON text. ValueError: not JSON, a key twice in one object, NaN or infinity."""
    try:
        return json.loads(source, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: no JSON that is accepted here: {str(error)[:200]}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError(f"a key is given twice among {', '.join(str(key)[:40] for key, _ in pairs[:40])}")
    return record


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
