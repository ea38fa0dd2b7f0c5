"""Multibuys in the words of a shelf, and labels for members."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.offers.multibuys import for_members, from_words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Pick any 2 for $7", (2, 700)),
        ("Buy 5 for $4", (5, 400)),
        ("3 for $1.95 - $0.54/100G ", (3, 195)),
        ("Member Price 3 for $12 - $2.67/100G", (3, 1200)),
        ("ANY TWO FOR $7.50!", (2, 750)),
        ("Mix & Match 3for$10", (3, 1000)),
        ("2 for 90c", (2, 90)),
        ("2 for 90 cents", (2, 90)),
        ("12 for $1,000.00", (12, 100_000)),
        ("2 for only $7 (save $2)", (2, 700)),
        ("Save $1.20, 2 for $7", (2, 700)),
        ("1 for $4 or 2 for $7", (2, 700)),
        ("2 for $7 or 3 for $10", (2, 700)),
        ("2 for $3.50 each", (2, 700)),
        ("2 or more for $3.50 each", (2, 700)),
        ("Buy  2\n for\t$7.", (2, 700)),
        ("a dozen for $9", (12, 900)),
    ],
)
def test_a_multibuy_in_words_is_read(text, terms):
    assert from_words(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            "Was $34 - 09/06/2026",
            "Range was $3.70",
            "1 for $4",
            "0 for $4",
            "2 for 7",
            "2 for $",
            "2 for $0",
        ),
        *("$2 for $7", "1.5 for $3", "1,2 for $3", "2 for $7.005", "2 for $1,00", "x2 for $7", "2 for the price of 1"),
        *("two four $7", "2 for 90cm", "2 for $9999999"),
    ],
)
def test_words_without_a_multibuy_are_none(text):
    assert from_words(text) is None


@pytest.mark.parametrize(
    ("label", "members"),
    [
        *(
            (label, True)
            for label in ("Member Price", "MEMBER_PRICE", "Members' 3 for $12", "For members only", "member")
        ),
        *((label, False) for label in ("Special", "remember", "membership", "Non-member price", "", None)),
    ],
)
def test_a_label_of_members_is_known_by_the_word(label, members):
    assert for_members(label) is members


@given(st.text() | st.text("0123456789 for$.,ceachtwo", max_size=60))
def test_no_text_raises(text):
    terms = from_words(text)
    assert terms is None or (terms[0] > 1 and terms[1] > 0)
    assert for_members(text) in (True, False)
