"""Reads the data in scripts of pages: that of Next.js, and JSON-LD. Bounded; None or empty if there is none."""

import json
from collections.abc import Iterator
from itertools import islice

from splitcart.patterns import IGNORE_CASE, Pattern

LARGEST_PAGE = 16 * 1024 * 1024
LONGEST_TAG = 1000
"""Characters of the longest script tag that is read; a storefront's is never longer."""
_BEGIN = Pattern(r"<script(?![\w-])", LARGEST_PAGE, IGNORE_CASE)
_END = Pattern(r"</script(?![\w-])", LARGEST_PAGE, IGNORE_CASE)
_NEXT = Pattern(r"""(?<![\w-])id\s*=\s*["']?__NEXT_DATA__(?![\w-])""", LONGEST_TAG, IGNORE_CASE)
_JSON_LD = Pattern(r"""(?<![\w-])type\s*=\s*["']?application/ld\+json(?![\w-])""", LONGEST_TAG, IGNORE_CASE)
_MOST_SCRIPTS = 2000
_MOST_BLOCKS = 20


def next_data(html: object) -> dict | None:
    """The object in a page's `__NEXT_DATA__` script; None for a page without one (blocked, another page, cut off)."""
    script = next((inner for attributes, inner in _scripts(html) if _NEXT.search(attributes)), None)
    body = None if script is None else _decoded(script)
    return body if isinstance(body, dict) else None


def json_ld(html: object) -> list:
    """The decoded `application/ld+json` blocks of a page, of the first 20; broken ones are left out."""
    scripts = (inner for attributes, inner in _scripts(html) if _JSON_LD.search(attributes))
    blocks = [_decoded(inner) for inner in islice(scripts, _MOST_BLOCKS)]
    return [block for block in blocks if block is not None]


def _scripts(html: object) -> Iterator[tuple[str, str]]:
    """Attributes and text of each complete script, of the first 2,000. No part of the page is read twice: a script
    without an end tag is the last, and the next one is searched after the end of the one before."""
    if not isinstance(html, str) or len(html) > LARGEST_PAGE:
        return
    begin = _BEGIN.search(html)
    for _ in range(_MOST_SCRIPTS):
        if begin is None:
            return
        close = html.find(">", begin.end())
        end = _END.search(html, close + 1) if close >= 0 else None
        if end is None:
            return
        if close - begin.end() <= LONGEST_TAG:
            yield html[begin.end() : close], html[close + 1 : end.start()]
        begin = _BEGIN.search(html, end.end())


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
