"""Text from outside, made safe to store and to compare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.texts import clean


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Full\t Cream\n Milk ", "Full Cream Milk"),
        ("a\x00b\x1fc", "a b c"),
        ("a\u200bb\ufeff", "ab"),
        ("right\u202eleft", "rightleft"),
        ("one\u2028two", "one two"),
        ("Cr\u00e8me br\u00fbl\u00e9e", "Cr\u00e8me br\u00fbl\u00e9e"),
        ("half \ud83d pair", "half pair"),
        ("\U0001f34e apple", "\U0001f34e apple"),
        ("", None),
        (" \x00\u200b ", None),
        (None, None),
        (5, None),
        (["a"], None),
        (b"a", None),
    ],
)
def test_what_no_column_or_reader_takes_is_left_out(sent, kept):
    assert clean(sent) == kept


def test_a_long_text_is_cut_and_ends_in_a_letter():
    assert clean("x" * 5_000_000, 300) == "x" * 300
    assert clean("ab " * 100, 3) == "ab"


@given(st.text(st.characters(), max_size=400))
def test_cleaning_twice_changes_nothing_more(sent):
    once = clean(sent, 50)
    assert once is None or (clean(once, 50) == once and 0 < len(once) <= 50 and once.encode("utf-8"))
