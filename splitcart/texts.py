"""Text from outside made safe to store and to compare: no control characters, no broken code points, a bound."""

import html
from re import Match

from splitcart.patterns import Pattern

LONGEST = 100_000
"""Characters of the longest text that is looked at: a page's, cut; nothing that is stored is near it."""
_CONTROL = Pattern(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+", most=LONGEST)
_TAG = Pattern(r"</?[A-Za-z][^<>]{0,500}>", most=LONGEST)
_ENTITY = Pattern(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", most=LONGEST)
"""With the semicolon that ends it: without, `Mac&regal` would be a trade mark, `Mac®al`."""


def unescape(text: str) -> str:
    """The text with HTML's entities as the signs that they mean: `Ben &amp; Jerry&#39;s`; every other `&` stays."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def readable(text: str) -> str:
    """A text of a page as people read it: without markup, its entities as the signs that they mean, escaped up to three
    times over (`Ben &amp;amp; Co`). A `<` that begins no tag stays."""
    for _ in range(3):
        if "&" not in text or (plain := unescape(text)) == text:
            break
        text = plain
    return untagged(text)


def untagged(text: str) -> str:
    """The text with a blank for each tag."""
    return _TAG.sub(" ", text) if "<" in text else text


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


def _replacement(run: Match[str]) -> str:
    return " " if run.group()[0] <= "\x9f" or run.group()[0] in "\u2028\u2029" else ""
