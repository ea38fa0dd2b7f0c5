import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.gtin import check_digit, normalise


def with_check(body):
    return body + check_digit(body)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("9339423004809", "09339423004809"),
        ("09339423004809", "09339423004809"),
        (9339423004809, "09339423004809"),
        (" 9339423-004809 ", "09339423004809"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("00000096385074", "00000096385074"),
        ("96385074,9339423004809", "09339423004809"),
        (["96385074", "9339423004809"], "09339423004809"),
        ("9780306406157", "09780306406157"),
    ],
)
def test_every_recorded_form_of_a_barcode_becomes_14_digits(raw, code):
    assert normalise(raw) == code


@pytest.mark.parametrize(
    "raw",
    [
        None, "", "null", "notfound", "N/A", "TEST_BARCODE", True, 9.3, {}, [], [[]], "9339423004808", "36000291452",
        with_check("026517800000"), with_check("040000000001"), with_check("050000000001"), with_check("200000000001"),
        with_check("977123456789"), with_check("980000000001"), with_check("990000000001"), with_check("0638507"),
        with_check("2638507"), with_check("1933942300480"), "0" * 8, "0" * 13, "0" * 14, "٩٣٣٩٤٢٣٠٠٤٨٠٩", "9" * 5000,
        -9339423004809, 10**500,
    ],
)  # fmt: skip
def test_junk_and_restricted_barcodes_are_refused(raw):
    assert normalise(raw) is None


def test_a_barcode_equal_to_the_sku_is_refused():
    assert normalise("96385074", sku="96385074") is None
    assert normalise("96385074", sku="000000000096385074") is None
    assert normalise("96385074", sku="31218") == "00000096385074"


@given(st.integers(0, 10**13 - 1))
def test_a_normalised_barcode_stays_itself(number):
    code = normalise(with_check(f"{number:013d}"))
    assert code is None or normalise(code) == code


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(JSON | st.lists(JSON | st.lists(JSON, max_size=2), max_size=3))
def test_no_object_raises(raw):
    assert normalise(raw, sku="1") is None or len(normalise(raw, sku="1")) == 14


@given(st.integers(1, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_never_accepted(number, place, shift):
    text = with_check(f"{number:012d}")
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    assert normalise(wrong) is None
