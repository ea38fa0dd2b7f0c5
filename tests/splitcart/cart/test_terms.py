"""Fees from TOML."""

import pytest

from splitcart.cart.terms import Fee, parse

COMPANIES = ("aldi", "woolworths")


def test_fees_are_read_by_company_in_any_case():
    source = "[Woolworths]\nfee_cents = 900\nfree_above_cents = 9000\nminimum_cents = 5000\n[aldi]\n"
    assert parse(source, COMPANIES) == {"woolworths": Fee(900, 9000, 5000), "aldi": Fee(0, None, 0)}
    assert parse("", COMPANIES) == {}


@pytest.mark.parametrize(("goods", "due"), [(0, None), (4999, None), (5000, 900), (8999, 900), (9000, 0), (20000, 0)])
def test_both_limits_are_reached_at_their_amount(goods, due):
    assert Fee(900, 9000, 5000).of(goods) == due


def test_a_fee_without_a_limit_is_always_due():
    assert Fee(900).of(10**9) == 900


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[kmart]\nfee_cents = 1\n", "kmart.*aldi, woolworths"),
        ("[aldi]\nfee = 1\n", r"\[aldi\].*fee.*fee_cents, free_above_cents, minimum_cents"),
        ("[aldi]\nfee_cents = -1\n", r"\[aldi\] fee_cents: -1"),
        ("[aldi]\nfee_cents = 9.5\n", r"\[aldi\] fee_cents: 9.5"),
        ("[aldi]\nfee_cents = true\n", r"\[aldi\] fee_cents"),
        ("[aldi]\nfee_cents = '9'\n", r"\[aldi\] fee_cents"),
        ("[aldi]\nminimum_cents = 99999999999999999999\n", "minimum_cents"),
        ("aldi = 3\n", r"\[aldi\].*object"),
        ("[aldi]\n[ALDI]\n", "each company has one table"),
        ("[aldi", "no TOML"),
        ("a." * 9_000, "no TOML"),
        ("#" * 20_001, "at most 20000"),
    ],
)
def test_wrong_fees_are_refused_by_company_and_key(source, message):
    with pytest.raises(ValueError, match=message):
        parse(source, COMPANIES)
