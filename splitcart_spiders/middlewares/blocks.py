"""Recognises denials, interstitials and challenges, whatever their status, and ends the crawl."""

from collections.abc import Iterator
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from splitcart import cleaning
from splitcart.patterns import IGNORE_CASE, Pattern
from splitcart_spiders.errors import BlockedError
from splitcart_spiders.middlewares import ROBOTS_META, host_of
from splitcart_spiders.middlewares.gate import Gate

DENIED = frozenset({401, 403})
HEADINGS = (
    ("akamai", Pattern("access denied", 200)),
    ("imperva", Pattern("pardon our interruption", 200)),
    ("imperva", Pattern(r"request unsuccessful\b.*", 200)),
    ("cloudflare", Pattern("just a moment", 200)),
    ("cloudflare", Pattern(r"attention required! \| cloudflare", 200)),
    (
        "challenge",
        Pattern("(are you a robot|robot or human|human verification|verify(ing)? (that )?you are human)", 200),
    ),
)
"""The owner of a block page, and the whole of its title or h1 (lower case, without trailing punctuation)."""
MARKERS = (
    ("akamai", "you don't have permission"),
    ("akamai", "edgesuite"),
    ("imperva", "_incapsula_resource"),
    ("imperva", "incapsula incident"),
    ("cloudflare", "cf-chl"),
    ("cloudflare", "cf_chl_"),
)
"""The owner, and a text that a short page has only if it is a block page; long honest pages have the same scripts."""
SHORT = 4096
"""Bytes. Denials seen so far have 212 to 400; the smallest honest page of these sites has more than 20,000."""
HEAD = 65536
"""Bytes read of a page: they include its title and first heading."""
_TAG = Pattern("<(/?)(title|h1|script|style)(?![a-z0-9-])[^<>]{0,1000}>?", HEAD, IGNORE_CASE)
"""Tags of the elements that are read, and of those that must not be."""
_UNSEEN = ("script", "style")
DATA_PAGE = '<script id="__next_data__"'
"""A storefront's page with its data in it: never a block page."""


def block_reason(status: int, body: bytes) -> str | None:
    """Whose block page an answer is (`akamai`, `imperva`, `cloudflare`, `challenge`), `denied` for any other 401 or
    403, None for anything else.

    Only the title, the first heading and the text of short pages are read, never JSON: products may be called anything.
    The word akamai is not evidence: honest pages have it, and Akamai's denial does not.
    """
    text = body[:HEAD].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return (None if text[:1] in {"{", "["} else page_reason(text, len(body))) or (
        "denied" if status in DENIED else None
    )


def page_reason(text: str, size: int) -> str | None:
    """Whose block page a page is, if it is one; `size` is that of the whole page in bytes."""
    if DATA_PAGE in text.casefold():
        return None
    for inner in _headings(text):
        heading = plain(without_tags(inner)).strip(" .\u2026")
        for owner, pattern in HEADINGS:
            if pattern.fullmatch(heading):
                return owner
    if size <= SHORT:
        shown = plain(text)
        return next((owner for owner, marker in MARKERS if marker in shown), None)
    return None


def _headings(text: str) -> Iterator[str]:
    """The content of each title and h1 of a page, without scripts and styles. Reads the page once, from tag to tag: an
    element that is interrupted by the start of another one is left out."""
    name, start, visible = "", 0, _visible(text)
    for tag in _TAG.finditer(visible):
        ends, element = bool(tag[1]), tag[2].lower()
        if not ends:
            name, start = element, tag.end()
        elif element == name:
            yield visible[start : tag.start()]
            name = ""


def _visible(text: str) -> str:
    """The page with a blank for each script and style; one without an end tag extends to the end of the page."""
    kept, hidden, start = [], "", 0
    for tag in _TAG.finditer(text):
        ends, element = bool(tag[1]), tag[2].lower()
        if not hidden and not ends and element in _UNSEEN:
            kept.append(text[start : tag.start()])
            hidden = element
        elif hidden == element and ends:
            hidden, start = "", tag.end()
    return " ".join([*kept, "" if hidden else text[start:]])


def without_tags(text: str) -> str:
    """The text with a blank for each tag."""
    first, *parts = text.split("<")
    return " ".join([first, *(part.partition(">")[2] for part in parts)])


def plain(text: str) -> str:
    """Text as a reader compares it: unescaped (Akamai escapes every full stop), lower case, single blanks."""
    return " ".join(cleaning.unescape(text).split()).replace("\u2019", "'").casefold()


def is_html(body: bytes) -> bool:
    """Whether a body is a page, by its first character: content types are wrong in both directions."""
    return body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


class BlocksMiddleware:
    """Shuts the gate on the first block page; the errback of its request receives the BlockedError.

    An answer to a request with meta `judge_blocks` False (the browser's page, which an operator may see) passes.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.gate = Gate.of(crawler)
        self.stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """The response, or BlockedError."""
        if request.meta.get(ROBOTS_META) or request.meta.get("judge_blocks") is False:
            return response
        owner = block_reason(response.status, response.body)
        if owner is None:
            return response
        if self.stats:
            self.stats.inc_value(f"splitcart/blocks/{owner}")
        error = BlockedError(
            f"{host_of(request)} answered {request.url} with a block page ({owner}, {response.status})."
        )
        self.gate.shut(error)
        raise error
