"""How far a crawl is, and how long it will take, in its reports."""

from types import SimpleNamespace

import pytest

from splitcart_spiders.crawl.walk import CategoryWalk, Node
from splitcart_spiders.extensions.progress import ProgressExtension, time_left
from splitcart_spiders.spiders.iga import IgaSpider
from splitcart_spiders.spiders.iga_stores import IgaStoresSpider


def walked(spider, key, seen, expected=None, *, is_open=False):
    walk = CategoryWalk(Node(key, (key,)), page_size=36, expected=expected)
    walk.skus = {f"{key}{number}" for number in range(seen)}
    spider.walker.walks[key] = walk
    if is_open:
        spider.walker.unfinished.add(key)


@pytest.fixture
def spider():
    return IgaSpider(store="1")


def test_the_time_left_follows_from_the_pace_and_what_the_totals_promise(spider):
    assert time_left(spider.walker, 5) == "time left unknown"
    walked(spider, "a", 50, 50)
    walked(spider, "b", 10, 100, is_open=True)
    assert time_left(spider.walker, 120) == "about 3 min 0 s left"
    assert time_left(spider.walker, 0.1) == "nearly done"
    walked(spider, "c", 0, is_open=True)
    assert time_left(spider.walker, 120) == "time left unknown"
    spider.walker.known_sizes = {"c": 30, "p": 7200}
    assert time_left(spider.walker, 120) == "about 4 min 0 s left"
    spider.walker.promos = [Node("p", ("p",), is_promo=True)]
    assert time_left(spider.walker, 120) == "about 4 h 4 min left"
    spider.walker.promos, spider.walker.unfinished = [], set()
    assert time_left(spider.walker, 120) == "last answers under way"


def test_a_report_has_the_categories_the_products_and_the_rate_since_the_last_one(spider):
    settings = SimpleNamespace(getfloat=lambda name: 10)
    stats = {"downloader/request_count": 40, "item_scraped_count": 1200}
    crawler = SimpleNamespace(
        spidercls=IgaSpider, spider=spider, settings=settings, stats=SimpleNamespace(get_value=stats.get)
    )
    progress = ProgressExtension(crawler)
    progress.reported = (100.0, 20)
    walked(spider, "a", 50, 50)
    walked(spider, "b", 10, 60, is_open=True)
    spider.walker.promos = [Node("p", ("p",), is_promo=True)]
    progress.began = 98.0
    expected = "iga store 1: 1 of 3 categories, 60 products, 2.0 requests a second, about 10 s left"
    assert progress.line(110.0) == expected
    assert "0.0 requests a second" in progress.line(120.0)
    crawler.spider = IgaStoresSpider()
    assert progress.line(130.0) == "iga_stores: 1,200 stores, 40 requests, 0.0 requests a second"
