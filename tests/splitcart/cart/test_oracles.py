"""The split against brute force, against HiGHS, and against its own bounds when time is short."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import cart_milp, cart_plans, cart_worlds, carts

BLOCK = 1000


def check(document, terms, most):
    """Every plan equals that of brute force: filled lines, cents, stores, each line's option, the runner-up."""
    plans = cart_plans.plans(document, terms, most)
    assert [cart_plans.shown(plan) for plan in plans] == carts.brute(document, terms, most)
    assert all(plan.is_optimal and plan.bound_cents == plan.total_cents for plan in plans)


@pytest.mark.parametrize("block", range(10))
def test_10_000_small_cases_equal_trying_everything_to_the_cent(block):
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        document, terms, most = carts.small_case(random.Random(seed))
        try:
            check(document, terms, most)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize(("case", "count"), [(carts.lots_case, 250), (carts.crossing_case, 30)])
def test_cases_full_of_shared_lots_equal_trying_everything(case, count):
    for seed in range(count):
        check(*case(random.Random(seed)))


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_small_cases_that_are_drawn_to_be_awkward_equal_trying_everything(draw):
    check(*carts.small_case(draw))


def test_small_cases_have_what_makes_a_split_hard():
    """Otherwise the tests above would prove little."""
    counts = dict.fromkeys(("several", "none", "partly", "waived", "shared", "weighed", "member", "runner-up"), 0)
    for seed in range(1500):
        document, terms, most = carts.small_case(random.Random(seed))
        plan = carts.brute(document, terms, most)[-1]
        counts["none"] += plan is None
        if plan is None:
            continue
        options = [each for line in document["lines"] for each in line["options"]]
        taken = [each for line in plan[3] for each in options if each["store"] == line[3] and each["sku"] == line[2]]
        offers = [(each["store"], each["offer_id"]) for each in taken if each["offer_id"]]
        fees = [terms.fees.get(store.split(":")[0], (0, None, 0)) for store in plan[2]]
        counts["several"] += len(plan[2]) > 1
        counts["partly"] += plan[0] < len(document["lines"])
        counts["waived"] += any(fee[0] and fee[1] for fee in fees)
        counts["shared"] += len(set(offers)) < len(offers)
        counts["weighed"] += any(each["price_basis"] == "kg" for each in taken)
        counts["member"] += bool(terms.members)
        counts["runner-up"] += plan[4] is not None
    assert min(counts.values()) >= 60, counts


@pytest.mark.parametrize(
    ("seed", "lines", "stores", "most", "offers"),
    [
        (1, 30, 12, 4, 0.25),
        (2, 20, 8, 3, 1.0),
        (3, 25, 8, 4, 0.6),
        (4, 15, 8, 3, 0.25),
        (5, 16, 10, 5, 0.4),
        (6, 40, 8, 3, 0.25),
        (7, 60, 6, 2, 0.3),
        (8, 12, 12, 4, 0.5),
    ],
)
def test_larger_cases_equal_an_independent_integer_programme(seed, lines, stores, most, offers):
    document, terms = cart_worlds.world(seed, lines, stores, offers=offers, visit_cents=seed * 30)
    plan = cart_plans.plans(document, terms, most)[-1]
    assert (len(plan.lines), plan.total_cents) == cart_milp.optimum(document, terms, most)
    assert plan.is_optimal
    assert plan.bound_cents == plan.total_cents


def test_medium_cases_equal_the_integer_programme_too():
    for seed in range(100, 110):
        document, terms = cart_worlds.world(seed, 10 + seed % 7, 6, offers=0.4, zones=1 + seed % 3)
        for most, plan in enumerate(cart_plans.plans(document, terms, 3), 1):
            assert (len(plan.lines), plan.total_cents) == cart_milp.optimum(document, terms, most), (seed, most)


class Ticks:
    """A clock that advances by one each time it is read."""

    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return float(self.asked)


@pytest.mark.parametrize("seed", range(3))
def test_no_bound_exceeds_the_least_cost_whenever_the_time_is_over(seed):
    document, terms = cart_worlds.world(seed, 24, 12, offers=0.6)
    best = cart_plans.plans(document, terms, 4)
    for seconds in (1, 2, 3, 5, 8, 12, 18, 25, 40, 80, 160):
        plans = cart_plans.plans(document, terms, 4, seconds=seconds, now=Ticks())
        for plan, known in zip(plans, best, strict=True):
            assert len(plan.lines) <= len(known.lines)
            if len(plan.lines) == len(known.lines):
                assert plan.bound_cents <= known.total_cents <= plan.total_cents
            if plan.is_optimal:
                assert plan.bound_cents == plan.total_cents == known.total_cents


def test_there_is_a_plan_however_late_it_is():
    document, _ = cart_worlds.world(3, 24, 12, offers=0.6)
    for plan in cart_plans.plans(document, carts.Terms(), 3, seconds=0.5, now=Ticks()):
        assert plan.lines
        assert 0 < plan.bound_cents <= plan.total_cents


def test_a_plan_that_time_cut_short_still_adds_up():
    document, terms = cart_worlds.world(5, 30, 12, offers=0.6)
    options = {each["sku"]: each for line in document["lines"] for each in line["options"]}
    assert options
    for seconds in (2, 5, 9, 15, 30):
        for plan in cart_plans.plans(document, terms, 3, seconds=seconds, now=Ticks()):
            chosen = []
            for number, filled in plan.lines.items():
                line = document["lines"][number - 1]["options"]
                one = next(o for o in line if (o["store"], o["sku"]) == (filled.option.store, filled.option.sku))
                chosen.append((one, carts.ways(one, ())[0]))
            goods = carts.goods_of(chosen)
            assert sum(goods.values()) == plan.goods_cents
            assert not chosen or carts.fees_of(goods, terms) == plan.fees_cents
            assert tuple(sorted(goods)) == plan.stores


def test_more_stores_never_make_a_plan_worse():
    for seed in range(6):
        document, terms = cart_worlds.world(seed, 20, 9, offers=0.4)
        plans = cart_plans.plans(document, terms, 5)
        ranked = [(-len(plan.lines), plan.total_cents) for plan in plans]
        assert ranked == sorted(ranked, reverse=True)
