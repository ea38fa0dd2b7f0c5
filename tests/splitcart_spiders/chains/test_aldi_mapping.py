"""The ALDI mapping, field by field: cents, approximate packs, flags that mean something else."""

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given

from splitcart_spiders.chains import aldi
from splitcart_spiders.items import Drop, ProductItem
from tests.support.bounds import assert_bounded, assert_sighted, assert_unnamed
from tests.support.mutations import ABSURD, json_values, mutated
from tests.support.records import CHICKEN, OATS

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def mapped(price=None, without=(), **changes):
    record = {key: value for key, value in {**copy.deepcopy(OATS), **changes}.items() if key not in without}
    if price:
        record["price"] = {**record["price"], **price}
    return aldi.to_item(record, store_id="G452", now=NOW)


def test_every_field_comes_from_its_specified_source():
    assert mapped() == ProductItem(
        company="ALDI",
        store_id="G452",
        sku="000000000000457910",
        name="Rolled Oats 280g",
        brand="GOLDENVALE",
        size="280 g",
        price_cents=469,
        category_path=("Pantry", "Breakfast"),
        url="https://www.aldi.com.au/product/goldenvale-rolled-oats-280g-000000000000457910",
        image_url="https://dm.apac.cms.aldi.cx/is/image/prod/457910/scaleWidth/500",
        scraped_at=NOW,
        shelf_unit_price="1.68",
        shelf_unit_measure="100 g",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"notForSale": True}, {"is_available": True}),
        ({"discontinued": True}, {"is_available": False, "price_cents": 469}),
        ({"discontinued": None}, {"is_available": True}),
        ({"brandName": None}, {"brand": None}),
        ({"sellingSize": None}, {"size": None, "is_estimated": False}),
        ({"sellingSize": "2,000 ml"}, {"size": "2,000 ml"}),
        ({"price": {"wasPriceDisplay": "$5.99"}}, {"was_price_cents": 599, "is_on_special": True}),
        ({"price": {"wasPriceDisplay": "$4.69"}}, {"was_price_cents": None, "is_on_special": False}),
        ({"price": {"wasPriceDisplay": "was $5"}}, {"was_price_cents": 500}),
        ({"price": {"wasPriceDisplay": "soon"}}, {"was_price_cents": None}),
        ({"price": {"amount": 79, "wasPriceDisplay": "95c"}}, {"was_price_cents": 95, "is_on_special": True}),
        ({"price": {"amount": 79, "wasPriceDisplay": "Was 95 cents"}}, {"was_price_cents": 95}),
        ({"price": {"amount": 79, "wasPriceDisplay": "95¢"}}, {"was_price_cents": 95}),
        ({"price": {"amount": 79, "wasPriceDisplay": "79c"}}, {"was_price_cents": None}),
        ({"price": {"wasPriceDisplay": "was $1,095.50 each"}}, {"was_price_cents": 109_550}),
        ({"price": {"wasPriceDisplay": "95cm"}}, {"was_price_cents": None}),
        ({"price": {"comparison": 63, "comparisonDisplay": "63c per 1 L"}}, {"shelf_unit_price": "0.63"}),
        ({"price": {"comparison": 63, "comparisonDisplay": "63c per 1 L"}}, {"shelf_unit_measure": "1 L"}),
        ({"price": {"comparison": None, "comparisonDisplay": "63c per 1 L"}}, {"shelf_unit_price": "0.63"}),
        ({"price": {"amount": None}}, {"price_cents": None, "is_available": False}),
        ({"price": {"comparison": None, "comparisonDisplay": None}}, {"shelf_unit_price": None}),
        ({"price": {"comparison": None}}, {"shelf_unit_price": "1.68", "shelf_unit_measure": "100 g"}),
        ({"price": {"comparison": None, "comparisonDisplay": "soon"}}, {"shelf_unit_price": ""}),
        ({"price": {"comparisonDisplay": "soon"}}, {"shelf_unit_price": "1.68", "shelf_unit_measure": "soon"}),
        ({"price": {"comparisonDisplay": "$1.68 per 100 sheets"}}, {"shelf_unit_measure": "100 sheets"}),
        ({"price": {"comparison": 250, "comparisonDisplay": "$2.50 per 2 PAC"}}, {"shelf_unit_price": "2.50"}),
        ({"categories": [{"name": "Limited Time Only"}]}, {"category_path": ("Limited Time Only",)}),
        ({"categories": None}, {"category_path": ()}),
        ({"assets": []}, {"image_url": None}),
        ({"urlSlugText": None}, {"url": None}),
    ],
)
def test_a_field_has_the_value_of_its_source(changes, expected):
    item = mapped(**changes)
    assert {field: getattr(item, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("size", "price", "cents", "grams"),
    [
        ("approx. 1.8 kg per package", {}, 1078, 1800),
        ("approx. 0.2 kg per piece", {}, 120, 200),
        ("approx. 0.2 kg per fillet", {}, 120, 200),
        ("approx. 0.5 kg per package", {"amount": 499, "comparison": 499}, 250, 500),
        ("approx. 1 kg per package", {}, 599, 1000),
        ("approx. 1.5 - 2 kg per package", {}, 1198, 2000),
        ("1.5 kg - 2 kg", {}, 1198, 2000),
        ("approx. 1.8 kg per package", {"comparison": 60, "comparisonDisplay": "$0.60 per 100 g"}, 1078, 1800),
        ("approx. 1.8 kg per package", {"amount": 1078}, 1078, 1800),
        ("approx. 0.4 kg per package", {"amount": 300, "comparison": 750}, 300, 400),
    ],
)
def test_an_approximate_pack_costs_its_weight_when_the_amount_is_per_kilogram(size, price, cents, grams):
    item = mapped(price={**CHICKEN["price"], **price}, sellingSize=size)
    assert (item.price_cents, item.typical_grams, item.price_basis, item.is_estimated) == (cents, grams, "each", True)


def test_an_exact_pack_is_never_multiplied_by_its_weight():
    item = mapped(price=CHICKEN["price"], sellingSize="1 kg")
    assert (item.price_cents, item.is_estimated, item.typical_grams) == (599, False, None)


def test_the_price_before_of_an_approximate_pack_is_per_kilogram_too():
    item = mapped(price={**CHICKEN["price"], "wasPriceDisplay": "$6.99"}, sellingSize=CHICKEN["sellingSize"])
    assert (item.price_cents, item.was_price_cents, item.is_on_special) == (1078, 1258, True)


@pytest.mark.parametrize(
    ("changes", "drop"),
    [
        ({"sku": None}, Drop("no_sku")),
        ({"sku": 457910}, Drop("no_sku")),
    ],
)
def test_a_record_that_makes_no_item_is_dropped_with_a_reason(changes, drop):
    assert mapped(**changes) == drop


@pytest.mark.parametrize(
    "price", [[], 469, "4.69", {}, *({"amount": amount} for amount in (4.69, "469", 0, -469, True, [], 10**8))]
)
def test_a_price_that_cannot_be_read_is_a_sighting_without_a_price(price):
    assert_sighted(aldi.to_item({**OATS, "price": price}, store_id="G452", now=NOW), OATS["sku"])


def test_a_record_that_mentions_no_price_is_a_sighting_without_a_price():
    assert_sighted(mapped(without=("price",)), OATS["sku"])


@pytest.mark.parametrize("name", [None, "", " ", 7, {}, ["Oats"]])
def test_a_name_that_cannot_be_read_is_none(name):
    assert_unnamed(mapped(name=name), 469)


@pytest.mark.parametrize(
    "changes", [{"price": None}, {"price": {"amount": None}}, {"price": {"amount": 0}, "discontinued": True}]
)
def test_a_null_price_is_an_unavailable_listing_and_readable(changes):
    item = aldi.to_item({**OATS, **changes}, store_id="G452", now=NOW)
    assert (item.price_cents, item.is_available, item.is_unreadable) == (None, False, False)


def test_a_campaign_is_a_category_only_where_nothing_else_is():
    promo = {**OATS, "categories": [{"name": "Super Savers"}]}
    seen = aldi.to_item(promo, store_id="G452", now=NOW, category_path=("Pantry",))
    assert seen.category_path == ("Pantry",)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"data": [OATS]}, [OATS]),
        ({"data": OATS}, [OATS]),
        ([OATS], [OATS]),
        (OATS, [OATS]),
        ({"data": None}, []),
        ({}, []),
    ],
)
def test_records_are_found_in_every_known_envelope(body, found):
    assert aldi.records(body) == found


@given(record=mutated(OATS) | mutated({**OATS, **CHICKEN}))
def test_a_mutated_record_is_an_item_within_bounds_or_a_drop(record):
    assert_bounded(aldi.to_item(record, store_id="G452", now=NOW))


@given(body=json_values)
def test_no_json_value_raises(body):
    for record in [body, *aldi.records(body), *aldi.records({"data": body})]:
        assert_bounded(aldi.to_item(record, store_id="G452", now=NOW))


@pytest.mark.parametrize("field", [*OATS, *OATS["price"]])
def test_every_field_survives_every_absurd_value(field):
    for value in ABSURD:
        assert_bounded(mapped(**{field: value} if field in OATS and field != "price" else {}))
        assert_bounded(mapped(price={**CHICKEN["price"], field: value}, sellingSize=CHICKEN["sellingSize"]))
