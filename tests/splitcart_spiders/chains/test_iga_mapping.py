"""The IGA mapping, field by field: which of its prices is the price, and of what."""

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given

from splitcart_spiders.chains import iga
from splitcart_spiders.items import Drop, ProductItem
from tests.support.bounds import assert_bounded, assert_sighted, assert_unnamed
from tests.support.mutations import ABSURD, json_values, mutated
from tests.support.records import APPLE, IGA_MILK, KILOGRAM, SPECIAL

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def mapped(*bases, without=(), **changes):
    record = copy.deepcopy(IGA_MILK)
    for base in bases:
        record |= base
    record = {key: value for key, value in {**record, **changes}.items() if key not in without}
    return iga.to_item(record, store_id="32600", now=NOW)


def test_every_field_comes_from_its_specified_source():
    assert mapped() == ProductItem(
        company="IGA",
        store_id="32600",
        sku="31218",
        name="Devondale Full Cream Long Life Milk",
        brand="Devondale",
        gtin="9310072000282",
        size="1l",
        price_cents=335,
        category_path=("Drinks", "Long Life Milk"),
        url="https://www.igashop.com.au/product/devondale-full-cream-long-life-milk-31218",
        image_url="https://cdn.metcash.media/image/upload/w_1500/igashop/images/31218.jpg",
        scraped_at=NOW,
        shelf_unit_price="3.35",
        shelf_unit_measure="l",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"brand": ""}, {"brand": None}),
        ({"barcode": "null"}, {"gtin": None}),
        ({"barcode": "notfound"}, {"gtin": None}),
        ({"barcode": "N/A"}, {"gtin": None}),
        ({"barcode": "TEST_BARCODE"}, {"gtin": None}),
        ({"barcode": None}, {"gtin": None}),
        ({"available": False}, {"is_available": False, "price_cents": 335}),
        ({"available": None}, {"is_available": True}),
        ({"productId": None, "sku": 31218}, {"sku": "31218"}),
        ({"pricePerUnit": "$1.75/100ml"}, {"shelf_unit_price": "1.75", "shelf_unit_measure": "100ml"}),
        ({"pricePerUnit": "$0.62 each"}, {"shelf_unit_price": "0.62", "shelf_unit_measure": "each"}),
        ({"pricePerUnit": "$4.50/kg"}, {"shelf_unit_price": "4.50", "shelf_unit_measure": "kg"}),
        ({"pricePerUnit": None}, {"shelf_unit_price": None, "shelf_unit_measure": None}),
        ({"pricePerUnit": "3 for 2"}, {"shelf_unit_price": "", "shelf_unit_measure": "3 for 2"}),
        ({"unitOfSize": {"abbreviation": "", "label": "Each", "size": 12, "type": "each"}}, {"size": "12 each"}),
        ({"unitOfSize": {"abbreviation": "g", "size": 180.0}}, {"size": "180g"}),
        ({"unitOfSize": {"abbreviation": "kg", "size": 1.25}}, {"size": "1.25kg"}),
        ({"unitOfSize": None}, {"size": None}),
        ({"unitOfSize": {"abbreviation": "g", "size": "500"}}, {"size": "500g"}),
        ({"unitOfSize": {"abbreviation": "kg", "size": " 1.50 "}}, {"size": "1.5kg"}),
        ({"unitOfSize": {"abbreviation": "g", "size": "5e2"}}, {"size": None}),
        ({"unitOfSize": {"abbreviation": "g", "size": "x"}}, {"size": None}),
        ({"unitOfSize": {"abbreviation": "g", "size": 0}}, {"size": None}),
        ({"image": None}, {"image_url": None}),
        ({"defaultCategory": []}, {"category_path": ()}),
        ({"defaultCategory": [{"categoryBreadcrumb": "Bakery/Bread"}]}, {"category_path": ("Bakery", "Bread")}),
    ],
)
def test_a_field_has_the_value_of_its_source(changes, expected):
    item = mapped(**changes)
    assert {field: getattr(item, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("changes", "price", "was"),
    [
        (SPECIAL, 400, 500),
        ({**SPECIAL, "tprPrice": []}, 400, 500),
        ({**SPECIAL, "tprPrice": None}, 400, 500),
        ({**SPECIAL, "tprPrice": [{"wholePrice": None}]}, 400, 500),
        ({**SPECIAL, "tprPrice": [{"wholePrice": 4.25, "active": True}]}, 425, 500),
        ({**SPECIAL, "tprPrice": [{"wholePrice": 3, "active": False}, {"wholePrice": 4, "active": True}]}, 400, 500),
        ({**SPECIAL, "wasWholePrice": None}, 400, 500),
        ({"wasWholePrice": 0}, 335, None),
        ({"wasWholePrice": 3.35}, 335, None),
        ({"wholePrice": None}, 335, None),
        ({"wholePrice": None, "priceNumeric": None}, 335, None),
        ({"wholePrice": 3.5, "priceNumeric": 3.35}, 350, None),
        ({"wholePrice": None, "priceNumeric": None, "price": None}, None, None),
        ({"wholePrice": 0, "priceNumeric": 0, "price": "$0.00", "available": False}, None, None),
    ],
)
def test_the_price_is_the_temporary_one_only_with_a_price_before(changes, price, was):
    item = mapped(changes)
    assert (item.price_cents, item.was_price_cents, item.is_on_special) == (price, was, was is not None)
    assert item.is_available is (price is not None)


def deal(*, total=None, **promotion):
    """A row whose promotion is in force: its price field holds the deal's price of each."""
    shown = {"priceNumeric": 3, "price": "$3.00", "wholePrice": 3.35}
    return shown | {"promotions": [promotion]}


@pytest.mark.parametrize(
    ("changes", "price", "was", "offer"),
    [
        (deal(name="2 for $6", minimumQuantity=2), 335, None, ("multibuy", 2, 600)),
        (deal(name="Multi buy", description="Buy 3 for $8.50", minimumQuantity=3), 335, None, ("multibuy", 3, 850)),
        (deal(name="Multi buy", minimumQuantity=2), 335, None, ("multibuy", 2, 600)),
        (deal(name="2 for $6"), 335, None, ("multibuy", 2, 600)),
        (deal(name="Any 3 for $9", minimumQuantity=2), 335, None, ("multibuy", 2, 600)),
        (deal(name="Members: 2 for $6", minimumQuantity=2), 335, None, ("member_multibuy", 2, 600)),
        (deal(name="Member Price"), 335, None, ("member_price", 300)),
        (deal(name="Member Price", minimumQuantity=1), 335, None, ("member_price", 300)),
        (deal(name="Special", minimumQuantity=1), 300, 335, None),
        (deal(name="Special"), 300, 335, None),
        ({**deal(name="Special"), "wholePrice": 3}, 300, None, None),
        (deal(name="2 for $6", minimumQuantity=2, active=False), 335, None, None),
        ({**deal(name="Multi buy", minimumQuantity=2), "priceNumeric": 3.35}, 335, None, ("multibuy", 2, None)),
        ({**deal(name="2 for $6", minimumQuantity=2), "wholePrice": None}, None, None, None),
        ({**deal(name="Special"), "promotions": [{"name": "x"}, {"minimumQuantity": 2, "name": "2 for $6"}]},
         335, None, ("multibuy", 2, 600)),
        ({"priceLabel": "2 for $6"}, 335, None, ("multibuy", 2, 600)),
        ({"priceLabel": "Special"}, 335, None, None),
        ({"promotions": []}, 335, None, None),
        ({"promotions": None}, 335, None, None),
        ({"promotions": [None, 5, "2 for $6", {}]}, 335, None, None),
        ({**SPECIAL, "promotions": [{"name": "2 for $7", "minimumQuantity": 2}]}, 400, 500, ("multibuy", 2, 700)),
        ({**SPECIAL, "tprPrice": [{"wholePrice": 3, "active": False}], "priceNumeric": 3, "price": "$3.00",
          "promotions": [{"name": "2 for $6", "minimumQuantity": 2}]}, 500, None, ("multibuy", 2, 600)),
    ],
)  # fmt: skip
def test_a_deal_that_asks_for_something_never_becomes_the_price_of_one(changes, price, was, offer):
    item = mapped(changes)
    assert (item.price_cents, item.was_price_cents) == (price, was)
    offers = {
        "multibuy": (item.multibuy_quantity, item.multibuy_total_cents),
        "member_multibuy": (item.member_multibuy_quantity, item.member_multibuy_total_cents),
    }
    expected = dict.fromkeys(offers, (None, None))
    if offer and offer[0] != "member_price":
        expected[offer[0]] = offer[1:]
        assert item.offer_kind == offer[0]
    assert offers == expected
    assert item.member_price_cents == (offer[1] if offer and offer[0] == "member_price" else None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (81, "each", 180, True)),
        ({"wholePrice": 0.83}, (83, "each", 180, True)),
        ({"wholePrice": 0.79}, (79, "each", 180, True)),
        ({"wholePrice": 4.5}, (450, "kg", 180, False)),
        ({"wholePrice": 4.5, "unitOfSize": None}, (450, "kg", None, False)),
        ({"wholePrice": 0.62, "pricePerUnit": "$0.62 each"}, (62, "each", None, False)),
        ({"wholePrice": None, "priceNumeric": None, "price": None, "pricePerUnit": None}, (None, "each", None, False)),
        ({"sellBy": "Weight", "wholePrice": 4.5}, (450, "kg", 180, False)),
        ({"sellBy": "Weight", "wholePrice": 4.5, "unitOfSize": KILOGRAM}, (450, "kg", 1000, False)),
        ({"wholePrice": 4.5, "unitOfSize": KILOGRAM}, (450, "each", 1000, True)),
        ({"wholePrice": 0.62, "pricePerUnit": "$0.62 Each"}, (62, "each", None, False)),
        ({"sellBy": "eachunit", "wholePrice": 4.5}, (450, "kg", 180, False)),
        ({"unitOfSize": {"abbreviation": "g", "size": 180}}, (81, "each", 180, True)),
        ({"unitOfSize": {"abbreviation": "G", "size": 180, "type": "Gram"}}, (81, "each", 180, True)),
        ({"unitOfSize": {"abbreviation": "kg", "size": 0.18}}, (81, "each", 180, True)),
        ({"unitOfSize": {"abbreviation": "g", "size": "180"}}, (81, "each", 180, True)),
    ],
)
def test_loose_goods_are_priced_by_the_piece_or_by_the_kilogram(changes, expected):
    item = mapped(APPLE, changes)
    assert (item.price_cents, item.price_basis, item.typical_grams, item.is_estimated) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"wholePrice": 0.84},
        {"wholePrice": 2.25},
        {"pricePerUnit": None},
        {"pricePerUnit": "$4.50/l"},
        {"unitOfSize": []},
    ],
)
def test_loose_goods_whose_price_fits_no_basis_are_a_sighting_without_a_price(changes):
    assert_sighted(mapped(APPLE, changes), "80060017")


def test_a_record_that_makes_no_item_is_dropped_with_a_reason():
    assert mapped(productId=None, sku=None) == Drop("no_sku")


@pytest.mark.parametrize(
    "changes",
    [
        {"without": ("price", "priceNumeric", "wholePrice")},
        {"wholePrice": -1, "priceNumeric": {}, "price": "free"},
        {"wholePrice": 0, "priceNumeric": 0, "price": "$0.00"},
        {"wholePrice": 0, "priceNumeric": None, "price": "call us"},
        {"wholePrice": True, "priceNumeric": [], "price": None},
        {"wholePrice": 1e9, "priceNumeric": 1e9, "price": "$999,999,999.00"},
    ],
)
def test_a_price_that_cannot_be_read_is_a_sighting_without_a_price(changes):
    assert_sighted(mapped(**changes), "31218")


@pytest.mark.parametrize("name", ["", None, 7, {}])
def test_a_name_that_cannot_be_read_is_none(name):
    assert_unnamed(mapped(name=name), 335)


NO_PRICES = {"wholePrice": None, "priceNumeric": None, "price": None}


@pytest.mark.parametrize(
    "changes", [NO_PRICES, {"wholePrice": 0, "priceNumeric": 0, "price": "$0.00", "available": False}]
)
def test_a_null_price_is_an_unavailable_listing_and_readable(changes):
    for goods in ({}, APPLE):
        item = mapped(goods, changes)
        assert (item.price_cents, item.is_available, item.is_unreadable) == (None, False, False)


def test_the_category_is_that_of_the_crawl_if_the_product_has_none():
    bare = {**IGA_MILK, "defaultCategory": None}
    seen = iga.to_item(bare, store_id="32600", now=NOW, category_path=("Grocery", "Bakery", "Bread"))
    assert seen.category_path == ("Bakery", "Bread")


def test_a_campaign_is_a_category_only_if_the_product_has_no_other():
    shelves = [{"categoryBreadcrumb": f"Grocery/{path}"} for path in ("Specials/Week", "Drinks", "Drinks/Milk")]
    promo = {**IGA_MILK, "defaultCategory": shelves[:1], "categories": shelves}
    assert mapped(promo).category_path == ("Drinks", "Milk")
    assert mapped({**promo, "defaultCategory": None}).category_path == ("Drinks", "Milk")
    assert mapped({**promo, "categories": shelves[:1]}).category_path == ("Specials", "Week")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"items": [IGA_MILK], "total": 1}, [IGA_MILK]),
        ([IGA_MILK], [IGA_MILK]),
        (IGA_MILK, [IGA_MILK]),
        ({"sku": "1"}, [{"sku": "1"}]),
        ({"items": None}, []),
        (3, []),
    ],
)
def test_records_are_found_in_every_known_envelope(body, found):
    assert iga.records(body) == found


@given(record=mutated(IGA_MILK) | mutated({**IGA_MILK, **APPLE}) | mutated({**IGA_MILK, **SPECIAL}))
def test_a_mutated_record_is_an_item_within_bounds_or_a_drop(record):
    assert_bounded(iga.to_item(record, store_id="32600", now=NOW))


@given(body=json_values)
def test_no_json_value_raises(body):
    for record in [body, *iga.records(body), *iga.records({"items": body})]:
        assert_bounded(iga.to_item(record, store_id="32600", now=NOW))


@pytest.mark.parametrize("field", [*IGA_MILK, *SPECIAL])
def test_every_field_survives_every_absurd_value(field):
    for value in ABSURD:
        assert_bounded(mapped(**{field: value}))
        assert_bounded(mapped(APPLE, {field: value}))
        assert_bounded(mapped(SPECIAL, {field: value}))
