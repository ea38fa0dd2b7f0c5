import asyncio
from types import SimpleNamespace

import pytest
from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.http import TextResponse

from splitcart_spiders.middlewares import chain_of, is_dev, manners_on
from splitcart_spiders.middlewares.dev import DevMiddleware, dev_url
from splitcart_spiders.spiders.iga_stores import IgaStoresSpider
from tests.support.manners import crawler_with

BASE = "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.woolworths.com.au", "http://127.0.0.1:8123/woolworths/"),
        ("https://www.woolworths.com.au/robots.txt", "http://127.0.0.1:8123/woolworths/robots.txt"),
        ("https://x.com.au/a%20b/c?d=1&e=%26#f", "http://127.0.0.1:8123/woolworths/a%20b/c?d=1&e=%26"),
        ("http://127.0.0.1:8123/woolworths/a", "http://127.0.0.1:8123/woolworths/a"),
        ("http://127.0.0.1:81234/a", "http://127.0.0.1:8123/woolworths/a"),
    ],
)
@pytest.mark.parametrize("base", [BASE, BASE + "/"])
def test_a_dev_url_keeps_path_and_query_under_the_chain(url, expected, base):
    assert dev_url(url, base, "woolworths") == expected


class Handlers:
    def __init__(self):
        self.asked = []

    async def download_request_async(self, request):
        self.asked.append(request)
        request.meta["download_latency"] = 0.1
        return TextResponse(request.url, body=b"{}")


def test_every_request_goes_to_the_sandbox_and_keeps_its_real_url():
    crawler = crawler_with({"DEV_BASE_URL": BASE}, dev=True, name="woolworths_stores")
    handlers = Handlers()
    crawler.engine = SimpleNamespace(downloader=SimpleNamespace(handlers=handlers))
    request = Request(
        "https://www.woolworths.com.au/apis/x?a=1",
        method="POST",
        body=b"{}",
        headers={"Cookie": "a=b"},
        meta={"proxy": "http://p"},
    )
    response = asyncio.run(DevMiddleware.from_crawler(crawler).process_request(request))
    sent = handlers.asked[0]
    assert (sent.url, sent.method, sent.body) == (BASE + "/woolworths/apis/x?a=1", "POST", b"{}")
    assert sent.headers["Cookie"] == b"a=b"
    assert "proxy" not in sent.meta
    assert request.url == response.url == "https://www.woolworths.com.au/apis/x?a=1"
    assert request.meta["download_latency"] == 0.1


def test_outside_dev_nothing_is_rewritten():
    with pytest.raises(NotConfigured):
        DevMiddleware.from_crawler(crawler_with())


@pytest.mark.parametrize(
    ("dev", "truth"), [("1", True), (True, True), ("true", True), (None, False), ("0", False), ("", False)]
)
def test_dev_is_a_spider_argument(dev, truth):
    assert is_dev(SimpleNamespace(dev=dev)) is truth


@pytest.mark.parametrize(
    ("polite", "dev", "on"),
    [(None, False, True), ("0", False, True), (None, True, False), ("1", True, True), ("0", True, False)],
)
def test_manners_hold_outside_dev_always_and_in_dev_when_asked(polite, dev, on):
    assert manners_on(crawler_with({"POLITE": polite}).settings, dev=dev) is on


class SpareStoresSpider(IgaStoresSpider):
    name = "spare"


def test_a_locator_belongs_to_its_chain():
    assert chain_of(SimpleNamespace(name="aldi_stores")) == "aldi"
    assert chain_of(SpareStoresSpider()) == "iga"
