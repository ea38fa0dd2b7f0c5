"""Text from outside, made safe to store and to compare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.cleaning import APOSTROPHES, clean, readable, without_marks


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
def test_characters_that_no_column_or_reader_accepts_are_left_out(sent, kept):
    assert clean(sent) == kept


def test_a_long_text_is_cut_and_ends_in_a_letter():
    assert clean("x" * 5_000_000, 300) == "x" * 300
    assert clean("ab " * 100, 3) == "ab"


@given(st.text(st.characters(), max_size=400))
def test_cleaning_twice_changes_nothing_more(sent):
    once = clean(sent, 50)
    assert once is None or (clean(once, 50) == once and 0 < len(once) <= 50 and once.encode("utf-8"))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Ben &amp;amp; Co", "Ben & Co"),
        ("O&amp;#39;Neil", "O'Neil"),
        ("Ben \\u0026 Co", "Ben & Co"),
        ("Sunny <b>Oat</b> Bites<br/>300g", "Sunny Oat Bites 300g"),
        ("&lt;i&gt;Thin&lt;/i&gt; Crisps", "Thin Crisps"),
        ("<b>Sweet</b>, <i>Hot</i>!", "Sweet, Hot!"),
        ("CO<sub>2</sub> Cylinder", "CO2 Cylinder"),
        ('<a title="1 > 0">Plain</a> Flour', "Plain Flour"),
        ("Rice<!-- new -->Cakes", "Rice Cakes"),
        ("Fat < 3% <3", "Fat < 3% <3"),
        ("Mac&regal", "Mac&regal"),
    ],
)
def test_a_page_s_text_is_read_as_people_read_it(sent, read):
    assert clean(readable(sent)) == read


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Sunny™", "Sunny"),
        ("Sunny™ Dry®Plus", "Sunny Dry Plus"),
        ("Oat℠Bites (R) Max(tm)", "Oat Bites Max"),
        ("Sunny®'s Best", "Sunny's Best"),
        ("Sunny®, 1L", "Sunny, 1L"),
        ("Sunny<sup>TM</sup> Oats", "Sunny Oats"),
        ("Sunny&trade;Oats", "Sunny Oats"),
        ("Rock 'n' Roll®", "Rock 'n' Roll"),
        ("Crisps (original)", "Crisps (original)"),
        ("Crème Brûlée ½", "Crème Brûlée ½"),
    ],
)
def test_a_trade_mark_goes_and_no_two_words_become_one(sent, kept):
    assert clean(without_marks(readable(sent))) == kept


@given(st.sampled_from(APOSTROPHES))
def test_every_look_alike_is_an_apostrophe(sign):
    assert without_marks(f"Farmer{sign}s Own") == "Farmer's Own"
