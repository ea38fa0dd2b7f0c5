"""Pages made to keep the event loop busy: every reader of pages looks at each part of one a fixed number of times."""

import json
import time

import pytest

from splitcart_spiders.crawl import pages
from splitcart_spiders.middlewares.blocks import HEAD, block_reason, plain, without_tags
from splitcart_spiders.spiders.iga_stores import STORE_DATA, called_with

SECONDS = 10
"""Seconds of processor time: a hundred times what one reading needs, at most a tenth of what repeated reading takes."""
PIECES = (
    *("<h1>", "<h1", "<h1 ", "<title>", "<title><h1>", "<h1>a</title>", "</h1>", "<script>", "<script", "<style>"),
    *(
        "<script></style>",
        "<script>x</script ",
        "</script",
        "</script>",
        "<",
        ">",
        "<<>",
        "&",
        "&#",
        "&#9",
        "&#x9",
        " ",
    ),
    *(
        "<h1>&#32;</h1>",
        "(",
        ")",
        "cb(",
        " )",
        ";",
        '"',
        "data-storedata=",
        "data-storedata='",
    ),
    'data-storedata="',
    *("<script id=__NEXT_DATA__>", "<script type=application/ld+json>", "<script>{</script>"),
)


def check_within(seconds: float, read, *texts):
    begun = time.process_time()
    for text in texts:
        read(text)
    assert time.process_time() - begun < seconds


@pytest.mark.parametrize("piece", PIECES)
def test_a_page_is_distinguished_from_a_block_page_in_little_time(piece):
    body = (piece * HEAD)[: 4 * HEAD].encode()
    check_within(
        SECONDS / 5, lambda text: block_reason(200, text), body, b"<html>" + body, b"<h1>" + body[:4000] + b"</h1>"
    )


@pytest.mark.parametrize("piece", PIECES)
def test_the_data_of_a_page_is_found_in_no_time(piece):
    page = piece * (4_000_000 // len(piece))
    check_within(SECONDS, pages.next_data, page, f"{page}</script>", f'<script id="__NEXT_DATA__">{page}</script>')
    check_within(SECONDS, pages.json_ld, page, f"{page}</script>")


@pytest.mark.parametrize("piece", PIECES)
def test_a_call_with_data_is_read_in_no_time(piece):
    text = piece * (4_000_000 // len(piece))
    check_within(SECONDS, called_with, text, f"cb({text})", f"{text}(", f"({text}", f"cb({text}); ")
    check_within(SECONDS, lambda text: list(STORE_DATA.finditer(text)), text, f"data-storedata=\"{text}'")


@pytest.mark.parametrize(
    ("script", "data"),
    [
        ('cb({"a": 1})', '{"a": 1}'),
        (' jQuery.cb_1 ({"a": "(x)"}) ; \n', '{"a": "(x)"}'),
        ('({"a": 1});', '{"a": 1}'),
        ('{"a": "(x)"}', '{"a": "(x)"}'),
        ('{"a": "(x)', '{"a": "(x)'),
        ("", ""),
    ],
)
def test_the_argument_of_a_call_is_read(script, data):
    assert called_with(script) == data


def test_only_twenty_blocks_of_data_are_decoded(monkeypatch):
    decoded = []
    monkeypatch.setattr(pages, "json", json_counting(decoded))
    assert len(pages.json_ld('<script type="application/ld+json">{}</script>' * 1000)) == 20
    assert len(decoded) == 20


def json_counting(decoded):
    class Json:
        @staticmethod
        def loads(text):
            decoded.append(text)
            return json.loads(text)

    return Json


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<SCRIPT data-x="1" ID = "__NEXT_DATA__">{"a": 1}</SCRIPT >', {"a": 1}),
        ('<script>1</script><script id="__NEXT_DATA__">{"a": "<script>"}</script>', {"a": "<script>"}),
        ('<script id="not-__NEXT_DATA__x">{"a": 1}</script>', None),
        ('<scripts id="__NEXT_DATA__">{"a": 1}</scripts>', None),
        (f'<script {"x" * 2000} id="__NEXT_DATA__">{{"a": 1}}</script>', None),
        ('<script id="__NEXT_DATA__">' + "1" * 5000 + "</script>", None),
    ],
)
def test_the_data_of_a_page_is_that_of_its_own_script(html, found):
    assert pages.next_data(html) == found


@pytest.mark.parametrize(
    ("page", "owner"),
    [
        ("<title>Access <b>Denied</b></title>", "akamai"),
        ('<h1 class="x">Pardon&#32;Our <script>var x;</script>Interruption</h1>', "imperva"),
        ("<H1\n>Just a moment&#46;&#46;&#46;</H1>", "cloudflare"),
        ("<h1><h1>Access Denied</h1>", "akamai"),
        ("<script><h1>Access Denied</h1>", None),
        ("<style><title>Access Denied</title></style>", None),
        ("<script></style><h1>Access Denied</h1></script>", None),
        ("<h1>Access Denied", None),
        ("<h12>Access Denied</h12>", None),
        ("<title-card>Access Denied</title-card>", None),
        (f"<h1>{'x' * 500} Access Denied</h1>", None),
    ],
)
def test_the_headings_of_a_page_show_its_owner(page, owner):
    assert block_reason(200, page.encode() + b"<p>long</p>" * 3000) == owner


def test_an_entity_of_any_number_is_text():
    assert plain("A&#" + "9" * 5000 + ";") == "a&#" + "9" * 5000 + ";"
    assert block_reason(403, b"<h1>&#" + b"9" * 5000 + b";</h1>") == "denied"
    assert without_tags("a<b>c<d") == "a c "
