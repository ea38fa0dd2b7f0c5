"""The rules of grouping, and the faults of earlier systems that they must not repeat."""

import itertools
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest

from splitcart.bits import unpack
from splitcart.grouping.columns import EMPTY, EXTRAS, Coder, column
from splitcart.grouping.compare import Matrix, compare_rows
from splitcart.grouping.memory import Comparer, pair_of
from splitcart.grouping.rules import Comparison, Rules, natural_key
from tests.support.grouping_worlds import NOW, World, as_column, groups, store, with_noise, zone_prices


def prices(*changed: int, lines: int = 100, to: int = 999) -> list[int]:
    """`lines` prices; those at the indices `changed` are `to`."""
    return [to if i in changed else 100 + i for i in range(lines)]


def group_of(world: World, *stores, **options):
    return groups(world.plan(list(stores), **options))


def actions(plan, store_code: str) -> list[str]:
    return [d.action for d in plan.decisions if d.store_code == store_code]


@pytest.mark.parametrize(
    ("common", "differ", "smaller", "joins", "stays"),
    [
        (100, 2, 100, True, True),
        (100, 3, 100, False, True),
        (100, 4, 100, False, False),
        (50, 1, 100, True, True),
        (49, 0, 100, False, False),
        (0, 0, 0, False, False),
        (0, 0, 10, False, False),
        (10_000_000, 200_000, 10_000_000, True, True),
        (10_000_000, 200_001, 10_000_000, False, True),
        (10_000_000, 300_001, 10_000_000, False, False),
    ],
)
def test_a_match_is_exact_at_its_thresholds(common, differ, smaller, joins, stays):
    rules, comparison = Rules(), Comparison(common, differ, smaller)
    assert comparison.matches(rules.join, rules.overlap) is joins
    assert comparison.matches(rules.leave, rules.overlap) is stays


def test_an_unfinished_comparison_only_decides_what_it_proves():
    comparison = Comparison(1000, 21, 1000, exact=False)
    assert comparison.matches(Fraction(98, 100)) is False
    assert comparison.matches(Fraction(97, 100)) is None


def test_store_codes_sort_in_natural_order():
    assert sorted(["S10", "10", "9", "S2", "100", "09"], key=natural_key) == ["09", "9", "10", "100", "S2", "S10"]


@pytest.mark.parametrize("wrong", [0.2, 1.2, "98"])
def test_a_threshold_that_is_not_a_share_is_refused(wrong):
    with pytest.raises(ValueError, match="such as 0"):
        Rules.at(wrong)


def test_offers_are_equal_when_all_their_terms_are():
    """Price, basis, was price, multibuy, and the members' price and multibuy."""
    none = None
    rows = [
        (300,),
        (301,),
        (300, 400),
        (300, none, 2, 500),
        (300, none, 3, 500),
        (301, none, 2, 500),
        (300, none, none, none, 250),
        (300, none, none, none, 260),
        (300, none, none, none, none, 2, 500),
        (300, none, none, none, none, 3, 500),
        (300, none, none, none, none, 2, 400),
        (300, none, none, none, none, none, none, 1),
        (300, 400, 2, 500, 250, 2, 480, 0),
        (300, 400, 2, 500, 250, 2, 480, 1),
    ]
    for a, b in itertools.product(rows, rows):
        one, other = as_column({0: a, 5: (1,)}), as_column({0: b, 5: (1,)})
        assert compare(one, other) == Comparison(2, int(a != b), 2)
        assert (one.fingerprint() == other.fingerprint()) is (a == b)


def compare(a, b):
    return compare_rows(*Coder().encode([a, b], max(a.width, b.width)))


def test_codes_of_columns_encoded_later_still_compare():
    coder, one = Coder(), as_column({3: (300, 400, 2, 500)})
    first = coder.encode([as_column({0: (1, 2, None, None)}), one], 5)[1]
    assert (coder.encode([one], 5)[0] == first).all()


def test_fingerprints_differ_by_content_and_not_by_the_order_of_rows():
    rows = {9: (300, 400, 2, 500), 2: (0, None, None, None), 0: (5, None, 3, 10)}
    kept = as_column(rows).fingerprint()
    assert as_column(dict(reversed(rows.items()))).fingerprint() == kept
    moved = {8 if ordinal == 9 else ordinal: terms for ordinal, terms in rows.items()}
    others = [{**rows, 2: (1, None, None, None)}, {**rows, 10: (0, None, None, None)}, moved, {9: rows[9], 0: rows[0]}]
    assert len({kept, EMPTY.fingerprint(), *(as_column(other).fingerprint() for other in others)}) == 6


def test_only_ranged_lines_count():
    rows = {0: (100, None, None, None), 1: (250, 300, None, None), 2: (50, None, 2, 80), 7: (10, 20, None, None)}
    kept = as_column(rows).masked(unpack(bytes([0b10000101])))
    assert kept.fingerprint() == as_column({k: v for k, v in rows.items() if k != 1}).fingerprint()
    assert (kept.lines, len(kept.at)) == (3, 2)
    assert as_column(rows).masked(unpack(bytes([0b10]), 8)).lines == 1
    assert as_column(rows).masked(unpack(b"")).fingerprint() == EMPTY.fingerprint()


@pytest.mark.parametrize("name", ["price_cents", *EXTRAS[1:]])
def test_an_amount_too_large_for_its_code_is_refused_by_name(name):
    """Each term is as large as may be in a column of its own; one more is refused, and never another offer's code."""
    most = (1 << (15 if name.endswith("quantity") else 24)) - 2
    terms = {each: np.array([-1], np.int64) for each in ("price_cents", *EXTRAS)}
    terms |= {"price_cents": np.array([5], np.int64), "sold_by_kg": np.array([0], np.int64)}
    largest, less = (column(np.array([0]), *(terms | {name: np.array([most - i])}).values()) for i in (0, 1))
    assert largest.fingerprint() != less.fingerprint()
    assert compare(largest, less).differ == 1
    with pytest.raises(ValueError, match=f"{name} {most + 1} is above {most}: roll the run"):
        column(np.array([0]), *(terms | {name: np.array([most + 1])}).values())


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_never_rules_out_a_pair_that_matches(seed):
    rng = np.random.default_rng(seed)
    zones = zone_prices(seed, 4, 4096, share=0.1)
    codes = np.array([with_noise(zones[i % 4], 0.005 * (i % 5), rng) for i in range(24)], np.uint32)
    codes[rng.random(codes.shape) < 0.1 * (seed % 3)] = 0
    matrix, share, others = Matrix(24, 4096), Fraction(98, 100), np.arange(24)
    matrix.put(others, codes)
    gave_up = 0
    for row in range(24):
        for other, common, differ, exact in zip(others, *matrix.against(row, others, share), strict=True):
            comparison = compare_rows(codes[row], codes[other])
            if exact:
                assert (common, differ) == (comparison.common, comparison.differ)
            else:
                gave_up += 1
                assert comparison.matches(share, Fraction(0)) is False
    assert gave_up > 0


def test_the_order_of_rows_does_not_decide_about_a_chain_of_near_equals():
    world = World({"1": prices(), "2": prices(0, 1), "3": prices(0, 1, 2, 3)})
    for order in itertools.permutations([store("1"), store("2"), store("3")]):
        assert group_of(world, *order) == {frozenset({"1", "2"}), frozenset({"3"})}


def test_the_drift_guard_keeps_a_chain_of_groups_from_dragging_members_along():
    world = World({"1": prices(), "2": prices(), "3": prices(), "4": prices(0, 1), "5": prices(0, 1, 2, 3)})
    stores = [store("1"), store("2", "1"), store("3", "1"), store("4"), store("5", "4")]
    plan = world.plan(stores)
    assert groups(plan) == {frozenset({"1", "2", "3", "4"}), frozenset({"5"})}
    assert (plan.merged, plan.ejected, actions(plan, "5")) == (1, 1, ["stays", "drifted"])
    stale = world.plan([*stores[:4], store("5", "4", hours=90)])
    assert groups(stale) == {frozenset({"1", "2", "3", "4", "5"})}
    assert stale.flagged == {"5"}


def test_stores_with_one_common_product_are_not_merged():
    one = dict.fromkeys(range(10), (100, None, None, None))
    two = dict.fromkeys(range(9, 19), (100, None, None, None))
    assert len(group_of(World({"1": one, "2": two}), store("1"), store("2"))) == 2


def test_disjoint_and_empty_ranges_never_match():
    lines = {"1": prices(), "2": [None] * 100 + prices(), "3": [], "4": []}
    assert len(group_of(World(lines), *map(store, lines))) == 4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_store_that_ranges_part_of_the_anchors_lines_joins_it(share):
    part = [p if i % 100 < 100 * share else None for i, p in enumerate(prices(lines=400))]
    assert len(group_of(World({"1": prices(lines=400), "2": part}), store("1"), store("2"))) == 1


def test_a_remembered_mismatch_does_not_outlive_its_prices():
    world = World({"1": prices(), "2": prices(*range(9))})
    stores = [store("1"), store("2")]
    assert len(group_of(world, *stores)) == 2
    remembered = world.last.learned([0, 1])
    assert len(remembered) == 1
    world.columns["2"] = as_column(prices())
    assert len(group_of(world, *stores, remembered=remembered)) == 1
    world.columns["2"] = as_column(prices(1, to=777))
    assert len(group_of(world, *stores, remembered=remembered)) == 1


def test_a_stale_anchor_is_flagged_and_a_closed_one_is_replaced():
    world = World({i: prices() for i in "1234"} | {"3": prices(*range(9))})
    stores = [store("1", hours=80), store("2", "1", hours=5), store("3", "1", hours=4), store("4", "1", hours=100)]
    plan = world.plan(stores)
    assert groups(plan) == {frozenset("1234")}
    assert plan.flagged == {"1"}
    closed = store("1", hours=5, closed=True)
    plan = world.plan([closed, stores[1], stores[2], stores[3]])
    assert plan.anchors == {"1": "1", "2": "2", "3": "3", "4": "3"}
    assert actions(plan, "3") == ["reanchored"]


def test_a_stale_member_is_checked_too():
    world = World({"1": prices(), "2": prices(), "3": prices(*range(9))})
    plan = world.plan(
        [store("1"), store("2", "1", hours=54), store("3", "1", hours=54)], rules=Rules(fresh=timedelta(hours=50))
    )
    assert groups(plan) == {frozenset("123")}
    assert plan.flagged == {"3"}


def test_a_group_whose_anchor_is_unknown_is_not_skipped_for_ever():
    world = World({i: prices() for i in "123"})
    assert group_of(world, store("1", "gone"), store("2", "gone"), store("3", None)) == {frozenset("123")}
    elsewhere = [store("1", "2"), store("2", "3"), store("3")]
    assert group_of(world, *elsewhere) == {frozenset("123")}


def test_prices_of_two_specials_periods_are_not_compared():
    """The flip was at midnight to Wednesday, Sydney time: 13:00 UTC on Tuesday the 17th."""
    lines = {"1": prices(), **{str(i): prices(*range(30)) for i in range(2, 11)}}
    members = [store(str(i), "1", hours=72) for i in range(2, 11)]
    after = NOW - timedelta(hours=70)
    plan = World(lines).plan([store("1", hours=70.5), *members], now=after + timedelta(hours=1))
    assert len(groups(plan)) == 1
    assert plan.ejected == 0
    assert {d.action for d in plan.decisions} == {"waits"}


@pytest.mark.parametrize(("timezone", "together"), [("Australia/Perth", False), ("Australia/Sydney", True)])
def test_the_flip_is_in_the_stores_own_time(timezone, together):
    """14:00 UTC on Tuesday: already Wednesday in Sydney, still Tuesday in Perth."""
    world = World({"1": prices(), "2": prices()})
    hours = (NOW - NOW.replace(day=17, hour=14)).total_seconds() / 3600
    merged = group_of(world, store("1", hours=hours), store("2", hours=hours, timezone=timezone))
    assert (len(merged) == 1) is together


def test_stores_in_three_time_zones_are_compared_within_one_week():
    zones = ["Australia/Sydney", "Australia/Perth", "Australia/Adelaide"]
    world = World({str(i): prices() for i in range(3)})
    assert len(group_of(world, *(store(str(i), timezone=z) for i, z in enumerate(zones)))) == 1


def test_a_store_whose_later_incomplete_run_mixed_two_periods_waits():
    world = World({"1": prices(), "2": prices()})
    mixed = store("2", hours=71.5, touched_at=NOW)
    assert len(group_of(world, store("1", hours=71.5), store("2", hours=71.5))) == 1
    assert len(group_of(world, store("1", hours=71.5), mixed)) == 2


@pytest.mark.parametrize("hours", [3, 30, 70, 80, 500, None])
def test_a_member_whose_probe_agreed_in_this_period_stays_uncompared(hours):
    """Its own known prices may be of another week, or differ: the probe is later."""
    world = World({"1": prices(), "2": prices(*range(9))})
    plan = world.plan([store("1"), store("2", "1", hours=hours, verified=2)])
    assert groups(plan) == {frozenset("12")}
    assert (plan.ejected, plan.flagged, actions(plan, "2")) == (0, frozenset(), ["stays"])
    assert "its probe agreed in this specials period" in next(str(d) for d in plan.decisions if d.store_code == "2")
    assert (world.loaded, world.last.figures.made) == ([], 0)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (store("2", "1", hours=5), ["ejected"]),
        (store("2", "1", hours=2, verified=5), ["ejected"]),  # crawled since, and the crawl is later
        (store("2", "1", hours=30, verified=72), ["ejected"]),
        (store("2", "1", hours=500, verified=72), ["waits"]),  # it agreed last week
        (store("2", "1", hours=5, verified=2, closed=True), ["waits"]),
    ],
)
def test_a_probe_from_before_the_crawl_or_from_last_week_does_not_count(member, expected):
    """72 hours ago was a Tuesday: the specials have flipped since."""
    plan = World({"1": prices(), "2": prices(*range(9))}).plan([store("1"), member])
    assert actions(plan, "2") == expected


def test_a_member_whose_probe_agreed_waits_for_a_stale_anchor_without_flagging_it():
    member = store("2", "1", hours=500, verified=2)
    stale = World({"1": prices(), "2": prices(*range(9))}).plan([store("1", hours=80), member])
    assert (groups(stale), stale.ejected, stale.flagged) == ({frozenset("12")}, 0, frozenset())


def test_a_member_whose_probe_agreed_moves_with_its_anchor_and_is_not_flagged():
    world = World({"1": prices(), "2": prices(), "3": prices(), "4": prices(0, 1), "5": prices(*range(9))})
    stores = [store("1"), store("2", "1"), store("3", "1"), store("4"), store("5", "4", hours=200, verified=2)]
    plan = world.plan(stores)
    assert groups(plan) == {frozenset("12345")}
    assert (plan.ejected, plan.flagged, actions(plan, "5")) == (0, frozenset(), ["stays", "moved"])


def test_a_new_store_gets_a_group_and_joins_in_the_same_run():
    plan = World({"1": prices(), "2": prices()}).plan([store("1"), store("2", None)])
    assert groups(plan) == {frozenset({"1", "2"})}
    assert actions(plan, "2") == ["adopted", "merged"]


def test_equal_stores_are_found_without_reading_prices():
    world = World({str(i): prices() for i in range(200)})
    assert len(group_of(world, *(store(str(i)) for i in range(200)))) == 1
    assert world.loaded == []


def test_the_number_of_comparisons_grows_with_stores_times_zones_not_pairs():
    rng = np.random.default_rng(3)
    zones = zone_prices(3, 5, 1000)
    world = World({str(i): with_noise(zones[i % 5], 0.004, rng).tolist() for i in range(150)})
    assert len(group_of(world, *(store(str(i)) for i in range(150)))) == 5
    assert world.last.figures.made + world.last.figures.bounded <= 150 * 5
    assert sorted(set(world.loaded), key=int) == [str(i) for i in range(150)]


def test_the_larger_group_survives_and_ties_go_to_the_first_code():
    world = World({str(i): prices() for i in range(1, 8)})
    stores = [store("1"), store("2", "1"), *(store(i, "3") for i in "34"), *(store(i, "5") for i in "567")]
    assert set(world.plan(stores).anchors.values()) == {"5"}
    assert set(world.plan(stores[:4]).anchors.values()) == {"1"}


def test_the_pair_with_the_larger_groups_merges_first():
    """10 matches both 2 (alone) and 30 (a pair), who do not match each other."""
    world = World({"2": prices(0, 1), "10": prices(), "30": prices(5, 6), "31": prices(5, 6)})
    plan = world.plan([store("2"), store("10"), store("30"), store("31", "30")])
    assert groups(plan) == {frozenset({"10", "30", "31"}), frozenset({"2"})}


def test_a_store_that_left_its_zone_finds_the_group_of_its_new_one():
    lines = {i: prices() for i in "123"} | {i: prices(*range(50)) for i in "456"} | {"3": prices(*range(50))}
    stores = [store("1"), store("2", "1"), store("3", "1"), store("4"), store("5", "4"), store("6", "4")]
    plan = World(lines).plan(stores)
    assert groups(plan) == {frozenset("12"), frozenset("3456")}
    assert actions(plan, "3") == ["ejected", "merged"]


def test_stores_that_another_answers_for_go_where_it_goes():
    lines = {"1": prices(), "2": prices(), "3": []}
    plan = World(lines).plan([store("1"), store("2"), store("3", fulfilled_by="2", hours=None)])
    assert plan.anchors == {"1": "1", "2": "1", "3": "1"}


def test_every_decision_has_a_reason():
    lines = {"1": prices(), "2": prices(1), "3": prices(*range(20))}
    plan = World(lines).plan([store("1"), store("2"), store("3", "1")])
    assert all(d.reason for d in plan.decisions)
    assert "99.00% of 100 common lines" in next(str(d) for d in plan.decisions if d.action == "merged")
    assert "80.00% of 100 common lines" in next(str(d) for d in plan.decisions if d.action == "ejected")


def test_a_remembered_comparison_holds_for_its_two_fingerprints_in_either_order():
    columns = [as_column(prices()), as_column(prices(*range(9)))]
    codes = Coder().encode(columns, 100)
    comparer = Comparer([c.fingerprint() for c in columns], [100, 100], 100, lambda n: codes[n], Rules())
    assert comparer.matches(0, np.array([1])).tolist() == [False]
    assert list(comparer.learned([0, 1])) == [pair_of(*(c.fingerprint() for c in columns))]
    assert pair_of(b"b", b"a") == pair_of(b"a", b"b")
