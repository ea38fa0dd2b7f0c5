"""Documents of slots: what is written can be read, and what is impossible is refused with its place."""

import json
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitcart.cart import documents, split, terms
from tests.support import cart_plans, cart_worlds, carts

ALDI = carts.store("aldi", 1)


def test_a_document_is_written_as_it_was_read():
    for seed in range(60):
        document, *_ = carts.small_case(random.Random(seed))
        assert documents.loads(json.dumps(document)).to_json() == document


def test_an_independent_program_finds_the_same_optimum_from_the_json_alone():
    for seed in range(2000, 2060):
        drawn, limits, most = carts.small_case(random.Random(seed))
        written = json.loads(json.dumps(cart_plans.slots_of(drawn).to_json()))
        plans = split.split(
            documents.loads(json.dumps(written)), cart_plans.terms_of(limits), most, seconds=600, now=int
        )
        assert [cart_plans.shown(plan) for plan in plans] == carts.brute(written, limits, most)


def test_the_keys_are_those_of_the_contract():
    document = cart_plans.slots_of(carts.document([ALDI], [carts.line(1, [carts.option(ALDI, 1, 100)])])).to_json()
    assert list(document) == ["version", "as_of", "stores", "lines"]
    assert " ".join(document["stores"][0]) == (
        "store store_id company_name store_name store_address latitude longitude"
    )
    assert " ".join(document["lines"][0]) == "line item quantity quantity_unit reason options"
    assert " ".join(document["lines"][0]["options"][0]) == (
        "store company_name store_id store_name store_address product_id product_name brand size sku is_substitute "
        "quantity quantity_unit unit_price_cents price_basis typical_grams total_price_cents was_price_cents "
        "is_on_special offer_id offer_kind offer_until multibuy_quantity multibuy_total_cents member_price_cents "
        "member_multibuy_quantity member_multibuy_total_cents unit_price unit_of_measure source observed_at flip_since "
        "is_estimated department image_url"
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"unit_price_cents": -1}, "unit_price_cents"),
        ({"unit_price_cents": 1.5}, "unit_price_cents"),
        ({"unit_price_cents": None}, "unit_price_cents"),
        ({"unit_price_cents": 10**9}, "unit_price_cents"),
        ({"unit_price_cents": True}, "unit_price_cents"),
        ({"total_price_cents": 101}, "total_price_cents.*100"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 10**6}, "quantity"),
        ({"quantity_unit": "kg"}, "quantity_unit"),
        ({"quantity_unit": "g"}, "only what is sold by the kilogram|kg: a weight"),
        ({"price_basis": "litre"}, "price_basis"),
        ({"price_basis": "kg"}, "typical_grams"),
        ({"typical_grams": 0}, "typical_grams"),
        ({"multibuy_quantity": 2}, "multibuy"),
        ({"multibuy_total_cents": 2}, "multibuy"),
        ({"multibuy_quantity": 0, "multibuy_total_cents": 2}, "multibuy_quantity"),
        ({"member_multibuy_quantity": 2}, "member_multibuy"),
        ({"store": "aldi:2"}, "a store of this document"),
        ({"store_id": "2"}, "a store of this document"),
        ({"source": "guessed"}, "source"),
        ({"observed_at": "2026-11-25"}, "observed_at"),
        ({"observed_at": "yesterday"}, "observed_at"),
        ({"is_substitute": "no"}, "is_substitute"),
        ({"product_name": ""}, "product_name"),
        ({"product_name": 17}, "product_name"),
        ({"product_id": "17"}, "product_id"),
        ({"unit_price": float("nan")}, "not a number"),
        ({"unit_price": float("inf")}, "not a number"),
    ],
)
def test_an_impossible_option_is_refused_by_its_line_and_key(more, message):
    option = carts.option(ALDI, 1, 100) | more
    with pytest.raises(ValueError, match=message):
        documents.loads(json.dumps(carts.document([ALDI], [carts.line(1, [option])])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=2), "version"),
        (lambda d: d.update(version=True), "version"),
        (lambda d: d.pop("as_of"), "as_of is missing"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.update(as_of="now"), "as_of"),
        (lambda d: d["stores"].append(ALDI), "each store once"),
        (lambda d: d["stores"][0].update(latitude=91), "latitude"),
        (lambda d: d["stores"][0].update(store="aldi"), "company:1"),
        (lambda d: d["stores"][0].update(store="a b:1"), "company:1"),
        (lambda d: d["lines"].append(d["lines"][0]), "each line number once"),
        (lambda d: d["lines"][0].update(line=0), "slots: line"),
        (lambda d: d["lines"][0].update(reason="gone"), "reason"),
        (lambda d: d["lines"][0].update(options=[]), "reason"),
        (lambda d: d["lines"][0].update(options={}), "a list"),
        (lambda d: d["lines"][0]["options"][0].pop("brand"), "brand is missing"),
        (lambda d: d["lines"][0]["options"][0].update(colour="red"), "colour"),
    ],
)
def test_an_impossible_document_is_refused(change, message):
    document = json.loads(json.dumps(carts.document([ALDI], [carts.line(1, [carts.option(ALDI, 1, 100)])])))
    change(document)
    with pytest.raises(ValueError, match=message):
        documents.loads(json.dumps(document))


@pytest.mark.parametrize("source", ["", "{", "[]", "null", "1", "[" * 100_000, '{"version": 1, "version": 1}'])
def test_a_text_that_is_not_a_document_is_refused(source):
    with pytest.raises(ValueError, match="slots"):
        documents.loads(source)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_document_with_any_value_anywhere_is_read_or_refused(data):
    document, *_ = carts.small_case(random.Random(data.draw(st.integers(0, 50))))
    draw = random.Random(data.draw(st.integers(0, 10**6)))
    place = document
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return
        key = draw.choice(list(keys))
        if not isinstance(place[key], dict | list) or draw.random() < 0.1:
            break
        place = place[key]
    odd = (
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(string.printable) | st.just([])
    )
    place[key] = data.draw(odd | st.just({}))
    try:
        slots = documents.loads(json.dumps(document))
    except ValueError:
        return
    assert len(split.split(slots, terms.Terms(), 2, seconds=60, now=int)) == 2


def test_the_same_list_at_fewer_stores():
    document, _ = cart_worlds.world(1, 8, 6)
    slots = cart_plans.slots_of(document)
    few = slots.only(frozenset({document["stores"][1]["store"]}))
    assert [store.store for store in few.stores] == [document["stores"][1]["store"]]
    assert {option.store for line in few.lines for option in line.options} == {document["stores"][1]["store"]}
    assert all((line.reason is None) == bool(line.options) for line in few.lines)
    assert "not sold at these stores" in {line.reason for line in slots.only(frozenset()).lines}
