"""Postcodes, their states, and the zone of an address."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.timezones import BY_POSTCODE, BY_STATE, postcode, state_code, state_of, zone_for

STATES = {
    "0200": "ACT", "0800": "NT", "0999": "NT", "1001": "NSW", "2000": "NSW", "2600": "ACT", "2618": "ACT",
    "2619": "NSW", "2899": "NSW", "2900": "ACT", "2920": "ACT", "2921": "NSW", "3000": "VIC", "3999": "VIC",
    "4000": "QLD", "4999": "QLD", "5000": "SA", "5999": "SA", "6000": "WA", "6999": "WA", "7000": "TAS", "7999": "TAS",
    "8001": "VIC", "9999": "QLD",
    "0000": None, "0100": None, "0300": None, "0799": None,
}  # fmt: skip


@pytest.mark.parametrize(("code", "state"), STATES.items())
def test_a_postcode_lies_in_its_state(code, state):
    assert state_of(code) == state


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        *((822, "0822"), ("822", "0822"), (822.0, "0822"), ("822.0", "0822"), (" 3056 ", "3056"), (3056, "3056")),
        *(("NT 0822", "0822"), ("3056 VIC", "3056"), ("0822", "0822")),
        *(
            (sent, None)
            for sent in (None, True, "", "N/A", 0, 56, "56", 30560, "30560", -3056, 3056.5, "3056-1", [3056])
        ),
        *((sent, None) for sent in (float("nan"), float("inf"), 10**50, "9" * 500, "\u0663\u0660\u0665\u0666", 450)),
    ],
)
def test_a_postcode_has_four_digits_of_a_state_or_is_none(sent, code):
    assert postcode(sent) == code


@pytest.mark.parametrize(
    ("state", "code", "zone"),
    [
        ("571", "3056", "Australia/Melbourne"),
        (None, "6053", "Australia/Perth"),
        ("", "0822", "Australia/Darwin"),
        ("QLD", "2484", "Australia/Brisbane"),
        ("NSW", "2880", "Australia/Broken_Hill"),
        ("Vic.", None, "Australia/Melbourne"),
        (None, None, None),
        ("Otago", "9016", "Australia/Brisbane"),
        ("Otago", "90160", None),
    ],
)
def test_a_zone_follows_from_the_state_else_from_the_postcode(state, code, zone):
    assert zone_for(state, code) == zone


def test_states_are_known_by_every_spelling():
    assert [state_code(spelling) for spelling in ("nsw", "N.S.W.", "AU-WA", "Western  Australia", "NZ", "", None)] == [
        *("NSW", "NSW", "WA", "WA", None, None, None)
    ]


def test_every_zone_is_known_to_zoneinfo():
    assert all(ZoneInfo(zone) for zone in (*BY_STATE.values(), *BY_POSTCODE.values()))


@given(st.integers(0, 9999))
def test_a_postcode_that_is_kept_has_a_zone(number):
    code = postcode(number)
    assert code is None or (len(code) == 4 and zone_for(None, code) is not None)
