"""Text from outside made safe to store and to compare: no control characters, no broken code points, a bound."""

import html
from re import Match

from splitcart.patterns import IGNORE_CASE, Pattern

LONGEST = 100_000
"""The most characters of a text that are read. No stored text is nearly as long."""
_CONTROL = Pattern(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+", most=LONGEST)
_ENTITY = Pattern(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", most=LONGEST)
"""The semicolon is required: without it `Mac&regal` would become `Mac®al`."""
_JSON_ESCAPE = Pattern(r"\\u([0-9a-fA-F]{4})", most=LONGEST)
_COMMENT = Pattern(r"<!--[^<>]{0,500}-->", most=LONGEST)
_MARK_TAG = Pattern(r"<su[bp]>\s{0,9}(?:tm|sm|r|\(r\)|\(tm\))\s{0,9}</su[bp]>", LONGEST, IGNORE_CASE)
_INNER_TAG = Pattern(r"</?su[bp](?:\s[^<>]{0,100})?>", LONGEST, IGNORE_CASE)
"""Tags within a word: `m<sup>2</sup>`."""
_TAG = Pattern(r"</?[A-Za-z](?:(?:[^<>\"]|\"[^<\"]{0,200}\"){0,300}|[^<>]{0,500})>", most=LONGEST)
_SIGN = r"(?:[\u2122\u2120\u00ae\u00a9\u2117\u24c7]|\((?:tm|sm|r)\))"
_MARK = Pattern(_SIGN, LONGEST, IGNORE_CASE)
"""`™`, `℠`, `®`, `©`, `℗`, `Ⓡ`, and their typed forms such as `(TM)`."""
_OWNERS_MARK = Pattern(rf"{_SIGN}(?='s(?![a-z]))", LONGEST, IGNORE_CASE)
_SPACE_BEFORE_SIGN = Pattern(r"(?<=\w) +(?=[,;:!?)](?:\s|$))", most=LONGEST)
APOSTROPHES = (
    "\u2018\u2019\u201b\u2032\u2035\u00b4`\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u0384\u0374\u055a"
    "\u05f3\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u275b\u275c\ua78c\uff07\uff40\x91\x92"
)
"""Signs that are used for an apostrophe; \x91 and \x92 are quotation marks of Windows-1252 that were read as
Latin-1."""
_STRAIGHT = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def unescape(text: str) -> str:
    """The text with HTML entities as the signs that they stand for: `Ben &amp; Jerry&#39;s`. Any other `&` stays."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def readable(text: str) -> str:
    """A text of a page as people read it: without markup, and with entities, escaped up to three times over (`Ben
    &amp;amp; Co`), as the signs that they stand for. A `<` that does not begin a tag stays."""
    if "\\u" in text:
        text = _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    for _ in range(3):
        if "&" not in text or (plain := unescape(text)) == text:
            break
        text = plain
    return untagged(text)


def untagged(text: str) -> str:
    """The text with a space for each tag, but none for a tag within a word, or before a comma or another such sign."""
    if "<" not in text:
        return text
    plain = _INNER_TAG.sub("", _MARK_TAG.sub("\u2122", _COMMENT.sub(" ", text)))
    return _SPACE_BEFORE_SIGN.sub("", _TAG.sub(" ", plain)) if "<" in plain else plain


def without_marks(text: str) -> str:
    """A name or brand with straight apostrophes, and with a space for each trade mark, so that no two words become one:
    `Huggies™Ultra Dry` is Huggies Ultra Dry."""
    if "(" not in text and text.isascii() and "`" not in text:
        return text
    straight = text.translate(_STRAIGHT)
    plain = _MARK.sub(" ", _OWNERS_MARK.sub("", straight))
    return straight if plain == straight else _SPACE_BEFORE_SIGN.sub("", plain)


def clean(value: object, limit: int = 300) -> str | None:
    """The text of at most `limit` characters, trimmed, each run of white space one space; None when nothing is left.

    Anything that is not a str is None. Zero-width marks vanish, other control characters count as white space, and
    lone surrogates (which no UTF-8 column takes) vanish.
    """
    if not isinstance(value, str):
        return None
    if len(value) <= limit and value.isascii() and value.isprintable() and "  " not in value:
        return value.strip() or None  # nearly every text; what follows takes ten times as long
    kept = value[: limit * 4].encode("utf-8", "ignore").decode("utf-8")
    kept = " ".join(_CONTROL.sub(_replacement, kept).split())
    return kept[:limit].rstrip() or None


def _replacement(run: Match[str]) -> str:
    return " " if run.group()[0] <= "\x9f" or run.group()[0] in "\u2028\u2029" else ""
