"""Shelf measures that chains really sent, and when a unit price agrees with price over size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.offers.unit_prices import UnitPrice, check, convert, from_text, split, weighs
from splitcart.sizes.packs import Size, parse


@pytest.mark.parametrize(("number", "measure", "e4", "unit"), [
    (0.74, "100G", 74000, "kg"), ("0.74", "100g", 74000, "kg"), ("$0.74", "per 100 g", 74000, "kg"),
    (10, "1KG", 100000, "kg"), (10, "Per Kg", 100000, "kg"), (10, "PER KG", 100000, "kg"), ("1.68", "/kg", 16800, "kg"),
    (2.5, "125G Punnet", 200000, "kg"), (1, "100G Pack", 100000, "kg"), (10, "335G", 298507, "kg"),
    (1, "10G", 1000000, "kg"),    (1.75, "1L", 17500, "l"), (3.35, "l", 33500, "l"), (1.6, "100ML", 160000, "l"),
    (1.6, "10ML", 1600000, "l"),
    (0.33, "1EA", 3300, "ea"), (0.62, "each", 6200, "ea"), (2.5, "100ea", 250, "ea"), (0.15, "100EA", 15, "ea"),
    (0.25, "100 sheets", 25, "ea"), (1.2, "per 10 sheets", 1200, "ea"),
    (0.33, "100SS", 33, "ea"), (3, "per 2 PAC", 15000, "ea"),
    (1, "2 rolls", 5000, "ea"),    (0.15, "1M", 1500, "m"), (3, "150m", 200, "m"), (5, "per 1 m", 50000, "m"),
    (1, "1,000 g", 10000, "kg"),
])  # fmt: skip
def test_every_recorded_measure_is_converted(number, measure, e4, unit):
    assert convert(number, measure) == UnitPrice(e4, unit)


@pytest.mark.parametrize(("number", "measure"), [
    (1, "0"), (1, ""), (1, None), (1, "kgM"), (1, "0G"), (1, "bananas"), (1, 100), (0, "100G"), (None, "100G"),
    (-1, "1KG"),    ("", "1KG"), (True, "1KG"), (0.001, "1000000 sheets"), (1, "1KG" * 50), (1, "2 x 100g"),
])  # fmt: skip
def test_junk_has_no_unit_price(number, measure):
    assert convert(number, measure) is None


@pytest.mark.parametrize(("text", "parts", "e4", "unit"), [
    ("$4.38/ 100g", ("4.38", "100g"), 438000, "kg"), ("$40.00 per 1kg", ("40.00", "1kg"), 400000, "kg"),
    ("$1.65/ 1L", ("1.65", "1L"), 16500, "l"), ("$2.50/ 100ea", ("2.50", "100ea"), 250, "ea"),
    ("$0.15/ 1M", ("0.15", "1M"), 1500, "m"), ("$1.68 per 100 g", ("1.68", "100 g"), 168000, "kg"),
    ("$0.99 per 2 PAC", ("0.99", "2 PAC"), 4950, "ea"), ("$3.35/l", ("3.35", "l"), 33500, "l"),
    ("$1.75/100ml", ("1.75", "100ml"), 175000, "l"), ("$0.62 each", ("0.62", "each"), 6200, "ea"),
    ("$0.74 / 100G", ("0.74", "100G"), 74000, "kg"), ("$1,040.00/ 1kg", ("1040.00", "1kg"), 10400000, "kg"),
    ("$10.00 per 1ea", ("10.00", "1ea"), 100000, "ea"), ("$5.00 per100g", ("5.00", "100g"), 500000, "kg"),
    ("$40.00 PER 1KG", ("40.00", "1KG"), 400000, "kg"), ("$0.62 Each", ("0.62", "Each"), 6200, "ea"),
    ("$0.62 EA", ("0.62", "EA"), 6200, "ea"),
    ("$.50/100g", (".50", "100g"), 50000, "kg"), ("$0.25 per wash", ("0.25", "wash"), 2500, "ea"),
    ("45c per 100g", ("0.45", "100g"), 45000, "kg"), ("44c per capsule", ("0.44", "capsule"), 4400, "ea"),
    ("95c/100ml", ("0.95", "100ml"), 95000, "l"), ("22c each", ("0.22", "each"), 2200, "ea"),
    ("63C per 1 L", ("0.63", "1 L"), 6300, "l"), ("8.5c / 1ea", ("0.085", "1ea"), 850, "ea"),
    ("150 c per kg", ("1.5", "kg"), 15000, "kg"), ("99 cents per 2 PAC", ("0.99", "2 PAC"), 4950, "ea"),
    ("9¢ per sheet", ("0.09", "sheet"), 900, "ea"), ("$0.10 per tea bag", ("0.10", "tea bag"), 1000, "ea"),
    ("$0.50 per wash load", ("0.50", "wash load"), 5000, "ea"),
    ("$12.00/ 1kg pack", ("12.00", "1kg pack"), 120000, "kg"),
    ("$2.00 per 100 paper sheets", ("2.00", "100 paper sheets"), 200, "ea"),
    ("30c per dishwasher tablet", ("0.3", "dishwasher tablet"), 3000, "ea"),
])  # fmt: skip
def test_whole_shelf_texts_are_read(text, parts, e4, unit):
    assert split(text) == parts
    assert from_text(text) == UnitPrice(e4, unit)


@pytest.mark.parametrize(
    "text", [None, "", "kgM", "$", "$4.38", "4 for $5", "$4.38/", "per 100g", 4.38, "c per 100g", "45 per 100g", "45c"]
)
def test_a_text_without_number_or_measure_is_none(text):
    assert from_text(text) is None


@pytest.mark.parametrize(("cents", "size", "shelf", "agreement"), [
    (460, "680g", "$0.68 / 100G", "agrees"), (460, "680g", "$0.67 / 100G", "agrees"),
    (460, "680g", "$0.69 / 100G", "conflict"),    (630, "3L", "$2.10 / 1L", "agrees"),
    (200, "6 pack", "$0.33 / 1EA", "agrees"), (1000, "6 x 375mL", "$4.44/ 1L", "agrees"),
    (1000, "30cm x 120m", "$0.08/ 1M", "agrees"), (500, "100 sheets", "$5.00 / 100 sheets", "agrees"),
    (500, "12 pack", "$0.20/ 100ea", "unknown"), (500, "12 rolls", "$0.20 / 100 sheets", "unknown"),
    (500, "500g", "$1.00 / 1L", "conflict"), (500, "375ml", "$1.33/ 100g", "conflict"),
    (500, "2m", "$2.50/kg", "conflict"),
    (500, "500g", "$5.00 each", "unknown"), (500, "12 rolls", "$0.42/ 1M", "unknown"),
    (625, "6 each", "$104.17/100g", "conflict"), (625, "6 pack", "$1041.67/kg", "conflict"),
    (625, "6 pack", "$104.17/100ml", "conflict"), (625, "6 pack", "$1.04/100g", "unknown"),
    (500, "Medium", "$1.00 / 1L", "unknown"), (500, "1L", "kgM", "unknown"),
    (None, "1L", "$1.00/ 1L", "unknown"), (1175, "approx. 226g", "$52.00/ 1kg", "agrees"),
    (1175, "approx. 226g", "$56.00/ 1kg", "conflict"), (2500, "1kg - 2.5kg", "$10.00/ 1kg", "agrees"),
    (1000, "1kg - 2.5kg", "$10.00/ 1kg", "agrees"), (1750, "1kg - 2.5kg", "$10.00/ 1kg", "agrees"),
    (1000, "1kg - 2.5kg", "$10.10/ 1kg", "agrees"), (1000, "1kg - 2.5kg", "$10.30/ 1kg", "conflict"),
    (1000, "1kg - 2.5kg", "$3.70/ 1kg", "conflict"),
])  # fmt: skip
def test_a_unit_price_agrees_within_one_last_digit_of_the_shelf(cents, size, shelf, agreement):
    assert check(cents, parse(size), from_text(shelf)) == agreement


@pytest.mark.parametrize(
    ("cents", "grams", "shelf", "holds"),
    [
        (4200, 1000, "$42.00/ 1kg", True),
        (420, 100, "$4.20/ 100g", True),
        (424, 100, "$42.37/ 1kg", True),
        (426, 100, "$42.37/ 1kg", False),
        (500, 500, "$1.00/ 100g", True),
        (503, 500, "$1.00/ 100g", True),
        (506, 500, "$1.00/ 100g", False),
        (4200, 1000, "$42.00/ 1L", False),
    ],
)
def test_a_weight_costs_its_price_within_a_cent_and_the_shelfs_rounding(cents, grams, shelf, holds):
    assert weighs(cents, grams, from_text(shelf)) is holds


def test_estimates_may_differ_by_5_percent():
    size, shelf = parse("226g"), from_text("$50.00/ 1kg")
    assert check(1175, size, shelf) == "conflict"
    assert check(1175, size, shelf, estimated=True) == "agrees"


def test_a_number_whose_zeros_json_dropped_is_still_in_cents():
    for digits in (-1, 0, 1, 2):
        assert check(150, parse("100g"), UnitPrice(149900, "kg"), shelf_digits=digits) == "agrees"
        assert check(150, parse("100g"), UnitPrice(149800, "kg"), shelf_digits=digits) == "conflict"
    assert check(150, parse("100g"), UnitPrice(149900, "kg"), shelf_digits=3) == "conflict"


MEASURES = [
    ("100G", "g", 100),
    ("1KG", "g", 1000),
    ("1L", "ml", 1000),
    ("100ML", "ml", 100),
    ("1EA", "ea", 1),
    ("1M", "m", 1),
]


@given(st.integers(1, 100_000), st.integers(1, 50_000), st.sampled_from(MEASURES))
def test_a_true_shelf_always_agrees_and_a_doubled_one_never_does(cents, amount, measure):
    text, unit, base = measure
    shelf = (Decimal(cents) * base / amount / 100).quantize(Decimal("0.01"))
    size = Size(Decimal(amount), unit)
    if Decimal("0.03") <= shelf <= 100_000:
        assert check(cents, size, convert(shelf, text)) == "agrees"
        assert check(2 * cents, size, convert(shelf, text)) == "conflict"


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.lists(st.text())
)


@given(anything, anything | st.text("0123456789.,gkGKmMlLeaAper/ ", max_size=12))
def test_no_object_raises(number, measure):
    price = convert(number, measure)
    assert price is None or price.e4 > 0
    assert from_text(measure) is None or isinstance(from_text(measure), UnitPrice)
