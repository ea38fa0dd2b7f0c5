"""Data that pages carry in their scripts: Next.js' own, and JSON-LD. Bounded, and None or empty where there is none."""

import json
import re

LARGEST_PAGE = 16 * 1024 * 1024
_SCRIPT = re.compile(r"<script\b([^>]{0,1000})>(.*?)</script\s*>", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"</script\s*>", re.IGNORECASE)
_NEXT = re.compile(r"""\bid\s*=\s*["']?__NEXT_DATA__\b""")
_JSON_LD = re.compile(r"""\btype\s*=\s*["']?application/ld\+json\b""", re.IGNORECASE)
_MOST_BLOCKS = 20


def next_data(html: object) -> dict | None:
    """The object in a page's `__NEXT_DATA__` script; None for a page without one (blocked, another page, cut off)."""
    found = next((inner for attributes, inner in _scripts(html) if _NEXT.search(attributes)), None)
    body = None if found is None else _decoded(found)
    return body if isinstance(body, dict) else None


def json_ld(html: object) -> list:
    """The decoded `application/ld+json` blocks of a page; broken ones are left out."""
    blocks = [_decoded(inner) for attributes, inner in _scripts(html) if _JSON_LD.search(attributes)]
    return [block for block in blocks[:_MOST_BLOCKS] if block is not None]


def _scripts(html: object) -> list[tuple[str, str]]:
    if not isinstance(html, str) or len(html) > LARGEST_PAGE:
        return []
    ends = [match.end() for match in _END.finditer(html)]
    # Behind the last end no script is whole; looking for its end from each opening takes a minute of a hostile page.
    return [(match[1], match[2]) for match in _SCRIPT.finditer(html, 0, ends[-1])] if ends else []


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
