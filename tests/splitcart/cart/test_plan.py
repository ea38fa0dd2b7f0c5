"""The answer besides the plans: the recommendation, the baseline, savings, what to take if a line is out."""

import json
import time

import pytest

from splitcart.cart import split
from splitcart.cart.plan import Answer, dollars
from tests.support import cart_plans, cart_worlds, carts
from tests.support.carts import document, line, option, store

ALDI, COLES, IGA = (store(name, 1) for name in ("aldi", "coles", "iga"))


def answer(lines, stores=(ALDI, COLES, IGA), most=3, worth_cents=500, **more):
    slots, terms = cart_plans.slots_of(document(list(stores), lines)), cart_plans.terms_of(carts.Terms(**more))
    plans = split.split(slots, terms, most, seconds=60, now=time.monotonic)
    return Answer(slots, terms, plans, worth_cents)


def three_steps():
    """2,000 at one store, 700 less with a second, 300 less again with a third."""
    prices = {ALDI["store"]: (1000, 1000), COLES["store"]: (1300, 300), IGA["store"]: (700, 1400)}
    return [line(at + 1, [option(of, at + 1, prices[of["store"]][at]) for of in (ALDI, COLES, IGA)]) for at in (0, 1)]


def test_the_keys_of_the_answer_are_those_of_the_contract():
    reply = answer([line(1, [option(ALDI, 1, 100), option(ALDI, 2, 120)]), line(2, [])]).to_json()
    assert (
        " ".join(reply) == "version as_of plans recommended best_single_store baseline savings savings_over_best_store"
    )
    plan = reply["plans"][0]
    assert " ".join(plan) == (
        "max_stores stores filled unfilled goods_cents fees_cents visits_cents trip_cents total_cents bound_cents "
        "is_optimal runner_up_cents lines"
    )
    assert " ".join(plan["lines"][0]) == (
        "line item store product_id product_name sku quantity quantity_unit cost_cents offer_id is_special source "
        "observed_at flip_since is_estimated is_substitute if_out"
    )
    assert " ".join(plan["lines"][0]["if_out"]) == "store product_name cost_cents"
    assert plan["unfilled"] == [{"line": 2, "item": "product:2", "reason": "not sold at these stores"}]
    assert " ".join(reply["baseline"]) == "total_cents lines"
    assert " ".join(reply["savings"]) == " ".join(reply["savings_over_best_store"]) == "cents percent lines"
    assert list(plan) == list(reply["best_single_store"])
    assert json.loads(json.dumps(reply)) == reply


def test_the_recommended_plan_is_the_largest_whose_last_stop_is_worth_it():
    reply = answer(three_steps())
    assert [plan.total_cents for plan in reply.plans] == [1600, 1000, 1000]
    assert (reply.recommended.max_stores, reply.reason()) == (2, "its last stop saves $6.00")
    assert answer(three_steps(), worth_cents=600).recommended.max_stores == 2
    single = answer(three_steps(), worth_cents=601)
    assert (single.recommended.max_stores, single.reason()) == (1, "no further store fills more lines or saves $6.01")


def test_a_stop_that_fills_more_lines_is_worth_it_whatever_it_costs():
    reply = answer([line(1, [option(ALDI, 1, 100)]), line(2, [option(COLES, 2, 9000)])])
    assert (reply.recommended.max_stores, reply.reason()) == (2, "its last stop fills 1 more line")


def test_a_plan_without_a_further_stop_is_never_recommended_for_it():
    assert answer([line(1, [option(ALDI, 1, 100)])], worth_cents=0).recommended.max_stores == 1


def test_a_later_stop_can_be_worth_it_though_an_earlier_one_is_not():
    """Only the whole list meets Aldi's minimum; three others are cheap for one line each, so that two of them lack
    one."""
    others = (COLES, IGA, store("woolworths", 1))
    lines = [line(at, [option(ALDI, at, 1000), option(of, at, 400)]) for at, of in enumerate(others, 1)]
    reply = answer(lines, (ALDI, *others), fees={"aldi": (0, None, 3000)})
    assert [plan.total_cents for plan in reply.plans] == [3000, 3000, 1200]
    assert (reply.recommended.max_stores, reply.reason()) == (3, "its last stop saves $18.00")


def test_the_baseline_is_each_lines_mean_option_half_up_substitutes_aside():
    lines = [
        line(1, [option(ALDI, 1, 100), option(COLES, 1, 101), option(IGA, 5, 1, is_substitute=True)]),
        line(2, [option(ALDI, 2, 50, 2), option(COLES, 2, 60, 2)], quantity=2),
        line(3, [option(ALDI, 3, 10, is_substitute=True)]),
    ]
    reply = answer(lines)
    assert reply.baseline() == {1: 101, 2: 110}
    assert reply.to_json()["baseline"] == {"total_cents": 211, "lines": 2}


def test_savings_are_over_lines_that_both_fill_with_the_plans_fees():
    lines = [
        line(1, [option(ALDI, 1, 1000), option(COLES, 1, 2000)]),
        line(2, [option(ALDI, 2, 700, is_substitute=True)]),
    ]
    reply = answer(lines, fees={"aldi": (120, None, 0)}, visit_cents=33)
    saving = reply.savings()
    assert (saving.cents, saving.percent, saving.lines) == (380, 25.3, 1)


def test_a_plan_that_costs_more_than_the_baseline_has_negative_savings():
    reply = answer([line(1, [option(ALDI, 1, 1000)])], fees={"aldi": (125, None, 0)})
    assert (reply.savings().cents, reply.savings().percent) == (-125, -12.5)


def test_savings_over_the_best_store_count_all_that_either_costs():
    reply = answer(three_steps(), visit_cents=10)
    assert reply.recommended.max_stores == 2
    saving = reply.savings_over_best_store()
    assert (saving.cents, saving.percent, saving.lines) == (590, 36.6, 2)
    assert saving.cents == reply.best_single_store.total_cents - reply.recommended.total_cents


def test_if_out_is_the_cheapest_other_option_at_the_plans_stores_priced_alone():
    deal = {"multibuy_quantity": 2, "multibuy_total_cents": 300, "offer_id": "mix"}
    lines = [
        line(1, [option(ALDI, 1, 200, **deal), option(ALDI, 9, 220, **deal), option(COLES, 1, 150)]),
        line(2, [option(ALDI, 2, 200, **deal)]),
    ]
    reply = answer(lines, most=1).to_json()["plans"][0]["lines"]
    assert reply[0]["if_out"] == {"store": "aldi:1", "product_name": "Product 9", "cost_cents": 220}
    assert reply[1]["if_out"] is None
    assert [each["cost_cents"] for each in reply] == [150, 150]


def test_an_infeasible_list_has_an_answer_with_reasons():
    reply = answer([line(1, [option(ALDI, 1, 100)]), line(2, [])], fees={"aldi": (0, None, 5000)})
    document = reply.to_json()
    assert document["recommended"] == 1
    assert document["plans"][0]["stores"] == document["plans"][0]["lines"] == []
    assert [each["reason"] for each in document["plans"][0]["unfilled"]] == [
        "the minimum order is not met: $50.00 at aldi:1",
        "not sold at these stores",
    ]
    assert document["savings"] == document["savings_over_best_store"] == {"cents": 0, "percent": 0.0, "lines": 0}
    assert reply.can_buy
    assert reply.reason() == "no set of stores meets its minimum orders"


def test_a_line_that_only_other_stores_sell_has_that_reason():
    lines = [line(1, [option(ALDI, 1, 100)]), line(2, [option(ALDI, 2, 100)]), line(3, [option(COLES, 3, 100)])]
    assert answer(lines).to_json()["plans"][0]["unfilled"][0]["reason"] == "not sold at this plan's stores"


def test_a_line_that_is_left_out_for_a_minimum_has_that_reason():
    deal = {"offer_id": "mix", "multibuy_quantity": 3, "multibuy_total_cents": 6}
    lines = [line(at, [option(ALDI, at, 4, **deal)]) for at in (1, 2, 3)]
    (missing,) = answer(lines, fees={"aldi": (0, None, 8)}).to_json()["plans"][0]["unfilled"]
    assert "a minimum order is not met" in missing["reason"]


def test_a_list_without_any_option_can_buy_nothing():
    assert not answer([line(1, []), line(2, [])]).can_buy


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_adds_up(seed):
    reply, terms = cart_worlds.world(seed, 20, 8, offers=0.6, visit_cents=20, home=(-33.9, 151.1), cents_per_km=20)
    slots = cart_plans.slots_of(reply)
    plans = split.split(slots, cart_plans.terms_of(terms), 3, seconds=60, now=time.monotonic)
    for plan in Answer(slots, cart_plans.terms_of(terms), plans).to_json()["plans"]:
        parts = ("goods_cents", "fees_cents", "visits_cents", "trip_cents")
        assert plan["total_cents"] == sum(plan[key] for key in parts)
        assert plan["goods_cents"] == sum(each["cost_cents"] for each in plan["lines"])
        assert plan["filled"] + len(plan["unfilled"]) == 20
        assert plan["stores"] == sorted({each["store"] for each in plan["lines"]})


def test_dollars_are_shown_with_their_cents():
    assert [dollars(cents) for cents in (0, 5, 1234, -50, 100)] == ["$0.00", "$0.05", "$12.34", "-$0.50", "$1.00"]
