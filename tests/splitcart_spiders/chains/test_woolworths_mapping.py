"""The Woolworths mapping, field by field, and what it does with records that contradict themselves."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from pipelines.price import PricePipeline
from splitcart_spiders.chains import woolworths
from splitcart_spiders.items import Drop, ProductItem
from tests.support.bounds import assert_bounded, assert_sighted, assert_unnamed
from tests.support.mutations import ABSURD, json_values, mutated
from tests.support.records import CRUMPETS
from tests.support.stages import Tally

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def mapped(changes=None, without=(), **arguments):
    record = {key: value for key, value in {**CRUMPETS, **(changes or {})}.items() if key not in without}
    return woolworths.to_item(record, store_id="1147", now=NOW, **arguments)


def test_every_field_of_a_special_comes_from_its_specified_source():
    assert mapped() == ProductItem(
        company="Woolworths",
        store_id="1147",
        sku="49622",
        name="Golden Crumpets Round 6 pack",
        brand="Golden",
        gtin="9310043003014",
        size="6 pack",
        price_cents=200,
        was_price_cents=480,
        is_on_special=True,
        category_path=("Bakery", "English Muffins & Crumpets", "Crumpets"),
        url="https://www.woolworths.com.au/shop/productdetails/49622/golden-crumpets-round",
        image_url="https://cdn1.woolworths.media/content/wowproductimages/large/049622.jpg",
        scraped_at=NOW,
        shelf_unit_price="0.33",
        shelf_unit_measure="1EA",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"WasPrice": 2}, {"was_price_cents": None, "is_on_special": False}),
        ({"WasPrice": 1.5}, {"was_price_cents": None, "is_on_special": False}),
        ({"WasPrice": "4.80"}, {"was_price_cents": 480}),
        ({"WasPrice": {"a": 1}}, {"was_price_cents": None}),
        ({"WasPrice": None}, {"was_price_cents": None}),
        ({"Price": 4.615}, {"price_cents": 462}),
        ({"Price": 1.005, "WasPrice": 1.005}, {"price_cents": 100}),
        ({"Price": "2.00"}, {"price_cents": 200}),
        (
            {"Price": None},
            {"price_cents": None, "is_available": False, "is_on_special": False, "was_price_cents": None},
        ),
        ({"Price": 0, "IsAvailable": False}, {"price_cents": None, "is_available": False}),
        ({"IsAvailable": False}, {"price_cents": 200, "is_available": False}),
        ({"IsAvailable": None, "IsInStock": False}, {"is_available": False}),
        ({"IsRanged": False}, {"is_ranged": False}),
        ({"IsRanged": None}, {"is_ranged": True}),
        ({"Brand": ""}, {"brand": None}),
        ({"Brand": None}, {"brand": None}),
        ({"DisplayName": None}, {"name": "Golden Crumpets Round"}),
        ({"DisplayName": "  Two \x00 words\n"}, {"name": "Two words"}),
        ({"DisplayName": "a\ud83db"}, {"name": "ab"}),
        ({"Stockcode": "49622"}, {"sku": "49622"}),
        ({"Stockcode": 49622.0}, {"sku": "49622"}),
        ({"Barcode": "78912345678"}, {"gtin": "078912345678"}),
        ({"Barcode": "0265178000003"}, {"gtin": "0265178000003"}),
        ({"Barcode": None}, {"gtin": None}),
        ({"Barcode": "none"}, {"gtin": None}),
        ({"CupPrice": None}, {"shelf_unit_price": None}),
        ({"CupPrice": 0.7, "CupMeasure": "100G"}, {"shelf_unit_price": "0.70", "shelf_unit_measure": "100G"}),
        ({"CupPrice": 0.125}, {"shelf_unit_price": "0.125"}),
        ({"CupPrice": 0}, {"shelf_unit_price": None}),
        ({"UrlFriendlyName": None}, {"url": "https://www.woolworths.com.au/shop/productdetails/49622"}),
        ({"UrlFriendlyName": "../a b"}, {"url": "https://www.woolworths.com.au/shop/productdetails/49622/..%2Fa%20b"}),
        ({"LargeImageFile": "javascript:alert(1)"}, {"image_url": None}),
        ({"IsSponsoredAd": True}, {"sponsored": True, "category_path": ()}),
        ({"AdStatus": "Promoted"}, {"sponsored": True}),
        ({"Source": "Aisle.Bakery.Promoted"}, {"sponsored": True}),
        ({"AdditionalAttributes": {"piesdepartmentnamesjson": "[" * 100_000}}, {"category_path": ()}),
        ({"AdditionalAttributes": {"piesdepartmentnamesjson": "[" * 1_900}}, {"category_path": ()}),
        ({"AdditionalAttributes": {"piesdepartmentnamesjson": "not json"}}, {"category_path": ()}),
        ({"AdditionalAttributes": None}, {"category_path": ()}),
        ({"Price": 5, "MinWeightPrice": 3, "MaxWeightPrice": 5}, {"is_estimated": True, "price_basis": "each"}),
        ({"PackageSize": "1kg - 2.5kg"}, {"is_estimated": True, "size": "1kg - 2.5kg"}),
        ({"MinWeightPrice": None, "MaxWeightPrice": 5}, {"is_estimated": False}),
        ({"CupPrice": "\u0663"}, {"shelf_unit_price": None}),
    ],
)
def test_a_field_has_the_value_of_its_source(changes, expected):
    item = mapped(changes)
    assert {field: getattr(item, field) for field in expected} == expected


def test_loose_goods_are_priced_by_the_kilogram_with_the_step_as_typical_weight():
    item = mapped({"Unit": "KG", "Price": 4.5, "WasPrice": 4.5, "IncrementalMinimumQuantity": 125.0})
    assert (item.price_cents, item.price_basis, item.typical_grams, item.is_estimated) == (450, "kg", 125, False)
    kilos = {"Unit": "KG", "IncrementalMinimumQuantity": 0.5, "IncrementalMinimumQuantityUnit": "kg"}
    assert mapped(kilos).typical_grams == 500
    assert mapped({"Unit": "KG", "IncrementalMinimumQuantity": None}).typical_grams is None


def test_a_multibuy_keeps_the_total_of_its_quantity_and_is_not_a_special():
    data = {"Quantity": 3, "Price": 1.95, "CupTag": "$0.54/100G"}
    item = mapped({"Price": 0.8, "WasPrice": 0.8, "CentreTag": {"TagType": "Html", "MultibuyData": data}})
    assert (item.multibuy_quantity, item.multibuy_total_cents, item.offer_kind) == (3, 195, "multibuy")
    assert (item.offer_id, item.is_on_special) == ("24306557", False)


@pytest.mark.parametrize("data", [{"Quantity": "3", "Price": {}}, {"Quantity": 2.5, "Price": 3}, {"Price": 3}])
def test_a_multibuy_that_cannot_be_read_is_passed_on_to_be_counted(data):
    item, tally = mapped({"CentreTag": {"MultibuyData": data}}), Tally()
    assert (item.multibuy_quantity, item.offer_kind) == (None, "multibuy")
    PricePipeline(tally).process_item(item)
    assert tally.counts == {"splitcart/price/multibuy_incomplete": 1}
    assert (item.multibuy_total_cents, item.offer_kind, item.offer_id) == (None, None, None)


def test_a_members_price_is_an_item_field_beside_everyones_price():
    data = {"PromotionalPrice": 5.0, "ComparativeUnitPrice": "$3.33", "ComparativeSize": 100, "ComparativeSizeUom": "G"}
    item = mapped({"Price": 6.5, "WasPrice": 6.5, "CentreTag": {"MemberPriceData": data}})
    assert (item.price_cents, item.member_price_cents, item.is_on_special) == (650, 500, False)
    assert (item.multibuy_quantity, item.offer_kind) == (None, None)
    assert mapped({"CentreTag": {"MemberPriceData": {"PromotionalPrice": "$5.00"}}}).member_price_cents == 500
    for none in (None, {}, [], {"PromotionalPrice": None}, {"PromotionalPrice": 0}, {"PromotionalPrice": -1}):
        assert mapped({"CentreTag": {"MemberPriceData": none}}).member_price_cents is None


LABELS = [
    {"CentreTag": {"TagContentText": "Member Price 3 for $12 - $2.67/100G"}},
    {"CentreTag": {"TagContentText": "3 for $12", "TagContent": '<a href="/x">Members: 3 for $12</a>'}},
    {"CentreTag": {"TagContentText": "3 for $12", "FallbackText": "Member Price"}},
    {"CentreTag": {"TagContentText": "3 for $12", "PromotionType": "MEMBER_PRICE"}},
    {"CentreTag": {"TagContentText": "3 for $12", "IsRegisteredRewardCardPromotion": True}},
    {"CentreTag": {"TagContentText": "3 for $12"}, "ImageTag": {"FallbackText": "Member Price"}},
    {"CentreTag": {"TagContentText": "3 for $12"}, "ImageTag": {"TagContent": "members only"}},
]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("data", [{"Quantity": 3, "Price": 12.0, "CupTag": "$2.67/100G"}, None])
def test_a_multibuy_under_a_members_label_is_never_everyones(label, data):
    item = mapped({**label, "Price": 6, "WasPrice": 6, "CentreTag": {**label["CentreTag"], "MultibuyData": data}})
    assert (item.multibuy_quantity, item.multibuy_total_cents) == (None, None)
    assert (item.member_multibuy_quantity, item.member_multibuy_total_cents) == (3, 1200)
    assert (item.offer_kind, item.offer_id, item.price_cents) == ("member_multibuy", "24306557", 600)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("3 for $12 - $2.67/100G ", (3, 1200)),
        ("Buy 5 for $4", (5, 400)),
        ("Was $34 - 09/06/2026", (None, None)),
        ("Range was $3.70 - 07/09/2025", (None, None)),
    ],
)
def test_a_multibuy_in_the_words_of_the_tag_alone_is_one(text, terms):
    for tag in ({"TagContentText": text}, {"TagContentText": None, "TagContent": f'<a href="/o?p=2">{text}</a>'}):
        item = mapped({"CentreTag": {**tag, "MultibuyData": None}, "ImageTag": {"FallbackText": "Buy More Save More"}})
        assert (item.multibuy_quantity, item.multibuy_total_cents) == terms
        assert item.member_multibuy_quantity is None
    assert mapped({"ImageTag": {"FallbackText": "2 for $7"}}).multibuy_total_cents == 700


@pytest.mark.parametrize("data", [None, [], "3 for 2", {}])
def test_without_multibuy_data_there_is_no_multibuy(data):
    item = mapped({"CentreTag": {"MultibuyData": data}})
    assert (item.multibuy_quantity, item.multibuy_total_cents, item.offer_kind, item.offer_id) == (None,) * 4


@pytest.mark.parametrize(
    ("changes", "without", "drop"),
    [
        ({"Stockcode": None}, (), Drop("no_sku")),
        ({"Stockcode": True}, (), Drop("no_sku")),
        ({"Stockcode": {}}, (), Drop("no_sku")),
        ({"Stockcode": -4}, (), Drop("no_sku")),
        ({"IsMarketProduct": True}, (), Drop("marketplace", "49622")),
        ({"Vendor": "Some Shop"}, (), Drop("marketplace", "49622")),
        ({"ThirdPartyProductInfo": {"VendorId": 1}}, (), Drop("marketplace", "49622")),
        ({"Stockcode": 1128022171}, (), Drop("marketplace", "1128022171")),
    ],
)
def test_a_record_that_makes_no_item_is_dropped_with_a_reason(changes, without, drop):
    assert mapped(changes, without) == drop


@pytest.mark.parametrize("price", ["cheap", "", -1, 0, 1e12, True, float("nan"), [], {"now": 2}])
def test_a_price_that_cannot_be_read_is_a_sighting_without_a_price(price):
    assert_sighted(mapped({"Price": price}), "49622")


def test_a_record_that_mentions_no_price_is_a_sighting_without_a_price():
    assert_sighted(mapped({}, ("Price",)), "49622")


@pytest.mark.parametrize("name", ["", None, 7, {}])
def test_a_name_that_cannot_be_read_is_none(name):
    assert_unnamed(mapped({"DisplayName": name, "Name": name}), mapped().price_cents)
    assert mapped({"DisplayName": name, "Name": "Crumpets"}).is_unreadable is False


@pytest.mark.parametrize(
    "changes", [{"Price": None}, {"Price": None, "IsAvailable": False}, {"Price": 0, "IsAvailable": False}]
)
def test_a_null_price_is_an_unavailable_listing_and_readable(changes):
    item = mapped(changes)
    assert (item.price_cents, item.is_available, item.is_unreadable) == (None, False, False)


@pytest.mark.parametrize("changes", [{"IsMarketProduct": True}, {"Price": -1}, {"DisplayName": "", "Name": ""}])
def test_an_advertisement_that_is_dropped_or_unreadable_is_still_marked_as_one(changes):
    """No total counts it: as a listed row it could stand in for one that never came."""
    assert mapped({**changes, "IsSponsoredAd": True}).sponsored is True
    assert mapped(changes).sponsored is False


def test_another_sellers_rows_are_kept_when_asked_for():
    assert mapped({"IsMarketProduct": True, "Stockcode": 1128022171}, keep_marketplace=True).sku == "1128022171"


def test_the_category_is_that_of_the_crawl_unless_it_came_through_a_campaign():
    assert mapped(category_path=("Pantry", "Spreads")).category_path == ("Pantry", "Spreads")
    assert mapped(category_path=("Big Night In",)).category_path[0] == "Bakery"
    assert mapped({"AdditionalAttributes": {}}, category_path=("Specials", "Half")).category_path == (
        "Specials",
        "Half",
    )


@pytest.mark.parametrize(
    ("departments", "categories", "path"),
    [
        (["Bakery", "Lunch Box"], ["Bread", "Rolls", "Snacks"], ("Bakery", "Bread")),
        (["Big Night In", "Bakery"], ["Party", "Bread"], ("Bakery", "Bread")),
        (["Big Night In", "Bakery"], ["Party"], ("Bakery",)),
        (["Everyday Market", "Front of Store", "Bakery"], [], ("Bakery",)),
        (["Specials"], ["Half Price"], ("Specials", "Half Price")),
        ([None, "Bakery"], ["Bread"], ("Bread",)),
        ([], ["Bread"], ("Bread",)),
    ],
)
def test_a_product_on_several_shelves_lies_on_the_first_outside_the_campaigns(departments, categories, path):
    names = {"piesdepartmentnamesjson": json.dumps(departments), "piescategorynamesjson": json.dumps(categories)}
    assert mapped({"AdditionalAttributes": names}).category_path == path


def test_the_caller_may_overrule_the_advertising_marks_of_a_row():
    assert mapped({"IsSponsoredAd": True}, sponsored=False).sponsored is False
    assert mapped(sponsored=True, category_path=("Bakery",)).category_path == ()


def test_only_own_rows_show_which_store_answered():
    assert woolworths.answered_for(CRUMPETS) == "1101"
    assert woolworths.answered_for({**CRUMPETS, "IsMarketProduct": True, "FulfilmentStoreId": 1100}) is None
    assert [woolworths.answered_for(junk) for junk in (None, [], "x", {}, {"FulfilmentStoreId": {}})] == [None] * 5


ROW = {"Stockcode": 1}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"Bundles": [{"Products": [ROW]}]}, [ROW]),
        ({"Bundles": [{"Products": [ROW, ROW]}, {"Products": None}, {"Products": []}]}, [ROW, ROW]),
        ({"Products": [{"Products": [ROW]}], "SearchResultsCount": 1}, [ROW]),
        ({"Products": [ROW, ROW]}, [ROW, ROW]),
        ({"Bundles": None, "Products": [ROW]}, [ROW]),
        ({"Product": ROW, "Nutrition": None}, [ROW]),
        ([{"Products": [ROW]}, ROW], [ROW, ROW]),
        (ROW, [ROW]),
        ([None, 3], [None, 3]),
        ({"Bundles": None}, []),
        ({"Bundles": {"Products": [ROW]}}, []),
        ({}, []),
        (None, []),
        ("Access Denied", []),
    ],
)
def test_records_are_found_in_every_known_envelope(body, found):
    assert woolworths.records(body) == found


@given(record=mutated(CRUMPETS))
def test_a_mutated_record_is_an_item_within_bounds_or_a_drop(record):
    assert_bounded(woolworths.to_item(record, store_id="1147", now=NOW))
    woolworths.answered_for(record)


@given(body=json_values)
def test_no_json_value_raises(body):
    for record in [body, *woolworths.records(body), *woolworths.records({"Bundles": body})]:
        assert_bounded(woolworths.to_item(record, store_id="1147", now=NOW))


@pytest.mark.parametrize("field", sorted(CRUMPETS))
def test_every_field_survives_every_absurd_value(field):
    for value in ABSURD:
        assert_bounded(mapped({field: value}))
