from scrapy import Request

from splitcart_spiders.downloads.fingerprint import StoreRequestFingerprinter
from splitcart_spiders.spiders.coles import ColesSpider
from tests.support.manners import crawler_with

URL = "https://www.coles.com.au/browse/bakery?page=2"


def fingerprint(request, store=None):
    crawler = crawler_with()
    if store is not None:
        crawler.spider = ColesSpider(store=store)
    return StoreRequestFingerprinter.from_crawler(crawler).fingerprint(request)


def test_two_stores_are_two_requests():
    assert fingerprint(Request(URL), "314") != fingerprint(Request(URL), "357")
    assert fingerprint(Request(URL, meta={"store": "314"})) != fingerprint(Request(URL, meta={"store": "357"}))


def test_the_same_question_to_the_same_store_is_one_request():
    assert fingerprint(Request(URL), "314") == fingerprint(Request(URL, meta={"store": "314"}))
    assert fingerprint(Request(URL + "&a=1&b=2"), "314") == fingerprint(Request(URL + "&b=2&a=1"), "314")


def test_another_body_is_another_request():
    assert fingerprint(Request(URL, method="POST", body=b"1"), "1") != fingerprint(
        Request(URL, method="POST", body=b"2"), "1"
    )
