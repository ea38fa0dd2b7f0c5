"""Size texts that chains really sent; and rendered sizes are read back as themselves."""

import time
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splitcart.sizes.packs import Size, ending, in_name, parse, split_name

SEEN = {
    "2L": "2000 ml",
    "1.25 Litre": "1250 ml",
    "700g": "700 g",
    "280 g": "280 g",
    "0.4 kg": "400 g",
    ".5kg": "500 g",
    "0.8g": "0.8 g",
    "500mg": "0.5 g",
    "2,000 ml": "2000 ml",
    "6 x 0.33 L": "6 x 330 ml",
    "6 x 375mL": "6 x 375 ml",
    "6x375mL": "6 x 375 ml",
    "30x375mL Case": "30 x 375 ml",
    "375mL x10 Carton": "10 x 375 ml",
    "440ml x 24 Case": "24 x 440 ml",
    "355ml x6 Pack": "6 x 355 ml",
    "4x4x375mL": "16 x 375 ml",
    "24 Pack x 375mL": "24 x 375 ml",
    "375mL 24 Pack": "24 x 375 ml",
    "6 x 100 sheets": "6 x 100 ea",
    "700Mm": "700 ml",
    "200Nl x4 Pack": "4 x 200 ml",
    "300mm": "0.3 m",
    "800mL Each": "800 ml",
    "125G Punnet": "125 g",
    "6 pack": "6 ea",
    "2pk": "2 ea",
    "2 Pack": "2 ea",
    "2 PAC": "2 ea",
    "10EA": "10 ea",
    "12 each": "12 ea",
    "100 sheets": "100 ea",
    "90 Tablets": "90 ea",
    "16 piece": "16 ea",
    "1 set": "1 ea",
    "1 pair": "1 ea",
    "each": "1 ea",
    "Each": "1 ea",
    "Whole Each": "1 ea",
    "Half Each": "1 ea",
    "1 dozen": "12 ea",
    "half dozen": "6 ea",
    "2 metre": "2 m",
    "30cm x 120m": "120 m",
    "per 100g": "100 g",
    "Per Kg": "1000 g",
    "approx. 1.8 kg per package": "approx. 1800 g",
    "approx. 0.2 kg per piece": "approx. 200 g",
    "approx. 226g": "approx. 226 g",
    "3kg approx.": "approx. 3000 g",
    "approx. 12 x 30g": "approx. 12 x 30 g",
    "approx. 0.5 kg per bunch": "approx. 500 g",
    "approx. 0.4 kg per head": "approx. 400 g",
    "1.5 L per bottle": "1500 ml",
    "2 x 10m": "2 x 10 m",
    "1kg - 2.5kg": "1000 g - 2500 g",
    "1 - 1.5kg": "1000 g - 1500 g",
    "1kg – 2.5kg": "1000 g - 2500 g",
    "500g to 1kg": "500 g - 1000 g",
    "MINI CHRISTMAS CARD 20PK": "20 ea",
    "BEER CAN 375ML:PACK6": "6 x 375 ml",
    "CARLTON DRY 8PK CAN 375ML:CTN24": "24 x 375 ml",
    "MOON DOG FIZZER SELTZER 6% CAN 330ML (10PK):CTN30": "30 x 330 ml",
    "HARD SOLO CAN 375ML 10PK:CTN30": "30 x 375 ml",
    "SMIRNOFF RED 37.5% VODKA 375ML:EA": "375 ml",
    "Golden Crumpets Round 6 pack": "6 ea",
    "a2 Milk Full Cream 3L": "3000 ml",
    "7 Up 1.25L": "1250 ml",
    "Coke 24 x 375mL Cans": "24 x 375 ml",
    "Kleenex Tissues 100 sheets": "100 ea",
    "Bananas 1kg approx.": "approx. 1000 g",
    "Lamb Leg 1.5kg - 2kg": "1500 g - 2000 g",
    "Lamb Leg approx. 1.5kg - 2kg": "1500 g - 2000 g",
    "Chicken Whole approx. 1.8kg": "approx. 1800 g",
    "Chicken Whole (approx. 1.8kg)": "approx. 1800 g",
    "1 each (approx. 1.2kg)": "approx. 1200 g",
    "Pears min. 500g": "500 g",
    "ca. 1.2 kg": "approx. 1200 g",
    "up to 2kg": "approx. 2000 g",
    "375mL Cans 24 Pack": "24 x 375 ml",
    "330mL Bottles 6 Pack": "6 x 330 ml",
    "Beef Mince (1kg)": "1000 g",
    "20g Protein Bar 60g": "60 g",
    "Foo,500g": "500 g",
    "Foo 1,000 g": "1000 g",
}
NOT_A_SIZE = [
    None, True, 3, 2.5, b"2L", [], {}, "", " ", "Medium", "355ml xCase", "200ml X Pack", "6 pack 500g",
    "Fun 6 Pack 500g", "Foo 500g + 100g", "1/2 kg", "20cm x 20cm", "30 x 40cm", "20 x 20 x 20cm",
    "Baking Tray 30 x 40 cm", "Tiles 300 x 300mm", "33x33cm",
    "30cm x 450mm", "1m x 2m", "Panadol 500mg", "0 g", "0 x 5g", "9999999kg",
    "2.5kg - 1kg",
    "1kg - 2L", "1.5 x 2kg",
    "1,5 kg", "6x0,33 L", "Cordial 1.8L (makes 9L)", "Tuna 450g (drained 250g)", "12 each (approx. 1kg)",
    "Yoghurt 160g Tub 4 pack", "2001 x 1g", "Omo 2kg, 40 washes", "Vitamin B12 500", "٢L", "2L" * 200, "test desc",
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), SEEN.items())
def test_every_recorded_size_text_is_read(text, plain):
    assert str(parse(text)) == plain


@pytest.mark.parametrize("text", NOT_A_SIZE)
def test_a_text_without_one_clear_size_is_none(text):
    assert parse(text) is None


def test_a_range_is_priced_at_its_upper_end():
    size = parse("1kg - 2.5kg")
    assert (size.low, size.high, size.amount, size.approx) == (1000, 2500, 2500, True)


@pytest.mark.parametrize(
    "name", ["Chicken Whole approx. 1.8kg", "Chicken Whole (approx. 1.8kg)", "chicken whole 1.8kg"]
)
def test_a_name_loses_its_size_and_the_words_that_belong_to_the_size(name):
    assert split_name(name)[0] == "chicken whole"


def test_the_total_counts_all_packs():
    assert parse("4x4x375mL").total == 6000


def test_counted_things_keep_their_name():
    assert [parse(text).noun for text in ("100 sheets", "12 rolls", "90 Tablets", "6 pack")] == [
        "sheet",
        "roll",
        "tablet",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("CARLTON DRY 8PK CAN 375ML:CTN24", "375ML:CTN24"),
        ("MOON DOG FIZZER SELTZER 6% CAN 330ML (10PK):CTN30", "330ML (10PK):CTN30"),
        ("HARD SOLO CAN 375ML 10PK:CTN30", "375ML 10PK:CTN30"),
        ("SMIRNOFF RED 37.5% VODKA 375ML:EA", "375ML:EA"),
        ("Golden Crumpets Round 6 pack", "6 pack"),
        ("Lamb Leg 1.5kg - 2kg", "1.5kg - 2kg"),
        ("Bananas 1kg approx.", "1kg approx."),
        ("3L", "3L"),
        *((junk, None) for junk in ("NO SIZE HERE", "Fun 6 Pack 500g", "", None)),
    ],
)
def test_the_size_that_ends_a_text_is_found_as_it_is_written(text, end):
    assert ending(text) == end


amounts = st.integers(1, 10**9).map(lambda thousandths: Decimal(thousandths) / 1000)
units = st.sampled_from(["g", "ml", "m", "ea"])
plain_sizes = st.builds(Size, amounts, units, st.integers(1, 1000), st.booleans())


@given(plain_sizes)
def test_a_rendered_size_reads_back_as_itself(size):
    assert parse(str(size)) == size


@given(st.sampled_from(["g", "ml"]), amounts, amounts)
def test_a_rendered_range_reads_back_as_itself(unit, a, b):
    low, high = sorted((a, b))
    size = Size(high, unit, 1, True, low, high)
    assert parse(str(size)) == (size if low < high else None)


@given(st.integers(1, 99), st.integers(1, 999), st.sampled_from(["", " "]), st.sampled_from(["x", " x ", "X", "×"]))
def test_packs_by_amount_and_amount_by_packs_are_the_same_size(count, amount, gap, times):
    before, after = parse(f"{count}{times}{amount}{gap}mL"), parse(f"{amount}{gap}mL{times}{count}")
    assert before == after == Size(Decimal(amount), "ml", count)


words = st.text("0123456789.,xX-–()/:+ gkGKmMlLaApProx", max_size=40)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), words, st.lists(st.text())))
@example("9" * 200)
@example("1x" * 99)
def test_no_object_raises(value):
    size = parse(value)
    assert size is None or (size.amount > 0 and size.count >= 1)


@pytest.mark.parametrize(
    "piece", ["1 ", "1x", "1,", "(1", "1 pack ", "approx ", "1ml ", "1ml:pack ", "each ", "1cm x "]
)
def test_the_longest_texts_are_read_quickly(piece):
    start = time.process_time()
    for tail in ("", "g", "1:ctn"):
        parse((piece * 200)[:195] + tail)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("approx .150g", "approx. 150 g"),
        ("approx. .150g", "approx. 150 g"),
        ("about .750 ml", "approx. 750 ml"),
        ("Salmon approx .226g", "approx. 226 g"),
        ("approx .5kg", "approx. 500 g"),
        ("approx.100g", "approx. 100 g"),
        (".5kg", "500 g"),
    ],
)
def test_a_stray_dot_before_a_weight_belongs_to_the_word_before(text, plain):
    assert str(parse(text)) == plain


@pytest.mark.parametrize(
    ("name", "stated", "sizes"),
    [
        ("Lemons 5 Pack", "1 Each", ["5 ea"]),
        ("Lemons 5 Pack 1 Each", "1 Each", ["5 ea"]),
        ("Milk 2L", "2L", ["2000 ml"]),
        ("Milk", "2L", []),
        ("Milk", None, []),
        ("Lager 6 x 375mL, 375mL", "375mL", ["6 x 375 ml"]),
    ],
)
def test_the_sizes_of_a_name_are_found_with_and_without_the_stated_one(name, stated, sizes):
    assert [str(size) for size in in_name(name, stated)] == sizes
