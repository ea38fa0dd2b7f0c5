from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.periods import Flip, crosses, next_flip, period_start

SYDNEY = "Australia/Sydney"
ZONES = [SYDNEY, "Australia/Perth", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Darwin"]


def test_a_period_begins_on_wednesday_midnight_of_the_store():
    when = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # Tuesday 09:00 in Sydney
    assert period_start(Flip(), SYDNEY, when) == datetime(2026, 11, 17, 13, 0, tzinfo=UTC)
    assert period_start(Flip(), "Australia/Perth", when) == datetime(2026, 11, 17, 16, 0, tzinfo=UTC)


def test_the_flip_itself_belongs_to_the_new_period():
    flip = datetime(2026, 11, 18, tzinfo=ZoneInfo(SYDNEY))
    assert period_start(Flip(), SYDNEY, flip) == flip
    assert crosses(Flip(), SYDNEY, flip - timedelta(microseconds=1), flip)
    assert not crosses(Flip(), SYDNEY, flip, flip + timedelta(days=6, hours=23))


def test_an_hour_that_daylight_saving_skips_still_has_a_flip():
    flip = Flip(weekday=6, hour=2)  # 2026-10-04 02:00 does not exist in Sydney
    start = period_start(flip, SYDNEY, datetime(2026, 10, 4, 12, 0, tzinfo=UTC))
    assert start == datetime(2026, 10, 3, 16, 0, tzinfo=UTC)


def test_naive_times_and_unknown_zones_are_refused_by_name():
    with pytest.raises(ValueError, match="naive"):
        period_start(Flip(), SYDNEY, datetime(2026, 11, 18))
    with pytest.raises(ValueError, match="Sydny"):
        period_start(Flip(), "Australia/Sydny", datetime.now(UTC))
    with pytest.raises(ValueError, match="weekday"):
        Flip(weekday=7)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.builds(Flip, st.integers(0, 6), st.integers(0, 23)),
)
def test_periods_cover_all_time_without_gap_or_overlap(when, zone, flip):
    start, end = period_start(flip, zone, when), next_flip(flip, zone, when)
    assert start <= when < end
    assert timedelta(days=6, hours=23) <= end - start <= timedelta(days=7, hours=1)
    assert period_start(flip, zone, end) == end
    assert period_start(flip, zone, end - timedelta(microseconds=1)) == start
    assert crosses(flip, zone, when, end)
    assert crosses(flip, zone, end, when)
