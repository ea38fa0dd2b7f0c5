"""How long a blocked company is left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from splitcart.scheduling.pauses import Span, paused_until

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def span(begin: float, end: float) -> Span:
    return Span(at(begin), at(end))


def in_a_row(count: int) -> list[Span]:
    """Blocks whose runs each begin with the end of the pause before."""
    blocks, begin, pause = [], 0.0, 1.0
    for _ in range(count):
        blocks.append(span(begin, begin + 0.1))
        begin, pause = begin + 0.1 + pause, min(2 * pause, 24)
    return blocks


def test_a_company_that_was_never_blocked_is_not_paused():
    assert paused_until([], [at(0)]) is None


@pytest.mark.parametrize(("count", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (9, 24)])
def test_a_blocked_company_pauses_for_an_hour_and_each_block_in_a_row_doubles_it_to_a_day(count, hours):
    blocked = in_a_row(count)
    assert paused_until(blocked, []) == blocked[-1].finished_at + timedelta(hours=hours)
    assert paused_until(reversed(blocked), []) == blocked[-1].finished_at + timedelta(hours=hours)


def test_crawls_that_one_block_ends_are_one_block():
    assert paused_until([span(0, 1), span(0.2, 1.01), span(0.9, 1.02)], []) == at(2.02)


def test_a_crawl_that_was_answered_since_begins_the_doubling_anew():
    assert paused_until([*in_a_row(2), span(9, 10)], [at(8)]) == at(11)


def test_a_crawl_that_was_under_way_when_the_block_came_does_not_end_the_row_of_blocks():
    assert paused_until([span(0, 1), span(3, 4)], [at(0.5)]) == at(6)


def test_an_answer_since_the_last_block_does_not_shorten_its_pause():
    assert paused_until([span(0, 1)], [at(1.2)]) == at(2)
