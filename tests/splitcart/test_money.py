from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.money import MAX_CENTS, to_cents


@pytest.mark.parametrize(
    ("value", "cents"),
    [
        (3.35, 335), (4, 400), ("3.35", 335), ("$1,234.50", 123450), ("$ 2.00", 200), ("50c", 50), (".5", 50),
        ("5.", 500), (Decimal("0.005"), 0), (0.015, 2), (1.005, 100), (2.675, 268), (11.752, 1175), (0, 0), ("0", 0),
        (100_000, MAX_CENTS),
    ],
)  # fmt: skip
def test_dollars_become_cents_with_halves_to_even(value, cents):
    assert to_cents(value) == cents


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, float("nan"), float("inf"), -1, -0.01, "-1", "", "free", "2 for $5", "1,5", "1,23,456", "$",
        "1e3", 100_000.01, 10**400, "9" * 500, Decimal("NaN"), Decimal("sNaN"), [], {}, "\u0663.\u0660",
        "$1.00 per 1kg",
    ],
)  # fmt: skip
def test_a_text_that_is_not_an_amount_returns_none(value):
    assert to_cents(value) is None


@given(st.integers(0, MAX_CENTS))
def test_whole_cents_survive_every_form(cents):
    dollars = Decimal(cents) / 100
    forms = (dollars, float(dollars), str(dollars), f"${dollars:,.2f}")
    assert {to_cents(form) for form in forms} == {cents}


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.lists(st.text())
)
def test_no_object_raises(value):
    cents = to_cents(value)
    assert cents is None or 0 <= cents <= MAX_CENTS
