"""The Coles mapping, field by field, and what it does with tiles, null prices and contradictions."""

import copy
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given

from pipelines.price import PricePipeline
from splitcart_spiders.chains import coles
from splitcart_spiders.items import Drop, ProductItem
from tests.support.bounds import assert_bounded, assert_sighted, assert_unnamed
from tests.support.mutations import ABSURD, json_values, mutated
from tests.support.records import COLES_MILK, SALMON
from tests.support.stages import Tally

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def mapped(base=COLES_MILK, pricing=None, without=(), **changes):
    record = {key: value for key, value in {**copy.deepcopy(base), **changes}.items() if key not in without}
    if pricing:
        record["pricing"] = {**record["pricing"], **pricing}
    return coles.to_item(record, store_id="766", now=NOW)


def offer(**promotion):
    return {"multiBuyPromotion": {"type": "MultibuyMultiSku", "id": "730815342", **promotion}, "was": 0}


def test_every_field_of_a_price_drop_comes_from_its_specified_source():
    assert mapped() == ProductItem(
        company="Coles",
        store_id="766",
        sku="8150288",
        name="Full Cream Milk",
        brand="Coles",
        size="3L",
        price_cents=450,
        was_price_cents=500,
        is_on_special=True,
        category_path=("Dairy, Eggs & Fridge", "Milk", "Full Cream Milk"),
        url="https://www.coles.com.au/product/coles-full-cream-milk-3l-8150288",
        image_url="https://cdn.productimages.coles.com.au/productimages/8/8150288.jpg",
        scraped_at=NOW,
        shelf_unit_price="1.50",
        shelf_unit_measure="1L",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pricing": {"was": 0}}, {"was_price_cents": None, "is_on_special": False}),
        ({"pricing": {"was": 4.5}}, {"was_price_cents": None}),
        ({"pricing": {"was": None}}, {"was_price_cents": None}),
        ({"pricing": {"was": 0, "promotionType": "SPECIAL"}}, {"is_on_special": False}),
        ({"pricing": {"now": None}}, {"price_cents": None, "is_available": False, "was_price_cents": None}),
        ({"availability": False}, {"price_cents": 450, "is_available": False}),
        ({"brand": ""}, {"brand": None, "url": "https://www.coles.com.au/product/full-cream-milk-3l-8150288"}),
        ({"size": ""}, {"size": "3L"}),
        ({"size": "", "description": "NO SIZE HERE"}, {"size": None}),
        ({"size": "", "description": "BEER CAN 1L:PACK3"}, {"size": "1L:PACK3"}),
        ({"size": "", "description": "BLOCK 30 375ML"}, {"size": None}),
        ({"size": "", "description": "TIDY BAGS 27L 50PK"}, {"size": "50PK"}),
        ({"size": "", "description": "FREEZER BAGS 2L"}, {"size": None}),
        (
            {"size": "", "description": "BLOCK 30 375ML", "pricing": {"comparable": "", "unit": {}}},
            {"size": "BLOCK 30 375ML"},
        ),
        ({"id": "8150288"}, {"sku": "8150288"}),
        ({"adId": "xyz"}, {"sponsored": True, "category_path": ()}),
        ({"adSource": "CITRUS"}, {"sponsored": True, "category_path": ()}),
        ({"featured": True}, {"sponsored": True}),
        ({"imageUris": []}, {"image_url": None}),
        ({"imageUris": None}, {"image_url": None}),
        ({"onlineHeirs": None}, {"category_path": ()}),
        ({"onlineHeirs": [{"subCategory": "Down Down", "category": "Milk"}]}, {"category_path": ("Down Down", "Milk")}),
        ({"pricing": {"comparable": "$40.00 per 1kg"}}, {"shelf_unit_price": "40.00", "shelf_unit_measure": "1kg"}),
        ({"pricing": {"comparable": "$4.38/ 100g"}}, {"shelf_unit_price": "4.38", "shelf_unit_measure": "100g"}),
        ({"pricing": {"comparable": "$2.50/ 100ea"}}, {"shelf_unit_measure": "100ea"}),
        ({"pricing": {"comparable": "$1,234.50/ 1kg"}}, {"shelf_unit_price": "1234.50"}),
        ({"pricing": {"comparable": ""}}, {"shelf_unit_price": "1.50", "shelf_unit_measure": "1l"}),
        ({"pricing": {"comparable": "", "unit": {}}}, {"shelf_unit_price": None, "shelf_unit_measure": None}),
        ({"pricing": {"comparable": None, "unit": None}}, {"shelf_unit_price": None}),
        ({"pricing": {"comparable": "kgM", "unit": {}}}, {"shelf_unit_price": "", "shelf_unit_measure": "kgM"}),
        ({"pricing": {"comparable": "kgM"}}, {"shelf_unit_price": "1.50", "shelf_unit_measure": "1l"}),
        ({"targetProductId": None}, {"sku": "8150288"}),
        ({"pricing": {"now": 0}, "availability": False}, {"price_cents": None}),
    ],
)
def test_a_field_has_the_value_of_its_source(changes, expected):
    item = mapped(**changes)
    assert {field: getattr(item, field) for field in expected} == expected


def test_null_pricing_is_an_unavailable_listing():
    item = coles.to_item({**COLES_MILK, "pricing": None, "availability": False}, store_id="766", now=NOW)
    assert (item.price_cents, item.is_available, item.is_ranged, item.is_on_special) == (None, False, True, False)


def test_a_weighted_pack_costs_now_and_is_an_estimate_whose_unit_is_read_from_the_shelf_text():
    item = mapped(SALMON)
    assert (item.price_cents, item.price_basis, item.typical_grams, item.is_estimated) == (1175, "each", 226, True)
    assert (item.shelf_unit_price, item.shelf_unit_measure) == ("52.00", "1kg")
    assert mapped(SALMON, pricing={"comparable": ""}).shelf_unit_price is None
    kilos = {"quantity": 1.4, "ofMeasureUnits": "kg", "isWeighted": True}
    assert mapped(SALMON, pricing={"unit": kilos}, size="").typical_grams == 1400
    assert mapped(SALMON, size="", description="").typical_grams == 226
    called_kilos = {"quantity": 150, "ofMeasureUnits": "kg", "isWeighted": True}
    assert mapped(SALMON, pricing={"unit": called_kilos}, size="", description="").typical_grams is None


@pytest.mark.parametrize(
    ("promotion", "text", "expected"),
    [
        ({"minQuantity": 2, "reward": 3.0}, "Pick any 2 for $6", (2, 600)),
        ({"minQuantity": 2, "reward": 3.0}, None, (2, 600)),
        ({"minQuantity": 3, "reward": 3.33}, "Pick any 3 for $10", (3, 1000)),
        ({"minQuantity": 3, "reward": 3.33}, "Pick any 3 for $10.", (3, 1000)),
        ({"minQuantity": 3, "reward": 3.33}, "", (3, 999)),
        ({"minQuantity": 3, "reward": 3.3333333}, None, (3, 1000)),
        ({"minQuantity": 2, "reward": 3.0}, "Pick any 2 for $9", (2, 900)),
        ({"minQuantity": 3, "reward": 2.3}, "Pick any 3 for $7", (3, 700)),
        ({"minQuantity": 3, "reward": 2}, "Buy three for $7", (3, 700)),
        ({"minQuantity": 4, "reward": 0.23}, "4 for 90c", (4, 90)),
        ({"minQuantity": 2, "reward": 3.0}, "Pick any 3 for $8", (2, 600)),
        ({"minQuantity": 2}, "Pick any 2 for $7", (2, 700)),
        ({"minQuantity": 2, "reward": 2.85}, "Pick any 2 for $5.70", (2, 570)),
    ],
)
def test_the_reward_of_a_multibuy_is_the_price_of_each(promotion, text, expected):
    item = mapped(pricing={**offer(**promotion), "offerDescription": text})
    assert (item.multibuy_quantity, item.multibuy_total_cents) == expected
    assert (item.offer_kind, item.offer_id, item.is_on_special) == ("multibuy", "730815342", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pick any 2 for $7", (2, 700)),
        ("Buy 5 for $4", (5, 400)),
        ("Any two for $7.50", (2, 750)),
        ("Save on 1 for $4", (None, None)),
        ("Half price", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_multibuy_in_words_alone_is_one(text, expected):
    item = mapped(pricing={"was": 0, "promotionType": "SPECIAL", "specialType": "MULTI_SAVE", "offerDescription": text})
    assert (item.multibuy_quantity, item.multibuy_total_cents) == expected
    assert (item.offer_kind, item.offer_id) == (("multibuy", None) if expected[0] else (None, None))


@pytest.mark.parametrize(
    "changes",
    [
        {"promotionType": "FLYBUYS"},
        {"offerDescription": "Flybuys members: pick any 2 for $7"},
        {"offerDescription": "Pick any 2 for $7", "priceDescription": "Member price"},
    ],
)
def test_a_members_multibuy_is_never_everyones(changes):
    for promotion in (offer(minQuantity=2, reward=3.5), {"was": 0}):
        item = mapped(pricing={**promotion, "offerDescription": "Pick any 2 for $7", **changes})
        assert (item.multibuy_quantity, item.multibuy_total_cents) == (None, None)
        assert (item.member_multibuy_quantity, item.member_multibuy_total_cents) == (2, 700)
        assert (item.offer_kind, item.price_cents) == ("member_multibuy", 450)


def test_a_members_price_is_never_everyones():
    item = mapped(pricing={"now": 4.5, "was": 5, "promotionType": "FLYBUYS"})
    assert (item.price_cents, item.was_price_cents, item.member_price_cents) == (500, None, 450)
    assert mapped(pricing={"now": 4.5, "was": 0, "promotionType": "FLYBUYS"}).member_price_cents is None
    assert mapped().member_price_cents is None


@pytest.mark.parametrize(
    ("size", "unit", "now", "comparable", "grams"),
    [
        ("approx.100g", {"quantity": 1000, "ofMeasureUnits": "g"}, 42.0, "$42.00/ 1kg", 1000),
        ("approx.100g", {"quantity": 1, "ofMeasureUnits": "kg"}, 42.0, "$42.00/ 1kg", 1000),
        ("approx.100g", {"quantity": 100, "ofMeasureUnits": "g"}, 4.2, "$42.00/ 1kg", 100),
        ("approx. 226g", {"quantity": 226, "ofMeasureUnits": "kg"}, 11.75, "$52.00/ 1kg", 226),
        ("approx. 226g", {"quantity": 1000, "ofMeasureUnits": "g"}, 11.75, "$52.00/ 1kg", 226),
        ("approx. 226g", {"quantity": 1000, "ofMeasureUnits": "g"}, 11.75, "", 226),
        ("approx .150g", {"quantity": 150, "ofMeasureUnits": "g"}, 3.0, "$20.00/ 1kg", 150),
        ("approx .150g", {}, 3.0, "$20.00/ 1kg", 150),
        ("approx. 200g", {"quantity": 500, "ofMeasureUnits": "g"}, 5.0, "$1.00/ 100g", 500),
        ("", {"quantity": 500, "ofMeasureUnits": "g"}, 9.99, "$1.00/ 100g", 500),
    ],
)
def test_a_weighted_rows_weight_is_the_one_that_now_is_the_price_of(size, unit, now, comparable, grams):
    pricing = {"now": now, "was": 0, "unit": {**unit, "isWeighted": True}, "comparable": comparable}
    item = mapped(SALMON, pricing=pricing, size=size)
    assert (item.typical_grams, item.is_estimated, item.price_basis) == (grams, True, "each")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"pageProps": {"product": {"id": 8150288, "name": "Milk", "gtin": None}}}, True),
        ({"props": {"pageProps": {"product": {"id": "8150288"}}}}, True),
        ({"pageProps": {"product": {"id": 8150289, "gtin": "9300633963583"}}}, False),
        ({"pageProps": {"product": {"gtin": "9300633963583"}}}, False),
        ({"pageProps": {"product": {}}}, False),
        ({"pageProps": {"product": None, "statusCode": 404}}, False),
        ({"pageProps": {"product": {"statusCode": 503}}}, False),
        ({"pageProps": {"__N_REDIRECT": "/product/milk-8150288", "__N_REDIRECT_STATUS": 308}, "__N_SSP": True}, False),
        ({"pageProps": {"__N_REDIRECT": "/", "product": {"id": 8150288}}}, False),
        ({"notFound": True}, False),
        ({"notFound": True, "pageProps": {"product": {"id": 8150288}}}, False),
        ({"statusCode": 500, "message": "Internal Server Error"}, False),
        ({"errors": [{"message": "x"}]}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_product_page_answers_only_where_it_shows_the_product(body, shown):
    assert coles.shows_product(body, "8150288") is shown


@pytest.mark.parametrize(
    ("target", "slug"),
    [
        ("/product/sample-milk-8150288", "sample-milk-8150288"),
        ("https://www.coles.com.au/product/sample-milk-8150288?x=1#y", "sample-milk-8150288"),
        ("/product/8150288", "8150288"),
        ("/product/sample-milk-8150289", None),
        ("https://www.coles.com.au.example.com/product/milk-8150288", None),
        ("https://example.com/product/milk-8150288", None),
        ("//example.com/product/milk-8150288", None),
        ("http://www.coles.com.au/product/milk-8150288", None),
        ("/product/../browse/milk-8150288", None),
        ("/product/a/b-8150288", None),
        ("/browse/milk-8150288", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
        (5, None),
        ("/product/" + "x" * 5000 + "-8150288", None),
    ],
)
def test_a_redirect_is_to_another_address_of_that_product_on_the_site(target, slug):
    assert coles.redirect({"pageProps": {"__N_REDIRECT": target}}, "8150288") == slug


@pytest.mark.parametrize("promotion", [None, {}, [], "2 for $6"])
def test_without_a_promotion_there_is_no_multibuy(promotion):
    item = mapped(pricing={"multiBuyPromotion": promotion})
    assert (item.multibuy_quantity, item.multibuy_total_cents, item.offer_kind, item.offer_id) == (None,) * 4


@pytest.mark.parametrize(
    "promotion", [{"minQuantity": 2}, {"minQuantity": "2", "reward": 3}, {"minQuantity": 2, "reward": float("nan")}]
)
def test_a_multibuy_that_cannot_be_read_is_passed_on_to_be_counted(promotion):
    item = mapped(pricing=offer(**promotion))
    assert (item.multibuy_total_cents, item.offer_kind) == (None, "multibuy")
    tally = Tally()
    PricePipeline(tally).process_item(item)
    assert tally.counts == {"splitcart/price/multibuy_incomplete": 1}
    assert (item.multibuy_quantity, item.offer_kind, item.offer_id) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "drop"),
    [
        ({"_type": "SINGLE_TILE"}, Drop("single_tile")),
        ({"_type": "PRODUCT_ASSOCIATION"}, Drop("product_association")),
        ({"_type": "CONTENT_ASSOCIATION", "id": None}, Drop("content_association")),
        ({"_type": "SHOPPABLE_BANNER"}, Drop("shoppable_banner")),
        ({"_type": None}, Drop("not_a_product")),
        ({"_type": "x" * 1000}, Drop("not_a_product")),
        ({"targetProductId": 5}, Drop("product_association")),
        ({"_type": "PRODUCT", "targetProductId": None, "id": None}, Drop("no_sku")),
        ({"id": None}, Drop("no_sku")),
    ],
)
def test_a_record_that_makes_no_item_is_dropped_with_a_reason(changes, drop):
    assert mapped(**changes) == drop


@pytest.mark.parametrize(
    "pricing", [[], "1", 2, {}, *({"now": now} for now in ("free", -1, 0, {}, True, 1e9, float("inf")))]
)
def test_a_price_that_cannot_be_read_is_a_sighting_without_a_price(pricing):
    assert_sighted(coles.to_item({**COLES_MILK, "pricing": pricing}, store_id="766", now=NOW), "8150288")


def test_a_record_that_mentions_no_price_is_a_sighting_without_a_price():
    assert_sighted(mapped(without=("pricing",)), "8150288")


@pytest.mark.parametrize("name", [" ", None, 7, {}, "\u200b"])
def test_a_name_that_cannot_be_read_is_none(name):
    assert_unnamed(mapped(name=name), mapped().price_cents)


@pytest.mark.parametrize(
    "changes", [{"pricing": None}, {"pricing": {"now": None}}, {"pricing": {"now": 0}, "availability": False}]
)
def test_a_null_price_is_an_unavailable_listing_and_readable(changes):
    item = coles.to_item({**COLES_MILK, **changes}, store_id="766", now=NOW)
    assert (item.price_cents, item.is_available, item.is_unreadable) == (None, False, False)


def test_the_category_is_that_of_the_crawl_only_if_the_product_has_none():
    arguments = {"store_id": "766", "now": NOW, "category_path": ("Pantry", "Oils")}
    assert coles.to_item(COLES_MILK, **arguments).category_path[0] == "Dairy, Eggs & Fridge"
    assert coles.to_item({**COLES_MILK, "onlineHeirs": []}, **arguments).category_path == ("Pantry", "Oils")
    only_promo = {**COLES_MILK, "onlineHeirs": COLES_MILK["onlineHeirs"][:1]}
    assert coles.to_item(only_promo, **arguments).category_path == ("Pantry", "Oils")


@pytest.mark.parametrize(
    "body",
    [
        {"pageProps": {"searchResults": {"results": [COLES_MILK]}}, "__N_SSP": True},
        {"props": {"pageProps": {"searchResults": {"results": [COLES_MILK]}}}, "buildId": "20260702.2-ab"},
        {"initStoreId": "0766", "searchResults": {"results": [COLES_MILK]}},
        {"results": [COLES_MILK], "noOfResults": 1},
        [COLES_MILK],
        COLES_MILK,
        {key: value for key, value in COLES_MILK.items() if key != "_type"},
        {"pageProps": {"searchResults": None, "product": COLES_MILK}},
    ],
)
def test_records_are_found_in_every_known_envelope(body):
    assert [{**record, "_type": "PRODUCT"} for record in coles.records(body)] == [COLES_MILK]


def test_a_product_page_gives_its_product_with_the_barcode():
    body = {"pageProps": {"product": {**COLES_MILK, "gtin": "9300633963583,9310043003014"}}}
    (record,) = coles.records(body)
    assert coles.to_item(record, store_id="766", now=NOW).gtin == "09300633963583"


@pytest.mark.parametrize("body", [None, {}, 5, {"pageProps": None}, {"searchResults": {"results": None}}])
def test_a_body_without_results_has_no_records(body):
    assert coles.records(body) == []


@pytest.mark.parametrize(
    ("sent", "store"),
    [("0766", "766"), ("0314", "314"), (766, "766"), ("766", "766"), (None, None), ("", None), ("COL:3", None)],
)
def test_the_store_that_answered_is_compared_without_its_padding(sent, store):
    assert coles.answered_for({"initStoreId": sent}) == store
    assert coles.answered_for({"pageProps": {"initStoreId": sent}}) == store
    assert coles.answered_for({"props": {"pageProps": {"initStoreId": sent}}}) == store


def page(body, attributes='id="__NEXT_DATA__" type="application/json"'):
    return f"<html><body><script>var a = 1</script><script {attributes}>{json.dumps(body)}</script></body></html>"


def test_a_page_gives_its_next_data():
    body = {"props": {"pageProps": {"searchResults": {"results": [COLES_MILK]}}}}
    assert coles.next_data(page(body)) == body
    shown = page(body, "type='application/json' id='__NEXT_DATA__' nonce='x'")
    assert coles.records(coles.next_data(shown)) == [COLES_MILK]


@pytest.mark.parametrize(
    "html",
    [
        "<html><head><title>Pardon Our Interruption</title></head></html>",
        '<script id="__NEXT_DATA__">{"cut": </script>',
        '<script id="__NEXT_DATA__">{"cut": ',
        '<script id="__NEXT_DATA__">[1]</script>',
        '<script id="__NEXT_DATA__">' + "[" * 100_000 + "</script>",
        "",
        None,
        b"<html>",
    ],
)
def test_a_page_without_product_data_gives_none(html):
    assert coles.next_data(html) is None


@pytest.mark.parametrize(
    "piece", ["<script>", "<script ", "<script></script>", "</script", "</script>", "<script>x</script "]
)
def test_the_longest_pages_are_read_in_no_time(piece):
    start = time.process_time()
    for end in ("", "</script>"):
        coles.next_data(piece * 20_000 + end)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("body", "gtin"),
    [
        ({"product": {"id": 8150288, "gtin": "9300633963583"}}, "09300633963583"),
        ({"pageProps": {"product": {"gtin": "9300633963583"}}}, "09300633963583"),
        ({"props": {"pageProps": {"product": {"gtin": "9300633963583"}}}}, "09300633963583"),
        ({"product": {"gtin": ["96385074", "9300633963583"]}}, "09300633963583"),
        ({"product": {"gtin": "036000291452,9300633963583"}}, "09300633963583"),
        ({"product": {"gtin": "036000291452"}}, "00036000291452"),
        ({"product": {"gtin": None}}, None),
        ({"product": {}}, None),
        ({"product": {"gtin": "9300633963584"}}, None),
        ({"product": {"id": 96385074, "gtin": "96385074"}}, None),
        ({"@type": "Product", "gtin": "9300633963583"}, "09300633963583"),
        ({"@type": "Product", "gtin13": "9300633963583"}, "09300633963583"),
        ({"@type": ["Product"], "mpn": "9300633963583"}, "09300633963583"),
        ([{"@type": "BreadcrumbList"}, {"@type": "Product", "gtin": 9300633963583}], "09300633963583"),
        ({"@graph": [{"@type": "Product", "gtin": "9300633963583"}]}, "09300633963583"),
        ({"@type": "Offer", "gtin": "9300633963583"}, None),
        (None, None),
        ("x", None),
    ],
)
def test_the_barcode_of_a_product_page_is_a_true_one(body, gtin):
    assert coles.gtin_from_product(body) == gtin


def test_json_ld_of_a_page_gives_the_barcode():
    html = page({"@type": "Product", "gtin": "9300633963583"}, 'type="application/ld+json"')
    assert coles.gtin_from_product(coles.json_ld(html), "8150288") == "09300633963583"
    assert coles.json_ld("<script type='application/ld+json'>{</script>") == []


@given(record=mutated(SALMON) | mutated(COLES_MILK))
def test_a_mutated_record_is_an_item_within_bounds_or_a_drop(record):
    assert_bounded(coles.to_item(record, store_id="766", now=NOW))
    coles.gtin_from_product(record)


@given(body=json_values)
def test_no_json_value_raises(body):
    coles.answered_for(body)
    coles.gtin_from_product(body)
    for record in [body, *coles.records(body), *coles.records({"pageProps": {"searchResults": {"results": body}}})]:
        assert_bounded(coles.to_item(record, store_id="766", now=NOW))


@pytest.mark.parametrize("field", [*COLES_MILK, *COLES_MILK["pricing"]])
def test_every_field_survives_every_absurd_value(field):
    for value in ABSURD:
        assert_bounded(mapped(SALMON, **{field: value} if field in COLES_MILK and field != "pricing" else {}))
        assert_bounded(mapped(SALMON, pricing={field: value, "multiBuyPromotion": value}))
