import json

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, TextResponse
from scrapy.utils.test import get_crawler

from splitcart_spiders.errors import BlockedError
from splitcart_spiders.middlewares import ROBOTS_META
from splitcart_spiders.middlewares.blocks import BlocksMiddleware, block_reason, is_html
from splitcart_spiders.middlewares.gate import Gate

AKAMAI = b"""<HTML><HEAD>
<TITLE>Access Denied</TITLE>
</HEAD><BODY>
<H1>Access Denied</H1>
You don't have permission to access "http&#58;&#47;&#47;www&#46;woolworths&#46;com&#46;au&#47;" on this server.<P>
Reference&#32;&#35;18&#46;4d1f1502&#46;1700000000&#46;1a2b3c
<P>https&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;4d1f1502
</BODY></HTML>"""
IMPERVA = b"""<html lang="en"><head><title>Pardon Our Interruption</title><script>var a = 1;</script></head>
<body><h1>Pardon Our Interruption</h1><p>As you were browsing something made us think.</p>%s</body></html>"""
INCAPSULA = b"""<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body>
<iframe src="/_Incapsula_Resource?SWUDNSAI=31">Request unsuccessful. Incapsula incident ID: 1-2</iframe>
</body></html>"""
SCRIPT_ONLY = b'<html><head></head><body><script src="/_Incapsula_Resource?SWJIYLWA=719d"></script></body></html>'
CLOUDFLARE = b'<!DOCTYPE html><html><head><title>Just a moment...</title></head><body class="no-js">%s</body></html>'
ATTENTION = b"<html><head><title>Attention Required! | Cloudflare</title></head><body>%s</body></html>"
LONG = b"<p>long</p>" * 3000


@pytest.mark.parametrize(
    ("status", "body", "owner"),
    [
        (403, AKAMAI, "akamai"),
        (200, AKAMAI, "akamai"),
        (200, AKAMAI.replace(b"Access Denied", b"Sorry"), "akamai"),
        (200, IMPERVA % b"", "imperva"),
        (429, IMPERVA % LONG, "imperva"),
        (200, INCAPSULA, "imperva"),
        (200, SCRIPT_ONLY, "imperva"),
        (503, CLOUDFLARE % LONG, "cloudflare"),
        (403, ATTENTION % LONG, "cloudflare"),
        (403, b'{"statusCode": 403}', "denied"),
        (401, b"", "denied"),
        (403, b"<html><title>Forbidden</title></html>", "denied"),
    ],
)
def test_a_block_page_is_recognised_by_its_text_at_any_status(status, body, owner):
    assert block_reason(status, body) == owner


GOOD_PAGE = b"""<html><head><title>Access Denied Board Game | Shop</title>
<script src="/_Incapsula_Resource?x=1"></script><script>var t = "<title>Access Denied</title>";</script></head>
<body><h1>Just a moment candle</h1>akamai %s</body></html>"""


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(
            {"Name": "Access Denied", "Text": "<title>Access Denied</title> edgesuite _Incapsula_Resource"}
        ).encode(),
        b'\xef\xbb\xbf  [{"name": "<h1>Pardon Our Interruption</h1>"}]',
        GOOD_PAGE % LONG,
        b'<html><script id="__NEXT_DATA__" type="application/json">{"x": "_Incapsula_Resource"}</script></html>',
        b"<html><body>akamai</body></html>",
        b"<html><body>" + LONG + b"&lt;h1&gt;Access Denied&lt;/h1&gt;</body></html>",
        b"",
    ],
)
def test_a_product_may_be_called_like_a_block_page(body):
    assert block_reason(200, body) is None


@pytest.mark.parametrize("status", [200, 404, 400, 500, 503, 429])
def test_an_error_page_is_not_a_block_page(status):
    assert block_reason(status, b"<html><title>Something went wrong</title></html>") is None


@pytest.mark.parametrize(
    ("body", "page"), [(b" \r\n<!doctype html>", True), (b"\xef\xbb\xbf<html>", True), (b'{"a": "<"}', False)]
)
def test_a_page_is_recognised_by_its_first_character(body, page):
    assert is_html(body) is page


def blocks_and_gate():
    crawler = get_crawler()
    return BlocksMiddleware.from_crawler(crawler), Gate.of(crawler)


def test_a_block_page_shuts_the_gate_and_reaches_the_errback():
    blocks, gate = blocks_and_gate()
    request = Request("https://www.woolworths.com.au/apis/ui/browse/category")
    with pytest.raises(BlockedError, match=r"www\.woolworths\.com\.au.*akamai, 403"):
        blocks.process_response(request, HtmlResponse(request.url, status=403, body=AKAMAI))
    assert isinstance(gate.error, BlockedError)


@pytest.mark.parametrize("meta", [{ROBOTS_META: True}, {"judge_blocks": False}])
def test_robots_txt_and_the_browsers_page_are_judged_by_their_own_readers(meta):
    blocks, gate = blocks_and_gate()
    request = Request("https://www.coles.com.au/robots.txt", meta=meta)
    response = HtmlResponse(request.url, status=403, body=AKAMAI)
    assert blocks.process_response(request, response) is response
    assert gate.error is None


def test_an_answer_passes():
    blocks, gate = blocks_and_gate()
    request = Request("https://api.aldi.com.au/v3/product-search")
    response = TextResponse(request.url, body=b'{"data": []}')
    assert blocks.process_response(request, response) is response
    assert gate.error is None
