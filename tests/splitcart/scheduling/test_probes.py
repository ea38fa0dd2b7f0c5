"""How many pages a probe draws and which, and what it settles."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.observed import CONTESTED, INFERRED, OWN, Sighting
from splitcart.scheduling.probes import (
    AGREES,
    DIFFERS,
    UNDECIDED,
    Plan,
    Tally,
    draw,
    is_evidence,
    pages_for,
    settle,
)

NOW = datetime(2026, 11, 27, 1, tzinfo=UTC)


def tally(**departments: tuple[int, int]) -> Tally:
    """(lines compared, of them deviating) by department."""
    return Tally({name: list(counts) for name, counts in departments.items()})


def missed(pages: int, drawn: int, deviating: int) -> Fraction:
    """By enumeration: the share of all draws that miss the deviating pages."""
    draws = list(itertools.combinations(range(pages), drawn))
    return Fraction(sum(min(each, default=pages) >= deviating for each in draws), len(draws))


@pytest.mark.parametrize("pages", range(1, 13))
def test_half_of_the_pages_are_the_fewest_that_notice_the_deviation_within_three_probes(pages: int) -> None:
    deviating = max(1, int(Fraction(2, 10) * pages))
    enough = next(n for n in range(pages + 1) if missed(pages, n, deviating) ** 3 <= Fraction(1, 10))
    assert pages_for(pages, deviation=Fraction(2, 10)) == min(pages, 2 * enough)


def test_the_pages_of_a_large_store_are_those_of_an_infinite_one() -> None:
    """0.98 ** (3 x 38) is the first below 0.10. Of 725 pages 14 deviate, a little less than 2%."""
    assert [pages_for(pages) for pages in (725, 10**4, 10**6)] == [78, 76, 76]
    drawn = pages_for(725) // 2
    assert Fraction(comb(725 - 14, drawn), comb(725, drawn)) ** 3 <= Fraction(1, 10)
    assert Fraction(comb(725 - 14, drawn - 1), comb(725, drawn - 1)) ** 3 > Fraction(1, 10)


def test_more_power_within_fewer_probes_of_a_smaller_deviation_costs_more_pages() -> None:
    usual = pages_for(725)
    dearer = [
        pages_for(725, power=Fraction(99, 100)),
        pages_for(725, within=1),
        pages_for(725, deviation=Fraction(1, 100)),
    ]
    assert min(dearer) > usual


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 400), min_size=1),
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 50)),
    st.integers(1, 100),
)
def test_a_draw_has_so_many_different_pages_and_never_more_than_there_are(products, open_lines, count) -> None:
    pages = {(key, page) for key, listed in products.items() for page in range(1, 1 + max(1, -(-listed // 36)))}
    drawn = draw(Plan(products, open_lines), dict.fromkeys(products, ()), 36, count, "day")
    assert len(drawn) == len(set(drawn)) == min(count, len(pages))
    assert set(drawn) <= pages


def test_the_first_half_follows_the_size_and_the_second_the_open_lines() -> None:
    plan = Plan({"large": 3600, "small": 360, "open": 360}, {"open": 9, "below": 1, "elsewhere": 50})
    first, second = Counter(), Counter()
    for number in range(100):
        drawn = [key for key, _ in draw(plan, {"large": (), "small": ("below",), "open": ()}, 36, 8, str(number))]
        first.update(drawn[:4])
        second.update(drawn[4:])
    assert 0.7 < first["large"] / 400 < 0.95  # 100 of 120 pages
    assert second["large"] == 0
    assert 0.7 < second["open"] / 400 < 0.95  # 9 of 10 open lines, and fewer pages of it are left each time


def test_a_store_without_open_lines_is_drawn_at_random_and_differently_each_day() -> None:
    plan = Plan({"a": 3600, "b": 3600})
    draws = [draw(plan, {"a": (), "b": ()}, 36, 8, day) for day in ("one", "one", "two")]
    assert draws[0] == draws[1] != draws[2]


def test_a_probe_agrees_within_what_a_group_tolerates_and_differs_beyond_it() -> None:
    outcomes = [settle(tally(a=(400, n), b=(600, 30 - 20))).outcome for n in (20, 21)]
    assert outcomes == [AGREES, DIFFERS]


def test_a_cluster_in_one_department_differs_however_much_else_agrees() -> None:
    rest = {"rest": (2600, 0)}
    assert settle(tally(tins=(36, 5), **rest)).outcome == DIFFERS
    assert settle(tally(tins=(36, 4), **rest)).outcome == AGREES  # a few lines are no cluster
    assert settle(tally(tins=(100, 5), **rest)).outcome == AGREES
    assert "36 compared lines of tins deviate, more than 5%" in settle(tally(tins=(36, 5), **rest)).words


def test_too_few_lines_settle_nothing() -> None:
    assert [settle(tally(a=(n, 0))).outcome for n in (0, 29, 30)] == [UNDECIDED, UNDECIDED, AGREES]
    assert [settle(tally(a=(40, n))).outcome for n in (1, 2, 4, 5)] == [AGREES, UNDECIDED, UNDECIDED, DIFFERS]


def test_contested_and_outdated_lines_are_counted_and_not_compared() -> None:
    seen = Tally()
    for source in (OWN, INFERRED, CONTESTED):
        for fit in (True, False):
            seen.add("a", source, deviates=True, is_evidence=fit)
    found = settle(seen)
    assert (found.compared, found.deviating, found.contested, found.outdated) == (2, 2, 2, 2)
    assert found.outcome == UNDECIDED


@pytest.mark.parametrize(
    ("hours", "period", "fit"),
    [(0, 25, True), (72, 25, True), (72.01, 25, False), (1, 18, False), (-1, 25, True)],
)
def test_evidence_is_of_the_same_period_and_no_older_than_fresh(hours, period, fit) -> None:
    known = Sighting(NOW - timedelta(hours=hours), NOW.date(), date(2026, 11, period))
    assert is_evidence(known, Sighting(NOW, NOW.date(), date(2026, 11, 25))) is fit
