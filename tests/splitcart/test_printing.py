"""Text from outside is shown, and never executed: by a terminal, by a spreadsheet."""

import json
import sys
import unicodedata

import pytest

from splitcart.printing import cell, visible, visible_lines

RAW = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in {"Cc", "Cs", "Zl", "Zp"}]
BIDI = [
    chr(code) for code in range(sys.maxunicode + 1) if unicodedata.bidirectional(chr(code))[-1:] in {"E", "O", "I", "F"}
]
OVERRIDES = [sign for sign in BIDI if unicodedata.category(sign) == "Cf"]


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\x07", "\x08", "\x7f", "\r", "\u202e", "\u2066", "\u200f", "\ufeff"])
def test_no_control_character_is_shown_raw(sign):
    assert visible(f"a{sign}[31mb") == f"a{sign.encode('unicode_escape').decode()}[31mb"


def test_every_control_character_of_unicode_is_an_escape():
    assert len(OVERRIDES) == 9
    for sign in [*RAW, *OVERRIDES]:
        assert visible(sign).isascii(), hex(ord(sign))
        assert visible(sign).isprintable(), hex(ord(sign))


def test_one_value_stays_one_line_and_a_text_keeps_its_lines():
    assert visible("a\nb\tc") == r"a\nb\tc"
    assert visible_lines("a\x1b\n\tb\r") == "a\\x1b\n\tb\\r"
    assert visible("Nestlé 🍫 家 [/]") == "Nestlé 🍫 家 [/]"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "-196 Lemon"]
)
def test_a_text_that_a_spreadsheet_would_compute_is_defused(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, 0, None, True, "Milk", "1-2", "", "a=b"])
def test_numbers_and_plain_texts_stay_as_they_are(value):
    assert cell(value) is value
    assert json.dumps(cell(value)) == json.dumps(value)
