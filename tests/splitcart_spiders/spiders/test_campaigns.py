"""Roots of campaigns and seasons are distinguished from departments, whatever their name of this year."""

import json
from typing import Any

import pytest
from scrapy.http import TextResponse

from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.spiders.aldi import AldiSpider
from splitcart_spiders.spiders.coles import ColesSpider
from splitcart_spiders.spiders.iga import IgaSpider
from splitcart_spiders.spiders.woolworths import WoolworthsSpider


def root(spider: type[ChainSpider], name: str, slug: str, **more: Any) -> Any:
    """The node of a root of that name with one child of another name."""
    child = {"NodeId": "1_2", "seoToken": "sweets", "key": "2", "identifier": "Sweets", "name": "Sweets"}
    raw = {"NodeId": "1_1", "Description": name, "UrlFriendlyName": slug, "Children": [child], "seoToken": slug}
    raw |= {"name": name, "catalogGroupView": [child], "key": "1", "urlSlugText": slug, "children": [child]}
    raw |= {"identifier": slug, "displayName": name, **more}
    roots = {"Categories": [raw], "data": [raw], "children": [{"children": [raw]}]}
    body = json.dumps(roots)
    if spider is ColesSpider:
        props = {"allProductCategories": {"catalogGroupView": [raw]}}
        data = json.dumps({"buildId": "1", "props": {"pageProps": props}})
        body = f'<script id="__NEXT_DATA__" type="application/json">{data}</script>'
    (found,) = spider(store="1").tree(TextResponse("https://example.com/tree", body=body.encode(), encoding="utf-8"))
    return found


@pytest.mark.parametrize("spider", [WoolworthsSpider, ColesSpider, AldiSpider, IgaSpider])
@pytest.mark.parametrize(
    ("name", "slug", "promo"),
    [
        ("Christmas", "christmas", True),
        ("Christmas Shop", "christmas-shop-2026", True),
        ("Gifts", "easter-gifts", True),
        ("Pantry", "pantry", False),
    ],
)
def test_a_seasons_root_is_a_campaign_with_all_below(
    spider: type[ChainSpider], name: str, slug: str, promo: bool
) -> None:
    found = root(spider, name, slug)
    assert (found.is_promo, [child.is_promo for child in found.children]) == (promo, [promo])


def test_a_root_that_coles_marks_as_seasonal_is_a_campaign() -> None:
    assert root(ColesSpider, "Gifts", "gifts", subType="SEASONAL").is_promo
    assert not root(ColesSpider, "Gifts", "gifts", subType="CATALOG").is_promo
