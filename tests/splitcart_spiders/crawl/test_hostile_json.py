"""Any JSON of a storefront leads to a named CatalogueError, a counted drop, or an item; never a traceback."""

import copy
import json
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.utils.test import get_crawler

from splitcart_spiders.chains import aldi, coles, iga, woolworths
from splitcart_spiders.crawl import fields, locator_spider
from splitcart_spiders.crawl.locator_spider import degrees, text
from splitcart_spiders.crawl.trees import DEEPEST, MOST_NODES
from splitcart_spiders.crawl.walk import Node
from splitcart_spiders.errors import CatalogueError, StoreMismatch
from splitcart_spiders.items import BarcodeItem, CategoryItem, Drop, ProductItem, StoreItem
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.spiders.aldi import AldiSpider
from splitcart_spiders.spiders.aldi_stores import AldiStoresSpider
from splitcart_spiders.spiders.coles import ColesSpider
from splitcart_spiders.spiders.coles_stores import ColesStoresSpider
from splitcart_spiders.spiders.iga import IgaSpider
from splitcart_spiders.spiders.iga_stores import IgaStoresSpider
from splitcart_spiders.spiders.woolworths import WoolworthsSpider
from splitcart_spiders.spiders.woolworths_stores import WoolworthsStoresSpider
from tests.support.mutations import ABSURD, json_values, mutated, places

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SPIDERS = {"woolworths": WoolworthsSpider, "coles": ColesSpider, "aldi": AldiSpider, "iga": IgaSpider}
MAPPINGS: dict[str, ModuleType] = {"woolworths": woolworths, "coles": coles, "aldi": aldi, "iga": iga}
NODE = Node("1_A", ("Pantry",), slug="pantry", children=(Node("1_B", ("Pantry", "Tea"), slug="tea"),))
CHILDREN = {"woolworths": "Children", "coles": "catalogGroupView", "aldi": "children", "iga": "children"}


def tree_node(chain: str, number: int = 1, children: object = None) -> dict[str, Any]:
    """One node of a chain's category tree."""
    return {
        "woolworths": {"NodeId": f"1_{number}", "Description": "Tea", "UrlFriendlyName": "tea", "IsSpecial": False},
        "coles": {"seoToken": f"tea-{number}", "name": "Tea", "originalName": "Tea ", "subType": "X"},
        "aldi": {"key": f"{number}", "name": "Tea", "urlSlugText": "tea"},
        "iga": {"identifier": f"Tea_{number}", "displayName": "Tea"},
    }[chain] | {CHILDREN[chain]: children}


def tree_body(chain: str, roots: object) -> Any:
    """A chain's answer with these roots."""
    return {
        "woolworths": {"Categories": roots},
        "coles": {
            "buildId": "20260702.2",
            "props": {"pageProps": {"allProductCategories": {"catalogGroupView": roots}}},
        },
        "aldi": {"data": roots},
        "iga": {"identifier": "prod", "children": [{"identifier": "Grocery", "children": roots}]},
    }[chain]


RECORDS: dict[str, dict[str, Any]] = {
    "woolworths": {
        "Stockcode": 88436,
        "Barcode": "9300633963583",
        "DisplayName": "Tea 100g",
        "Brand": "Sample",
        "Unit": "KG",
        "PackageSize": "100g",
        "Price": 3.5,
        "WasPrice": 4,
        "CupPrice": 3.5,
        "CupMeasure": "100G",
        "IsAvailable": True,
        "CentreTag": {"TagType": "Html", "TagContentText": "Member Price 3 for $9", "MemberPriceData": {"Price": 3}},
        "ImageTag": {"FallbackText": "Member Price"},
        "AdditionalAttributes": {"piesdepartmentnamesjson": '["Pantry"]', "piescategorynamesjson": '["Tea"]'},
        "IncrementalMinimumQuantity": 100.0,
        "IncrementalMinimumQuantityUnit": "g",
        "FulfilmentStoreId": 1101,
    },
    "coles": {
        "_type": "PRODUCT",
        "id": 4410001,
        "name": "Tea",
        "brand": "Sample",
        "size": "100g",
        "description": "TEA 100G",
        "availability": True,
        "imageUris": [{"uri": "/1/2.jpg"}],
        "gtin": "9300633963583",
        "onlineHeirs": [{"subCategory": "Pantry", "category": "Tea", "aisle": "Black Tea"}],
        "pricing": {
            "now": 4.5,
            "was": 5,
            "comparable": "$4.50/ 100g",
            "offerDescription": "Pick any 2 for $7",
            "unit": {"quantity": 226, "ofMeasureQuantity": 1, "ofMeasureUnits": "g", "price": 52, "isWeighted": True},
            "multiBuyPromotion": {"id": "73", "minQuantity": 2, "reward": 3.5},
        },
    },
    "aldi": {
        "sku": "000000000000457910",
        "name": "Tea 100 g",
        "brandName": "SAMPLE",
        "sellingSize": "approx. 1.8 kg",
        "urlSlugText": "tea",
        "categories": [{"name": "Pantry"}],
        "assets": [{"url": "https://x.example/{width}"}],
        "price": {"amount": 299, "comparison": 299, "comparisonDisplay": "$2.99 per 1 kg", "wasPriceDisplay": "$3.49"},
    },
    "iga": {
        "productId": "31218",
        "sku": "31218",
        "name": "Tea",
        "brand": "S",
        "barcode": "9300633963583",
        "sellBy": "Weight",
        "available": True,
        "price": "$3.35",
        "priceNumeric": 3.35,
        "wholePrice": 3.35,
        "wasWholePrice": 4,
        "tprPrice": [{"wholePrice": 3.35}],
        "pricePerUnit": "$18.61/kg",
        "image": {"default": "https://x.example/1"},
        "unitOfSize": {"abbreviation": "g", "label": "Gram", "size": 180, "type": "gram"},
        "promotions": [{"name": "2 for $6", "description": "Buy 2", "minimumQuantity": 2}],
        "defaultCategory": [{"categoryBreadcrumb": "Grocery/Pantry/Tea"}],
        "categories": [{"categoryBreadcrumb": "A/B"}],
    },
}


def page_body(chain: str, records: object) -> Any:
    """A chain's listing answer with these records."""
    return {
        "woolworths": {"Bundles": [{"Products": records}], "TotalRecordCount": 1, "Success": True},
        "coles": {"pageProps": {"initStoreId": "0001", "searchResults": {"noOfResults": 1, "results": records}}},
        "aldi": {"meta": {"pagination": {"offset": 0, "limit": 30, "totalCount": 1}}, "data": records},
        "iga": {"items": records, "total": 1},
    }[chain]


STORES: dict[str, Any] = {
    "woolworths": {
        "Stores": [
            {"Division": "SUPERMARKETS", "StoreNo": "1147", "Name": "N/A", "Suburb": "Newtown", "State": "NSW"}
            | {"AddressLine1": "1 King St", "Postcode": "2042", "Latitude": "-33.9", "Longitude": "151.2"}
        ]
    },
    "coles": {
        "stores": [
            {"storeId": "0584", "storeName": "Coles", "brandId": 2, "address": "1 King St", "suburb": "Newtown"}
            | {"state": "NSW", "postcode": "2042", "latitude": -33.9, "longitude": 151.2}
        ]
    },
    "aldi": {
        "data": [
            {"id": "G452", "name": "ALDI", "address": {"address1": "1 King St", "city": "Newtown", "zipCode": "2042"}}
            | {"regionIsoCode": "NSW", "latitude": "-33.91096000000000", "longitude": "151.2"}
        ],
        "meta": {"pagination": {"offset": 0, "limit": 10, "totalCount": 47}},
    },
    "iga": {
        "items": [
            {
                "retailerStoreId": "48742",
                "name": "IGA",
                "status": "Active",
                "timeZone": "Australia/Perth",
                "city": "Perth",
            }
            | {"location": {"latitude": -31.9, "longitude": 115.8}, "addressLine1": "1 King St", "postCode": "6000"}
        ]
    },
}
FOUND = [
    {"storeId": "9", "storeName": "IGA", "tag": "48742", "address": "1", "latitude": "-31.9", "longitude": "115.8"}
]


def answer(body: object, raw: str | None = None) -> Response:
    """A response with a body as JSON, or as it is given."""
    sent = json.dumps(body) if raw is None else raw
    request = Request("https://example.com/answer", meta={"build": "1", "kind": "session"})
    return TextResponse(request.url, body=sent.encode(), encoding="utf-8", request=request)


def as_page(chain: str, sent: str) -> str:
    """A tree's answer as the chain sends it: Coles' in a page."""
    return f'<script id="__NEXT_DATA__">{sent}</script>' if chain == "coles" else sent


def crawling(kind: type, **arguments: str) -> Any:
    """A spider with a crawler that counts."""
    return under(get_crawler(kind), kind, **arguments)


def under(crawler: Crawler, kind: type, **arguments: str) -> Any:
    spider = kind(**arguments)
    spider._set_crawler(crawler)
    spider.answered_for = spider.store_code
    spider.accept_fulfilment = True
    return spider


def counted(spider: Any, event: str) -> int:
    return spider.crawler.stats.get_value(f"splitcart/{event}", 0)


def checked_tree(chain: str, sent: str) -> Any:
    """What the crawl makes of a tree's answer; the spider. Nothing but requests and categories may come of it."""
    spider = crawling(SPIDERS[chain], store="1")
    for found in spider.on_tree(answer(None, as_page(chain, sent))):
        assert isinstance(found, Request | CategoryItem)
    error = Gate.of(spider.crawler).error
    assert error is None or isinstance(error, CatalogueError)
    return spider


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def endless() -> list[Any]:
    """A list within a list, so many times that nothing can print or compare it."""
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


ENDLESS = endless()


def test_a_message_shows_any_value_and_is_short() -> None:
    for value in (*ABSURD, ENDLESS, {"a": ENDLESS}, 10**5000, -(10**5000)):
        assert 0 < len(fields.shown(value)) < 500
        with pytest.raises(CatalogueError, match="as its total"):
            crawling(AldiSpider, store="1").total(value if value not in (0, 1, 2, 99_999_999) else -1, answer({}))


# Trees -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize("children", [7, 0, -1, 1.5, True, False, "", "Tea", {}, {"a": 1}, 10**400, float("nan")])
def test_children_that_are_no_list_are_a_catalogue_error_by_name(chain: str, children: object) -> None:
    for roots in ([tree_node(chain, 1, children)], [tree_node(chain, 1, [tree_node(chain, 2, children)])], children):
        spider = checked_tree(chain, json.dumps(tree_body(chain, roots)))
        assert "a list is expected" in str(spider.gate.error) or "has no list" in str(spider.gate.error)
        assert spider.gate.error.reason == "catalogue_error"


@pytest.mark.parametrize("chain", SPIDERS)
def test_null_children_are_an_empty_list(chain: str) -> None:
    spider = checked_tree(chain, json.dumps(tree_body(chain, [tree_node(chain, 1, None), tree_node(chain, 2, [])])))
    assert spider.gate.error is None
    assert len(spider.walker.walks) == 2


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize("levels", [DEEPEST + 1, 100, 300, 450, 900, 5_000])
def test_a_tree_of_any_depth_is_a_catalogue_error_by_name(chain: str, levels: int) -> None:
    name = CHILDREN[chain]
    node = json.dumps(tree_node(chain, 1, "HERE"))
    opening, closing = node.split(f'"{name}": "HERE"')
    roots = f'{opening}"{name}": [' * levels + f"]{closing}" * levels
    spider = checked_tree(chain, json.dumps(tree_body(chain, "HERE")).replace('"HERE"', f"[{roots}]"))
    error = str(spider.gate.error)
    assert f"deeper than {DEEPEST} levels" in error or "not JSON" in error or "no __NEXT_DATA__" in error


@pytest.mark.parametrize("chain", SPIDERS)
def test_a_tree_as_deep_as_is_allowed_is_read(chain: str) -> None:
    node = None
    for number in range(DEEPEST, 0, -1):
        node = tree_node(chain, number, [node] if node else [])
    spider = checked_tree(chain, json.dumps(tree_body(chain, [node])))
    assert spider.gate.error is None


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize("wide", [True, False])
def test_a_tree_of_too_many_nodes_is_a_catalogue_error_by_name(chain: str, wide: bool) -> None:
    nodes = [tree_node(chain, number) for number in range(100_000)]
    if not wide:
        nodes = [tree_node(chain, 10**6 + at, nodes[at : at + 1000]) for at in range(0, 100_000, 1000)]
    spider = checked_tree(chain, json.dumps(tree_body(chain, nodes)))
    assert f"more than {MOST_NODES} nodes" in str(spider.gate.error)


@pytest.mark.parametrize("chain", SPIDERS)
def test_a_value_that_is_not_a_node_is_left_out_and_counted(chain: str) -> None:
    key = next(iter(tree_node(chain)))
    odd = [None, 7, True, "x", [], {}, {key: None}, {key: ""}, {key: [1]}, {key: {"a": 1}}, {key: True}, {key: 10**400}]
    good = tree_node(chain, 1, [*odd, tree_node(chain, 2)])
    spider = checked_tree(chain, json.dumps(tree_body(chain, [*odd, good])))
    assert spider.gate.error is None
    assert counted(spider, "tree/odd_node") == 2 * len(odd)
    assert len(spider.walker.walks) == 1


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize("key", ["\ud800", "a\x00b", "x" * 301, "x" * 1_000_000])
def test_an_id_that_cannot_be_asked_for_is_a_catalogue_error_by_name(chain: str, key: str) -> None:
    node = tree_node(chain, 1)
    node[next(iter(node))] = key
    for roots in ([node], [tree_node(chain, 2, [node])]):
        spider = checked_tree(chain, json.dumps(tree_body(chain, roots)))
        assert "id" in str(spider.gate.error)
        assert isinstance(spider.gate.error, CatalogueError)
        assert len(str(spider.gate.error)) < 500


@pytest.mark.parametrize("chain", SPIDERS)
def test_a_nodes_texts_may_be_anything(chain: str) -> None:
    for place in list(tree_node(chain))[1:-1]:
        for value in (*ABSURD, {"a": [[[[]]]]}):
            body = json.dumps(tree_body(chain, [tree_node(chain, 1) | {place: value}]))
            (node,) = SPIDERS[chain](store="1").tree(answer(None, as_page(chain, body)))
            assert all(0 < len(name) <= 120 for name in node.path)
            assert len(node.slug) <= 120


@pytest.mark.parametrize("chain", SPIDERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_answer_for_a_tree_is_read_or_refused_by_name(chain: str, data: st.DataObject) -> None:
    whole = tree_body(chain, [tree_node(chain, 1, [tree_node(chain, 2, [tree_node(chain, 3)])]), tree_node(chain, 4)])
    body = data.draw(st.one_of(mutated(whole), json_values, json_values.map(lambda value: tree_body(chain, value))))
    checked_tree(chain, json.dumps(body))


# Listings and products ---------------------------------------------------------------------------------------------


def checked_page(chain: str, sent: str) -> list[Any]:
    """What the crawl makes of a listing's answer."""
    spider = crawling(SPIDERS[chain], store="1")
    list(spider.walker.walk(NODE))
    found = list(spider.on_page(answer(None, sent), NODE, 1))
    assert all(isinstance(each, ProductItem | Request | CategoryItem) for each in found)
    error = spider.gate.error
    assert error is None or isinstance(error, CatalogueError | StoreMismatch)
    return found


@pytest.mark.parametrize("chain", SPIDERS)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_answer_for_a_listing_is_read_or_refused_by_name(chain: str, data: st.DataObject) -> None:
    whole = page_body(chain, [RECORDS[chain], copy.deepcopy(RECORDS[chain])])
    body = data.draw(st.one_of(mutated(whole), json_values, json_values.map(lambda value: page_body(chain, value))))
    checked_page(chain, json.dumps(body))


@pytest.mark.parametrize("chain", SPIDERS)
def test_every_place_of_a_record_may_hold_anything(chain: str) -> None:
    for place in places(RECORDS[chain]):
        for value in (*ABSURD, ENDLESS):
            changed = copy.deepcopy(RECORDS[chain])
            holder: Any = changed
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            mapped = MAPPINGS[chain].to_item(changed, store_id="1", now=NOW)
            assert isinstance(mapped, ProductItem | Drop), place


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize("levels", [50, 450, 900, 100_000])
def test_any_field_may_hold_a_value_of_any_depth(chain: str, levels: int) -> None:
    template = page_body(chain, [RECORDS[chain]])
    for place in places(template):
        changed = copy.deepcopy(template)
        holder: Any = changed
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = "HERE"
        checked_page(chain, json.dumps(changed).replace('"HERE"', deep(levels)))


@pytest.mark.parametrize("chain", SPIDERS)
@pytest.mark.parametrize(
    "sent", ["", "[", "{", "null", "1", "NaN", "-Infinity", '"', "1" * 5000, "\x00", deep(100_000)]
)
def test_an_answer_that_is_not_a_listing_is_requested_again(chain: str, sent: str) -> None:
    (again,) = checked_page(chain, sent)
    assert again.meta["body_tries"] == 1


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_product_page_of_coles_is_read_or_passed_over(data: st.DataObject) -> None:
    whole = {"pageProps": {"product": {"id": 1, "gtin": "9300633963583"}, "__N_REDIRECT": "/product/tea-1"}}
    body = data.draw(st.one_of(mutated(whole), json_values, json_values.map(lambda value: {"pageProps": value})))
    spider = crawling(ColesSpider, store="1")
    for found in spider.on_product(answer(body), sku="1", slug="tea-1"):
        assert isinstance(found, BarcodeItem | Request)


# Locators ----------------------------------------------------------------------------------------------------------


LOCATORS = {
    "woolworths": (WoolworthsStoresSpider, "stores", ()),
    "coles": (ColesStoresSpider, "stores", (-33.9, 151.2, 2.0)),
    "aldi": (AldiStoresSpider, "stores", (-33.9, 151.2, 0)),
    "iga": (IgaStoresSpider, "shop", (FOUND[0],)),
}


@lru_cache
def locator_crawler(chain: str) -> Crawler:
    return get_crawler(LOCATORS[chain][0])


def read_stores(chain: str, sent: str) -> list[Any]:
    """What a locator makes of an answer; CatalogueError is what it may raise."""
    kind, reader, arguments = LOCATORS[chain]
    try:
        return list(getattr(under(locator_crawler(chain), kind), reader)(answer(None, sent), *arguments))
    except CatalogueError:
        return []


def check_stores(found: list[Any]) -> None:
    for store in found:
        assert isinstance(store, StoreItem | Request)
        if isinstance(store, StoreItem):
            assert store.latitude is None or -90 <= store.latitude <= 90
            assert store.longitude is None or -180 <= store.longitude <= 180
            for value in (store.store_id, store.store_name, store.suburb, store.state, store.postcode):
                assert value is None or (len(value) <= 200 and value == value.encode("utf-8", "ignore").decode())


@pytest.mark.parametrize("chain", SPIDERS)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_answer_of_a_locator_is_read_or_refused_by_name(chain: str, data: st.DataObject) -> None:
    body = data.draw(st.one_of(mutated(STORES[chain]), json_values))
    check_stores(read_stores(chain, json.dumps(body)))


@pytest.mark.parametrize("chain", SPIDERS)
def test_every_place_of_a_store_may_hold_anything(chain: str) -> None:
    for place in places(STORES[chain]):
        for value in (*ABSURD, 91, -181, "91", "1e400", "0x1", "1_0", "\u0661", "-33.9.1"):
            changed = copy.deepcopy(STORES[chain])
            holder: Any = changed
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            check_stores(read_stores(chain, json.dumps(changed)))
        for levels in (450, 900):
            holder[place[-1]] = "HERE"
            check_stores(read_stores(chain, json.dumps(changed).replace('"HERE"', deep(levels))))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_answer_of_igas_finder_is_read_or_refused_by_name(data: st.DataObject) -> None:
    rows = data.draw(st.one_of(st.builds(lambda row: [row], mutated(FOUND[0])), json_values))
    attribute = json.dumps(rows).replace("&", "&amp;").replace('"', "&quot;")
    content = data.draw(st.one_of(st.just(f'<i data-storedata="{attribute}">'), json_values))
    spider = crawling(IgaStoresSpider)
    try:
        found = list(spider.finder(answer(None, f"cb({json.dumps({'content': content})})")))
    except CatalogueError:
        return
    for request in found:
        check_stores(list(spider.shop(answer(STORES["iga"]), **request.cb_kwargs)))


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), True, "1e5", "", "x", [1], {}, 91])
def test_a_coordinate_that_is_not_a_place_is_dropped_and_counted(value: object) -> None:
    assert degrees(value, 90) is None
    spider = crawling(WoolworthsStoresSpider)
    (store,) = spider.store("1147", store_name="Newtown", latitude=value, longitude="151.2")
    assert (store.latitude, store.longitude) == (None, None)
    assert counted(spider, "locator/no_place") == 1


def test_a_place_is_read_from_numbers_and_texts_and_no_place_is_not_counted() -> None:
    spider = crawling(WoolworthsStoresSpider)
    (store,) = spider.store("1147", store_name="Newtown", latitude=" -33.91096000000000 ", longitude=151)
    assert (store.latitude, store.longitude) == (-33.91096, 151.0)
    (store,) = spider.store("1148", store_name="Erskineville", latitude=None, longitude="")
    assert (store.latitude, store.longitude) == (None, None)
    assert counted(spider, "locator/no_place") == 0


def test_a_number_becomes_a_text_and_no_other_value_does() -> None:
    assert [text(value) for value in (2042, "2042", 10**400, True, [1], "\ud800", " n/a ")] == [
        *("2042", "2042", None, None, None, None, None)
    ]


def test_answers_that_name_stores_without_end_end_as_an_error_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locator_spider, "MOST_REQUESTS", 40)
    spider, waiting, errors = crawling(ColesStoresSpider), [(-33.9, 151.2, 2.0)], list[str]()
    body = {"stores": [{"storeId": str(n), "brandId": 2} for n in range(1, 16)]}
    while waiting:
        try:
            found = list(spider.stores(answer(body), *waiting.pop()))
        except CatalogueError as error:
            errors.append(str(error))
            continue
        waiting += [tuple(each.cb_kwargs.values()) for each in found if isinstance(each, Request)]
    assert errors
    assert all("its answers name no end" in error for error in errors)


def test_a_locator_asks_no_further_than_a_chain_can_reach() -> None:
    body = copy.deepcopy(STORES["aldi"])
    body["meta"]["pagination"]["totalCount"] = 9_999_999
    spider = crawling(AldiStoresSpider)
    assert len(list(spider.stores(answer(body), -33.9, 151.2, 1_998))) == 2
    assert len(list(spider.stores(answer(body), -33.9, 151.2, 1_999))) == 1
