"""When a worker locates stores and merges groups, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from splitcart.scheduling.due import Facts, Intervals, locate_at, merge_at

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
USUAL = Intervals()


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, NOW),
        ({"located_at": NOW - 6 * DAY}, NOW + DAY),
        ({"located_at": NOW - 7 * DAY}, NOW),
        ({"located_at": NOW - 30 * DAY}, NOW),
        ({"tried_at": NOW - HOUR}, NOW + 5 * HOUR),
        ({"tried_at": NOW - 6 * HOUR}, NOW),
        ({"located_at": NOW - 8 * DAY, "tried_at": NOW - HOUR}, NOW + 5 * HOUR),
        ({"located_at": NOW - 6 * DAY, "tried_at": NOW - 8 * DAY}, NOW + DAY),
        ({"locating_until": NOW + 2 * HOUR}, NOW + 2 * HOUR),
        ({"locating_until": NOW - HOUR}, NOW),
        ({"paused_until": NOW + HOUR}, NOW + HOUR),
        ({"located_at": NOW + 3650 * DAY}, NOW),
        ({"tried_at": NOW + 3650 * DAY}, NOW),
    ],
)
def test_stores_are_located_a_week_after_the_last_complete_run_and_never_in_a_pause(facts, wanted):
    assert locate_at(Facts(**facts), USUAL, NOW) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, None),
        ({"merged_at": NOW - DAY, "seen_until": NOW - DAY}, None),
        ({"completed_at": NOW - MINUTE}, NOW),
        ({"completed_at": NOW - 2 * DAY, "merged_at": NOW - DAY, "seen_until": NOW - DAY}, None),
        ({"completed_at": NOW - HOUR, "merged_at": NOW - HOUR, "seen_until": NOW - HOUR}, None),
        ({"completed_at": NOW - HOUR, "merged_at": NOW - HOUR, "seen_until": NOW - HOUR - MINUTE}, NOW),
        ({"completed_at": NOW - MINUTE, "merged_at": NOW - 31 * MINUTE}, NOW),
        ({"completed_at": NOW - MINUTE, "merged_at": NOW - 10 * MINUTE}, NOW + 20 * MINUTE),
        ({"completed_at": NOW - MINUTE, "merge_failed_at": NOW - 10 * MINUTE}, NOW + 20 * MINUTE),
        ({"completed_at": NOW, "merged_at": NOW - DAY, "merge_failed_at": NOW}, NOW + 30 * MINUTE),
        ({"completed_at": NOW - MINUTE, "merged_at": NOW + 3650 * DAY, "seen_until": NOW + 3650 * DAY}, NOW),
    ],
)
def test_groups_are_merged_when_a_complete_run_has_ended_since_at_most_every_half_hour(facts, wanted):
    assert merge_at(Facts(**facts), USUAL, NOW) == wanted
