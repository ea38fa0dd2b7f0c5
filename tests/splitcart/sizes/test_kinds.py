"""Kinds of pack texts: each is read in every way that it is written, and other measures are never taken for a pack."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splitcart.sizes.packs import Size, of, parse, split_name

READ = {
    # a capacity of a bag or a box is not the amount; the number of bags is
    "Tie Top Bin Liners 54L 15 Pack": "15 ea",
    "Kitchen Caddy Bags 8 Litre 25pk": "25 ea",
    "Snack Containers 200mL 6 pack": "6 ea",
    "Takeaway Sauce Containers 90mL 40 Pack": "40 ea",
    "Party Cups 285mL 24pk": "24 ea",
    "Ice Cream Tub 1.8L": "1800 ml",
    "Slow Cooker Sauce 485mL": "485 ml",
    "Bin Deodoriser 450mL": "450 ml",
    "Sparkling Water Glass Bottle 660mL": "660 ml",
    "660mL Glass Bottle": "660 ml",
    # the weight of the user is not the amount
    "Ultra Soft Nappies 11-16kg 58 pack": "58 ea",
    "Flea Treatment for Dogs 4-10kg 3pk": "3 ea",
    "Night Pants 17kg+ 9 Pack": "9 ea",
    "Nappy Rash Cream 90g": "90 g",
    "Dry Dog Food 7kg": "7000 g",
    "Turkey 4.5kg - 6kg": "4500 g - 6000 g",
    # how large or how strong each one is
    "Zip Bags 18 x 20cm 40 pack": "40 ea",
    "Party Plates 18cm 20 pack": "20 ea",
    "Magnesium 300mg 45 Capsules": "45 ea",
    "Cling Wrap 33cm x 90m": "90 m",
    # how many drinks, before what each holds
    "Pale Ale Slab 24 355mL": "24 x 355 ml",
    "Ginger Beer 10 Cans 330ml": "10 x 330 ml",
    "Case of 12 700mL": "12 x 700 ml",
    "Cube of 30 Cans 375ml": "30 x 375 ml",
    "Sunscreen SPF 30 150mL": "150 ml",
    "Toddler Formula Stage 3 800g": "800 g",
    # what it comes in
    "8 x 90g Trays": "8 x 90 g",
    "6 x 110g pots": "6 x 110 g",
    "400g Canister": "400 g",
    "650mL Squeeze Bottle": "650 ml",
    "900g Resealable Bag": "900 g",
    "70g Pouch x 5": "5 x 70 g",
    "65g x 9 sachets": "9 x 65 g",
    "75g Tube": "75 g",
    "250mL Trigger Spray": "250 ml",
    # written twice
    "425g (5 x 85g)": "5 x 85 g",
    "Cat Food 5 x 85g (425g)": "5 x 85 g",
    "570g / 6 x 95g": "6 x 95 g",
    "570g [6 x 95g]": "6 x 95 g",
    "4 x 250mL = 1L": "4 x 250 ml",
    "8 pack (8 x 30g)": "8 x 30 g",
    "340g (12 oz)": "340 g",
    # counted
    "Pack of 9": "9 ea",
    "Brioche Rolls (pack of 4)": "4 ea",
    "carton of 18 eggs": "18 ea",
    "16's": "16 ea",
    "Throat Drops 24s": "24 ea",
    "2 x 40's": "2 x 40 ea",
    "40s x 2": "2 x 40 ea",
    "75 Chews": "75 ea",
    "64 Coffee Pods": "64 ea",
    "120 sheets x 6": "6 x 120 ea",
    "8 rolls x 250 sheets": "8 x 250 ea",
    "250 sheets A4 80gsm": "250 ea",
    "five 6-pack": "6 ea",
    "six pack": "6 ea",
    "Family Size 12 pack": "12 ea",
    # without a number
    "kilo": "1000 g",
    "Litre": "1000 ml",
    "Half": "1 ea",
    "loaf": "1 ea",
    "per punnet": "1 ea",
    "100 Green Tea Bags": "100 ea",
    "375mL 30 Block": "30 x 375 ml",
    # signs
    "¼ kg": "250 g",
    "2½L": "2500 ml",
    "¾ kg": "750 g",
    "1 500 ml": "1500 ml",
    "12 000 g": "12000 g",
    "3 250 g": "3250 g",
    "７５０ｍｌ": "750 ml",
    "400㎖": "400 ml",
    "≈350g": "approx. 350 g",
    "250g ℮": "250 g",
    "6 × 60g": "6 x 60 g",
}
REFUSED = [
    *("Freezer Bags 3L", "Pedal Bin 20L", "Bento Box 750mL", "Electric Kettle 1.5L", "Drink Bottle 800mL", "Esky 30L"),
    *("Nappies Size 3", "Dog Wormer 20kg", "Cat Wormer up to 5kg", "Swim Pants 13kg plus", "Child Car Seat 9-18kg"),
    *("W 45 x D 30cm", "L 30 x W 12 x H 8 cm", "30cm W x 50cm H", "Oven Tray 38cm", "Rug 1.2m x 1.8m", "60 x 90cm"),
    *("27L x 50", "27 L 50pk"),
    *("LAGER 24 355ML", "24 355mL", "6 700g", "Fish Oil Omega 3 Capsules", "Basket, Holds 10 Rolls", "1980s"),
    *("Carton (24) 355mL", "All in 1 Dishwasher Tablets", "85g pouches 12 pack", "90g bar 4 pack", "Cat Tablets 6kg"),
    *("5 x 85g (400g)", "8 pack (240g)", "Twin Pack 450g", "450g Twin Pack", "8 pack 240g", "300g (12 x 20g)"),
    *("L", "M", "Large", "g", "ml", "carton", "pack", "⅓ kg", "½ price", "2 500ml", "pieces", "tea bags", "s", "'s"),
    *("Vitamin C 500mg", "Tea 100 200", "No 5", "Stage 2", "12-17kg", "over 10kg", "5L capacity", "of 6", "x 12"),
]


@pytest.mark.parametrize(("text", "plain"), READ.items())
def test_a_pack_is_read_however_its_kind_is_written(text, plain):
    assert str(parse(text)) == plain


@pytest.mark.parametrize("text", REFUSED)
def test_a_text_without_a_pack_is_none_rather_than_wrong(text):
    assert parse(text) is None


@pytest.mark.parametrize(("size", "name", "plain"), [
    ("35L", "Bin Liners 40pk", "40 ea"), ("35L 40pk", "Bin Liners", "40 ea"), ("35L", "Bin Liners", None),
    ("11-16kg", "Ultra Soft Nappies", None), ("11-16kg 58 pack", "Ultra Soft Nappies", "58 ea"),
    ("20kg", "Dog Wormer", None), ("20kg", "Dog Food", "20000 g"), ("26cm", "Frypan", None), ("300mm", "", "0.3 m"),
    ("20m", "Foil", "20 m"), ("2L", "Oil 2L", "2000 ml"), ("6 pack", "Buns 450g", "6 ea"), (None, "Oil 2L", "2000 ml"),
    ("each", "Limes 4 Pack", "4 ea"), ("1 Each", "Avocado", "1 ea"), ("1EA", "Egg Basket (12 Eggs)", "1 ea"),
    ("355ml xCase", "Lager 355ml", None), ("Large", "Eggs 12 pack", "12 ea"),
    ("Medium", "Eggs", None), (7, ["x"], None), ("", "", None),
])  # fmt: skip
def test_a_stated_size_is_read_as_the_name_has_it(size, name, plain):
    pack = of(size, name)
    assert pack is None if plain is None else str(pack) == plain


def test_what_a_bag_holds_stays_among_the_words_of_its_name():
    assert split_name("Tidy Bags 27L 50pk")[0] == "tidy bags 27l"
    assert split_name("Brioche Rolls (pack of 4)")[0] == "brioche rolls"


amounts = st.integers(20, 950)
counts = st.integers(2, 96)
names = st.sampled_from(["", "Sample ", "Red Brand Biscuits ", "Tuna In Oil, ", "Soup (Mild) "])
containers = st.sampled_from(["pouch", "tins", "sachets", "refill", "cups", "pottle"])
drinks = st.sampled_from(["Block", "Cans", "Slab of", "Carton", "Case of", "Stubbies"])


@given(names, counts, amounts, st.sampled_from(["g", "mL"]), containers, st.integers(0, 7))
def test_a_pack_of_many_is_the_same_in_every_form(name, count, amount, unit, container, form):
    each, total = f"{amount}{unit}", f"{count * amount}{unit}"
    written = [
        f"{count} x {each}",
        f"{each} x {count}",
        f"{count}x{each} {container}",
        f"{each} x {count} {container}",
        f"{count} {container} x {each}",
        f"{total} ({count} x {each})",
        f"{count} x {each} ({total})",
        f"{count} pack ({count} x {each})",
    ][form]
    assert parse(name + written) == Size(Decimal(amount), unit.casefold(), count)


@given(names, st.sampled_from([6, 10, 24, 30]), st.sampled_from([250, 330, 375, 700]), drinks, st.booleans())
def test_drinks_are_counted_before_or_behind_their_container(name, count, amount, drink, after):
    word = drink.removesuffix(" of")
    written = f"{count} {word} {amount}ml" if after else f"{drink} {count} {amount}ml"
    assert parse(name + written) == Size(Decimal(amount), "ml", count)


vessels = st.sampled_from(
    ["Bin Liners", "Freezer Bags", "Storage Containers", "Paper Cups", "Lunch Boxes", "Drink Bottles"]
)
users = st.sampled_from(["Nappies", "Dog Wormer", "Flea Spot-On", "Swim Pants"])


@given(vessels, amounts, st.sampled_from(["mL", "L", " litre"]), counts, st.sampled_from(["", " {n}pk", " {n} Pack"]))
@example("Bin Liners", 27, "L", 50, " {n}pk")
def test_what_a_vessel_holds_is_never_its_amount(vessel, amount, unit, count, pack):
    size = parse(f"{vessel} {amount}{unit}{pack.format(n=count)}")
    assert size == (Size(Decimal(count), "ea") if pack else None)


@given(users, st.integers(1, 30), st.integers(1, 20), counts, st.booleans(), st.booleans())
def test_the_weight_of_a_user_is_never_an_amount(user, low, span, count, ranged, packed):
    weight = f"{low}-{low + span}kg" if ranged else f"{low}kg"
    size = parse(f"{user} {weight}{f' {count} pack' if packed else ''}")
    assert size == (Size(Decimal(count), "ea") if packed else None)


sides = st.tuples(
    st.integers(1, 300), st.sampled_from(["", " ", "cm", " cm", "mm"]), st.sampled_from(["", " H", " W", " D"])
)


@given(
    st.lists(sides, min_size=2, max_size=3), st.sampled_from(["cm", " cm", "mm"]), st.sampled_from(["x", " x ", " × "])
)
def test_a_dimension_is_never_an_amount(lengths, unit, times):
    written = times.join(f"{number}{unit_}{letter}" for number, unit_, letter in lengths[:-1])
    text = f"{written}{times}{lengths[-1][0]}{unit}"
    assert parse(text) is None
    assert parse(f"Frame {text}") is None


@given(
    st.integers(2, 400),
    st.sampled_from(["s", "'s", "’s", " tablets", " tea bags", " gummies", " Each", " pack", "-pack"]),
    names,
)
def test_a_count_of_things_is_read_with_every_word_for_them(count, word, name):
    size = parse(f"{name}{count}{word}")
    assert size is not None
    assert (size.count, size.amount, size.unit) == (1, count, "ea")


PIECES = "27L 12-17kg bags nappies 4 x 95g ( ) = , ½ kg 500mg block 30 375ml pack of 6 20s H 60cm each"
pieces = st.sampled_from(PIECES.split(" "))
anything = st.one_of(st.none(), st.integers(), st.text(), st.lists(pieces, max_size=8).map(" ".join))


@given(anything, anything)
def test_no_size_and_name_raise_and_what_is_found_is_an_amount(size, name):
    pack = of(size, name)
    assert pack is None or (pack.amount > 0 and pack.count >= 1)
