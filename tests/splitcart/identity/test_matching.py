"""Which listings are one product: the order of evidence, the vetoes; and the order of rows does not matter."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.identity.brands import key, normalise, owner, same
from splitcart.identity.matching import Listing, decide, normalized_key, resolve
from splitcart.identity.variants import conflict
from splitcart.sizes.packs import parse

GTIN, OTHER = "09310232954790", "09300633963583"
MILK = Listing("Woolworths", "1", "Dairy Farmers Full Cream Milk 2L", "Dairy Farmers", "2L", GTIN)
AT_COLES = Listing("Coles", "77", "Full Cream Milk", "Dairy Farmers", "2L")


@pytest.mark.parametrize(
    ("brand", "name", "size", "expected"),
    [
        ("Dairy Farmers", "Dairy Farmers Full Cream Milk 2L", "2L", "dairy farmers|cream full milk|2000ml"),
        ("Dairy Farmers", "Full Cream Milk", "2 Litre", "dairy farmers|cream full milk|2000ml"),
        ("DAIRY FARMERS", "Milk, Full-Cream 2L", None, "dairy farmers|cream full milk|2000ml"),
        (
            "Dairy Farmers",
            "Dairy Farmers Full Cream Milk Full Cream Milk",
            "2L",
            "dairy farmers|cream full milk|2000ml",
        ),
        ("Coca-Cola", "Coca-Cola Cans 24 x 375mL", "24x375mL", "coca cola|cans|24x375ml"),
        ("Coke", "Cans", "24 x 375ml Cans", "coca cola|cans|24x375ml"),
        ("Panadol", "Panadol Rapid 500mg", "20 pack", "panadol|500mg rapid|20ea"),
        ("Panadol", "Panadol Rapid 500mg", None, "panadol|500mg rapid|"),
        ("Smiths", "Crisps 12 pack", "228g", "smiths|12 crisps pack|228g"),
        ("Dove", "Dove", "100g", "dove|dove|100g"),
        (None, "Bananas", "approx. 180g", "|bananas|~180g"),
        ("Kellogg's", "Kellogg’s Sultana Bran", "700g", "kelloggs|bran sultana|700g"),
        ("Black & Gold", "Crème Brûlée & Cream", "", "black and gold|brulee cream creme|"),
        ("Tidy", "Tidy Bags 27L", "50pk", "tidy|27l bags|50ea"),
        ("Tidy", "Tidy Bags", "27L 50pk", "tidy|bags|50ea"),
        ("Tidy", "Tidy Bags 27L 50pk", None, "tidy|27l bags|50ea"),
        ("Fresh", "Fresh Limes 4 Pack", "1 Each", "fresh|limes|4ea"),
        (None, None, None, "||"),
        (3, [], {}, "||"),
    ],
)
def test_one_product_has_one_key_however_a_chain_writes_it(brand, name, size, expected):
    assert normalized_key(brand, name, size) == expected


def test_a_key_takes_a_parsed_size_too():
    assert normalized_key("a2", "Milk", parse("2L")) == normalized_key("a2 Milk", "Milk", "2 L")


def test_equal_gtins_are_one_product_and_the_other_key_is_learned():
    other = replace(AT_COLES, name="Fresh Milk Full Cream", gtin=GTIN)
    decision = decide(MILK, other)
    assert (decision.same, decision.by, decision.reason) == (True, "gtin", "same_gtin")
    assert decision.learned == {
        ("key", "dairy farmers|cream full milk|2000ml"),
        ("key", "dairy farmers|cream fresh full milk|2000ml"),
    }


def test_equal_skus_are_one_product_within_a_company_only():
    renamed = replace(MILK, name="Dairy Farmers Milk Full Cream Original 2L", gtin=None)
    assert (decide(MILK, renamed).same, decide(MILK, renamed).by) == (True, "sku")
    assert not decide(MILK, replace(renamed, company="Coles")).same


def test_equal_keys_are_one_product_across_companies():
    assert (decide(MILK, AT_COLES).same, decide(MILK, AT_COLES).by) == (True, "key")
    assert not decide(MILK, replace(AT_COLES, name="Full Cream Milk Organic")).same


@pytest.mark.parametrize("unknown", [{"brand": None}, {"size": None}, {"size": "Medium"}])
def test_without_a_brand_or_a_size_equal_keys_are_no_evidence(unknown):
    a, b = replace(AT_COLES, **unknown), replace(AT_COLES, **unknown, company="IGA")
    assert not decide(a, b).same


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": "1L"}, "veto_size: 1000 ml is not 2000 ml"),
        ({"size": "2 x 2L"}, "veto_size"),
        ({"name": "Dairy Farmers Skim Milk"}, "veto_variant: fat full cream is not skim"),
        ({"brand": "Pauls"}, "veto_brand: dairy farmers is not pauls"),
    ],
)
@pytest.mark.parametrize("by", ["gtin", "sku"])
def test_size_count_variant_and_brand_veto_any_evidence(change, reason, by):
    b = replace(MILK, **change) if by == "sku" else replace(AT_COLES, gtin=GTIN, **change)
    decision = decide(MILK, b)
    assert not decision.same
    assert decision.reason.startswith(reason)


def test_two_counts_of_one_total_are_two_packs_and_a_single_amount_is_either():
    six = replace(MILK, name="Yoghurt", size="6 x 100g")
    assert not decide(six, replace(six, size="4 x 150g")).same
    assert decide(six, replace(six, size="600g")).same


def test_approximate_sizes_differ_only_beyond_a_quarter():
    roast = replace(MILK, name="Lamb Leg", size="approx. 1.8 kg per package")
    assert decide(roast, replace(roast, size="2kg")).same
    assert not decide(roast, replace(roast, size="3kg")).same
    assert decide(roast, replace(roast, size="1kg - 2.5kg")).same


def test_brands_that_are_aliases_are_no_veto():
    other = replace(AT_COLES, brand="DF Dairy", gtin=GTIN)
    assert decide(MILK, other).reason.startswith("veto_brand")
    decision = decide(MILK, other, {"df dairy": "dairy farmers"})
    assert decision.same
    longer = decide(MILK, replace(MILK, company="IGA", brand="Dairy Farmers Original"))
    assert {("brand", "dairy farmers"), ("brand", "dairy farmers original")} <= longer.learned


def test_private_labels_never_match_across_companies():
    ours = Listing("Coles", "5", "Coles Full Cream Milk 2L", "Coles", "2L", GTIN)
    for other in ("Woolworths", "ALDI", "IGA"):
        assert decide(ours, replace(ours, company=other)).reason.startswith("veto_private_label: a label of coles")
    assert decide(ours, replace(ours, gtin=None)).same


def test_a_sku_whose_gtin_changes_is_new_unless_size_count_and_name_agree():
    assert not decide(MILK, replace(MILK, gtin=OTHER, name="Dairy Farmers Full Cream Milk New 2L")).same
    decision = decide(
        MILK, replace(MILK, gtin=OTHER, name="Full Cream Milk Dairy Farmers".replace(" Dairy Farmers", ""))
    )
    assert decision.same
    assert decision.learned == {("gtin", GTIN), ("gtin", OTHER)}


def test_two_gtins_keep_two_products_apart_even_through_a_third_listing():
    a, b, c = MILK, replace(AT_COLES, gtin=OTHER), Listing("IGA", "9", "Full Cream Milk", "Dairy Farmers", "2L")
    groups = resolve([a, b, c])
    assert not any(a in group and b in group for group, _ in groups)
    assert sorted(len(group) for group, _ in groups) == [1, 2]


def test_names_that_differ_in_number_or_flavour_conflict_and_more_detailed_ones_do_not():
    assert conflict("nurofen 200mg", "nurofen 400mg")[0] == "number"
    assert conflict("chocolate bar", "caramel bar")[0] == "flavour"
    assert conflict("chocolate bar", "chocolate mint bar") is None
    assert conflict("chocolate bar", "bar") is None
    assert conflict("decaf coffee", "hot decaf") is None


@pytest.mark.parametrize(("brand", "expected"), [
    ("Black & Gold", "black and gold"), ("COMMUNITY CO.", "community co"), ("Kellogg’s", "kelloggs"),
    ("Nestlé", "nestle"),
    ("Sunny™", "sunny"), ("Oat℠Bites®", "oat bites"), ("Sunny (TM) Dry", "sunny dry"), ("Farmer´s", "farmers"),
    ("Farmer′s", "farmers"),
    ("", ""), (None, ""), ("No Brand", ""), ("a2 Milk", "a2"), ("Coke", "coca cola"), ("ÄÖ", "ao"), (7, ""),
])  # fmt: skip
def test_a_brand_has_one_key(brand, expected):
    assert key(brand) == expected


def test_aliases_in_a_circle_end():
    assert key("a", {"a": "b", "b": "c", "c": "b"}) == key("b", {"a": "b", "b": "c", "c": "b"}) == "b"


def test_labels_have_owners():
    assert [owner(b) for b in ("Coles Finest", "ALDI", "Farmdale", "Black & Gold", "Macro", "Cadbury", None)] == [
        "coles",
        "aldi",
        "aldi",
        "iga",
        "woolworths",
        None,
        None,
    ]


def test_one_brand_written_two_ways_is_the_same():
    assert same("cadbury", "cadbury dairy milk")
    assert same("cocacola", "coca cola")
    assert not same("cadbury", "nestle")
    assert not same("", "nestle")


listings = st.builds(
    Listing,
    st.sampled_from(["Coles", "ALDI", "Woolworths", "IGA"]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["Milk Full Cream", "Milk Skim 2L", "Milk 2L", "Chocolate Milk", "Full Cream Milk", "Coles Milk"]),
    st.sampled_from([None, "Pauls", "Pauls Farm", "Coles", "a2", "a2 Milk", "Farmdale"]),
    st.sampled_from([None, "2L", "1L", "2 x 1L", "approx. 2L", "2kg", "6 pack"]),
    st.sampled_from([None, GTIN, OTHER]),
)


@given(listings, listings)
def test_a_decision_does_not_depend_on_the_order_of_the_two(a, b):
    assert decide(a, b) == decide(b, a)


@given(st.lists(listings, max_size=12), st.integers(0, 10**6))
def test_a_grouping_does_not_depend_on_the_order_of_rows(rows, seed):
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    groups = resolve(rows)
    assert resolve(shuffled) == groups
    assert sorted(map(repr, (one for group, _ in groups for one in group))) == sorted(map(repr, set(rows)))


@given(st.lists(listings, max_size=12))
def test_no_group_holds_two_gtins_of_different_skus_or_two_vetoed_sizes(rows):
    for group, _ in resolve(rows):
        for a in group:
            for b in group:
                assert not decide(a, b).reason.startswith("veto")


@given(st.text(), st.text(), st.text())
def test_no_text_raises(brand, name, size):
    listing = Listing("Coles", "1", name, brand, size)
    assert decide(listing, listing).same
    assert normalise(normalise(name)) == normalise(name)
