"""The readings that all mappings share: a bounded value, None, or Refused."""

from decimal import Decimal

import pytest

from splitcart_spiders.crawl import fields

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (88436, "88436"),
        (88436.0, "88436"),
        (" 31218 ", "31218"),
        ("000000000000457910", "000000000000457910"),
        *((junk, None) for junk in (None, True, 0, -5, 1.5, NAN, INFINITY, "", "a b", "a/b", "x" * 41, 10**18, [], {})),
    ],
)
def test_a_code_is_a_short_word_or_a_whole_number(sent, code):
    assert fields.code(sent) == code


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (0.74, Decimal("0.74")),
        (5, Decimal(5)),
        (0, Decimal(0)),
        *((junk, None) for junk in (None, True, "5", -1, NAN, INFINITY, 1e300, [])),
    ],
)
def test_a_number_is_finite_exact_and_not_negative(sent, number):
    assert fields.number(sent) == number


def test_an_integer_of_thousands_of_digits_is_not_read_as_a_number():
    huge = 10**4000
    assert (fields.number(huge), fields.cents(huge), fields.code(huge), fields.shelf_number(-huge)) == (None,) * 4


@pytest.mark.parametrize(
    ("sent", "cents"),
    [(3.35, 335), ("$3.35", 335), (" 1,234.50 ", 123450), (0, 0), ("9" * 400, None), (True, None), ({}, None)],
)
def test_cents_come_from_dollars(sent, cents):
    assert fields.cents(sent) == cents


@pytest.mark.parametrize(
    ("sent", "printed"),
    [
        *((0.7, "0.70"), (5, "5.00"), (10.0, "10.00"), (0.125, "0.125"), ("$1,234.50", "1234.50"), (0.0001, "0.0001")),
        *((junk, None) for junk in (0, None, "", "$", "free", NAN, [], True, -1, "1e5", "." * 50)),
    ],
)
def test_a_shelf_number_has_the_cents_that_the_shelf_prints(sent, printed):
    assert fields.shelf_number(sent) == printed


@pytest.mark.parametrize(
    ("amount", "unit", "grams"),
    [(125.0, "g", 125), (0.5, "kg", 500), (1.4, "KG", 1400), (226, "g", 226), (1, "ml", None), (0, "g", None)],
)
def test_grams_are_whole_and_possible(amount, unit, grams):
    assert fields.grams(amount, unit) == grams


@pytest.mark.parametrize(("amount", "unit"), [(NAN, "g"), ("five", "g"), (5, None), (5, {}), (9e6, "kg"), (0.2, "g")])
def test_an_amount_that_is_not_a_weight_has_no_grams(amount, unit):
    assert fields.grams(amount, unit) is None


def test_a_price_is_readable_as_none_only_where_none_is_sent_or_nothing_is_sold():
    assert fields.price(None, available=True, cents=None) == fields.Price(None)
    assert fields.price(0, available=False, cents=0) == fields.Price(None)
    assert fields.price(2.5, available=None, cents=250) == fields.Price(250)
    for available in (True, None):
        assert fields.price(0, available=available, cents=0) == fields.UNREADABLE
    for available in (True, None, False):
        assert fields.price("free", available=available, cents=None) == fields.UNREADABLE
        assert fields.price(-5, available=available, cents=-5) == fields.UNREADABLE


@pytest.mark.parametrize(
    ("sent", "name"), [(("", " Milk "), "Milk"), ((None, 7, {}), None), (("\u200b",), None), ((), None)]
)
def test_a_name_is_the_first_text_or_none(sent, name):
    assert fields.name(*sent) == name


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *(
            (name, True)
            for name in ("Specials", "Christmas Shop", "EASTER", "back-to-school-2027", "Mother\u2019s Day")
        ),
        *((name, False) for name in ("Pantry", "Easterly Wines", "Fruit", "", "Shop Christmas")),
    ],
)
def test_a_campaign_is_one_of_the_chains_or_a_seasons(name, is_one):
    assert fields.is_campaign(name, {"specials"}) is is_one


def test_the_first_path_outside_the_campaigns_is_chosen():
    promo = frozenset({"specials"})
    assert fields.choose_path(promo, (), ("Specials", "Half"), ("Dairy",)) == ("Dairy",)
    assert fields.choose_path(promo, (), ("Specials",)) == ("Specials",)
    assert fields.choose_path(promo) == ()


@pytest.mark.parametrize(
    ("sent", "path"),
    [(["Dairy", None, " Milk "], ("Dairy", "Milk")), ("Dairy", ()), (None, ()), ({"a": 1}, ()), (5, ()), ([[], 3], ())],
)
def test_a_path_holds_names_only(sent, path):
    assert fields.path(sent) == path


def test_a_path_is_bounded():
    assert fields.path(["x" * 1000] * 50) == ("x" * 120,) * fields.DEEPEST_PATH


@pytest.mark.parametrize("sent", ["javascript:1", "//a.b", "https://a b", "http://" + "x" * 5000, None, {}, ""])
def test_a_link_is_a_web_address(sent):
    assert fields.link(sent) is None
    assert fields.link("https://a.b/c.jpg") == "https://a.b/c.jpg"


def test_addresses_are_quoted():
    assert fields.url("https://a.b", "1", None, "../x y") == "https://a.b/1/..%2Fx%20y"
    assert fields.slug("Ben & Jerry's", None, "458mL") == "ben-jerry-s-458ml"
    assert fields.slug("Cr\u00e8me Br\u00fbl\u00e9e") == "creme-brulee"
