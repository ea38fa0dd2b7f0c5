"""A listing's total is a number of products, or the page is asked again and fails: no other proves a category."""

import json

import pytest
from scrapy.http import TextResponse

from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.spiders.aldi import AldiSpider
from splitcart_spiders.spiders.coles import ColesSpider
from splitcart_spiders.spiders.iga import IgaSpider
from splitcart_spiders.spiders.woolworths import WoolworthsSpider

BODIES = {
    WoolworthsSpider: lambda total: {"Bundles": [], "TotalRecordCount": total, "Success": True},
    ColesSpider: lambda total: {"pageProps": {"searchResults": {"results": [], "noOfResults": total}}},
    AldiSpider: lambda total: {"data": [], "meta": {"pagination": {"totalCount": total}}},
    IgaSpider: lambda total: {"items": [], "total": total},
}


def page_of(spider, total):
    body = json.dumps(BODIES[spider](total)).encode()
    return spider(store="1").page(TextResponse("https://example.com/listing", body=body, encoding="utf-8"))


@pytest.mark.parametrize("spider", BODIES)
@pytest.mark.parametrize("total", [-1, -36, 1_000_001, 10**30, "54", "", 54.0, True, [54], {}])
def test_a_total_that_is_not_a_number_of_products_is_refused_by_name(spider, total) -> None:
    with pytest.raises(CatalogueError, match=r"https://example.com/listing has .* as its total: 0 to 1000000"):
        page_of(spider, total)


@pytest.mark.parametrize("spider", BODIES)
def test_a_total_is_taken_as_it_is(spider) -> None:
    assert [page_of(spider, total).total for total in (0, 54, 1_000_000)] == [0, 54, 1_000_000]


@pytest.mark.parametrize("spider", BODIES)
def test_only_iga_may_send_no_total(spider) -> None:
    if spider is IgaSpider:
        assert page_of(spider, None).total is None
    else:
        with pytest.raises(CatalogueError, match="None as its total"):
            page_of(spider, None)
