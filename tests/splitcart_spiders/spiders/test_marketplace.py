"""Rows of a market's other sellers: not requested and not kept, unless the setting asks for them."""

import json
from datetime import UTC, datetime

import pytest
from scrapy.settings import Settings

from splitcart_spiders.crawl.walk import Node
from splitcart_spiders.items import Drop, ProductItem
from splitcart_spiders.spiders.woolworths import WoolworthsSpider

ROW = {"Stockcode": 1128022171, "Name": "Lamp", "Price": 25, "IsMarketProduct": True}
NODE = Node("1_B863F57", ("Electronics",), slug="electronics")


@pytest.mark.parametrize(("kept", "kind"), [(False, Drop), (True, ProductItem)])
def test_other_sellers_are_asked_for_and_kept_only_when_set(kept, kind):
    spider = WoolworthsSpider(store="1147")
    spider.settings = Settings({"KEEP_MARKETPLACE": kept})
    assert isinstance(spider.to_item(ROW, NODE, datetime(2026, 11, 23, tzinfo=UTC)), kind)
    assert json.loads(spider.page_request(NODE, 1).body)["isHideEverydayMarketProducts"] is not kept
