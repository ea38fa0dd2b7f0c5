"""The unit-price stage: the shelf's number converted, and none that contradicts the price."""

from datetime import UTC, datetime

import pytest

from pipelines.unit_price import UnitPricePipeline
from splitcart_spiders.items import CategoryItem, ProductItem
from tests.support.stages import Tally


def staged(number, measure, *, price=470, size="2L", name="Milk", **fields):
    tally = Tally()
    item = ProductItem(
        company="Woolworths",
        store_id="1147",
        sku="88436",
        name=name,
        size=size,
        price_cents=price,
        shelf_unit_price=number,
        shelf_unit_measure=measure,
        scraped_at=datetime(2026, 11, 23, tzinfo=UTC),
        **fields,
    )
    assert UnitPricePipeline(tally).process_item(item) is item
    assert item.price_cents == price
    assert (item.shelf_unit_price, item.shelf_unit_measure) == (None, None)
    return item.unit_price, item.unit_of_measure, tally.short()


@pytest.mark.parametrize(
    ("number", "measure", "price", "size", "expected"),
    [
        ("2.35", "1L", 470, "2L", (2.35, "l")),
        ("0.74", "100G", 500, "680g", (7.4, "kg")),
        ("0.66", "100G", 460, "700g", (6.6, "kg")),
        ("0.33", "1EA", 200, "6 pack", (0.33, "ea")),
        ("1.68", "100 g", 469, "280 g", (16.8, "kg")),
        ("4.38", "100g", 350, "80g", (43.8, "kg")),
        ("2.50", "100ea", 250, "100 sheets", (0.025, "ea")),
        ("0.15", "1M", 450, "30m", (0.15, "m")),
        ("3.35", "l", 335, "1l", (3.35, "l")),
        ("0.62", "each", 62, "1 each", (0.62, "ea")),
        ("9.00", "Per Kg", 900, None, (9.0, "kg")),
        ("12.00", "1KG", 600, "6 pack", (12.0, "kg")),
    ],
)
def test_the_shelfs_number_is_converted_and_not_recomputed(number, measure, price, size, expected):
    assert staged(number, measure, price=price, size=size) == (*expected, {})


@pytest.mark.parametrize("measure", ["0", "", None, "kgM", "per moon", "100"])
def test_an_unknown_measure_gives_no_unit_price_and_is_counted(measure):
    assert staged("2.35", measure) == (None, None, {"unit_price/unknown_measure": 1})


def test_a_shelf_text_that_cannot_be_read_is_counted():
    assert staged("", "kgM") == (None, None, {"unit_price/unknown_measure": 1})


@pytest.mark.parametrize(("number", "measure"), [(None, None), (None, "1L"), (None, "0")])
def test_a_shelf_without_a_unit_price_is_not_counted_as_a_fault(number, measure):
    assert staged(number, measure) == (None, None, {})


def test_a_unit_price_that_contradicts_the_price_is_cleared_and_counted():
    counts = {"unit_price/conflict": 1, "unit_price/cleared_unit_price": 1}
    assert staged("3.50", "1L") == (None, None, counts)
    assert staged("2.37", "1L") == (None, None, counts)
    assert staged("2.36", "1L")[:2] == (2.36, "l")


def test_an_estimate_may_differ_by_a_twentieth():
    assert staged("52.00", "1kg", price=1175, size="approx. 226g", is_estimated=True)[:2] == (52.0, "kg")
    assert staged("60.00", "1kg", price=1175, size="approx. 226g", is_estimated=True)[0] is None


@pytest.mark.parametrize(
    ("number", "measure", "price", "size", "name", "unit_price"),
    [
        ("0.70", "1EA", 350, "1 Each", "Lemons 5 Pack", (0.7, "ea")),
        ("0.70", "1EA", 350, "1 Each", "Lemons 5 Pack 1 Each", (0.7, "ea")),
        ("5.00", "1kg", 500, "500g", "Flour 1kg", (5.0, "kg")),
        ("1.60", "100ML", 800, "500g", "Honey Squeeze 500mL", (16.0, "l")),
        ("4.44", "1L", 1000, "375mL", "Lager Cans 6 x 375mL", (4.44, "l")),
        ("0.70", "1EA", 350, "1 Each", "Lemons 4 Pack", (None, None)),
        ("0.70", "1EA", 350, "1 Each", "Lemons", (None, None)),
    ],
)
def test_the_size_in_the_name_is_tried_before_a_unit_price_is_cleared(number, measure, price, size, name, unit_price):
    event = "agrees_with_the_name" if unit_price[0] else "cleared_unit_price"
    counts = {"unit_price/conflict": 1, f"unit_price/{event}": 1}
    assert staged(number, measure, price=price, size=size, name=name) == (*unit_price, counts)


@pytest.mark.parametrize(
    ("number", "measure", "price", "size"),
    [
        ("104.17", "100g", 625, "6 each"),
        ("1041.67", "kg", 625, "6 pack"),
        ("83.33", "100ml", 1000, "12 pack"),
        ("2.67", "100G", 1100, "458mL"),
        ("2.40", "100ML", 1100, "458g"),
        ("3.00", "1kg", 450, "1.5m"),
    ],
)
def test_a_count_taken_for_grams_or_another_measure_is_cleared_and_counted(number, measure, price, size):
    counts = {"unit_price/conflict": 1, "unit_price/cleared_unit_price": 1}
    assert staged(number, measure, price=price, size=size) == (None, None, counts)


def test_a_price_by_weight_is_checked_against_the_weight_that_it_was_made_from():
    weighed = {"size": "approx.100g", "is_estimated": True, "typical_grams": 1000}
    assert staged("42.00", "1kg", price=4200, **weighed) == (42.0, "kg", {})
    assert staged("52.00", "1kg", price=4200, **weighed)[0] is None


def test_a_measure_of_one_gram_that_means_a_kilogram_is_repaired():
    repaired = (52.0, "kg", {"unit_price/conflict": 1, "unit_price/repaired_measure": 1})
    assert staged("52.00", "1g", price=1175, size="approx. 226g", is_estimated=True) == repaired
    assert staged("2.35", "1ml")[:2] == (2.35, "l")


def test_goods_priced_by_the_kilogram_are_checked_against_a_kilogram():
    assert staged("4.50", "1KG", price=450, size="each", price_basis="kg")[:2] == (4.5, "kg")
    assert staged("0.45", "100G", price=450, size=None, price_basis="kg")[:2] == (4.5, "kg")
    assert staged("4.80", "1KG", price=450, size=None, price_basis="kg")[0] is None


def test_a_listing_without_a_price_has_no_unit_price():
    assert staged("10.00", "1KG", price=None) == (None, None, {})


def test_other_items_pass_untouched():
    category = CategoryItem(company="ALDI", store_id="G452", key="1", path=("Pantry",))
    assert UnitPricePipeline(Tally()).process_item(category) is category
