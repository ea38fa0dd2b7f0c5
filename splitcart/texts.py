"""Text from outside made safe to store and to compare: no control characters, no broken code points, a bound."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")


def clean(value: object, limit: int = 300) -> str | None:
    """The text of at most `limit` characters, trimmed, each run of white space one space; None when nothing is left.

    Anything that is not a str is None. Zero-width marks vanish, other control characters count as white space, and
    lone surrogates (which no UTF-8 column takes) vanish.
    """
    if not isinstance(value, str):
        return None
    if len(value) <= limit and value.isascii() and value.isprintable() and "  " not in value:
        return value.strip() or None  # nearly every text, and what follows costs ten times as much
    kept = value[: limit * 4].encode("utf-8", "ignore").decode("utf-8")
    kept = " ".join(_CONTROL.sub(_replacement, kept).split())
    return kept[:limit].rstrip() or None


def _replacement(run: re.Match[str]) -> str:
    return " " if run.group()[0] <= "\x9f" or run.group()[0] in "\u2028\u2029" else ""
