"""The faults of earlier carts, and the rules of a plan one by one, on lists small enough to add up by hand."""

import pytest

from splitcart.cart import split
from tests.support import cart_plans, cart_worlds, carts
from tests.support.carts import document, line, option, store

COLES, ALDI, WOOLWORTHS, IGA = (store(name, 1) for name in ("coles", "aldi", "woolworths", "iga"))


def best(lines, stores=(ALDI, COLES), most=1, **terms):
    """The plan for `most` stores, which is proven."""
    plan = cart_plans.plans(document(list(stores), lines), carts.Terms(**terms), most)[-1]
    assert plan.is_optimal
    assert plan.bound_cents == plan.total_cents
    return plan


def test_a_quantity_counts_once_in_what_is_minimised():
    """5 x 100 and 100 are 600 at Aldi, 5 x 95 and 150 are 625 at Coles; with quantities squared Coles would win."""
    lines = [
        line(1, [option(ALDI, 1, 100, 5), option(COLES, 1, 95, 5)], quantity=5),
        line(2, [option(ALDI, 2, 100), option(COLES, 2, 150)]),
    ]
    plan = best(lines)
    assert (plan.stores, plan.total_cents) == (("aldi:1",), 600)


def test_the_same_product_on_two_lines_is_bought_twice_and_shares_its_lots():
    deal = {"multibuy_quantity": 2, "multibuy_total_cents": 500}
    plan = best([line(1, [option(ALDI, 1, 300, **deal)]), line(2, [option(ALDI, 1, 300, **deal)])])
    assert len(plan.lines) == 2
    assert plan.total_cents == 500


def test_a_list_that_meets_no_minimum_order_has_a_plan_without_lines():
    lines = [line(1, [option(ALDI, 1, 100)]), line(2, [option(COLES, 2, 100)])]
    plan = best(lines, fees={"aldi": (0, None, 500), "coles": (0, None, 500)}, most=2)
    assert (plan.stores, dict(plan.lines), plan.total_cents, plan.runner_up_cents) == ((), {}, 0, None)


def test_two_stores_of_one_name_stay_two_stores():
    near, far = store("coles", 584, "Newtown"), store("coles", 7, "Newtown")
    lines = [line(1, [option(near, 1, 100)]), line(2, [option(far, 2, 100)])]
    assert best(lines, (near, far), 2).stores == ("coles:584", "coles:7")


def test_one_store_id_of_two_companies_is_two_stores():
    lines = [line(1, [option(ALDI, 1, 100)]), line(2, [option(COLES, 2, 100)])]
    assert best(lines, most=2).stores == ("aldi:1", "coles:1")


def test_an_unpriced_line_is_not_dropped_silently():
    plan = best([line(1, [option(ALDI, 1, 100)]), line(2, [])])
    assert list(plan.lines) == [1]


def test_a_plan_that_needs_fewer_stores_than_allowed_is_kept():
    lines = [line(1, [option(ALDI, 1, 100), option(COLES, 1, 200)])]
    plans = cart_plans.plans(document([ALDI, COLES], lines), carts.Terms(), 5)
    assert [plan.stores for plan in plans] == [("aldi:1",)] * 5
    assert [plan.max_stores for plan in plans] == [1, 2, 3, 4, 5]


def test_money_is_whole_cents_everywhere():
    found, terms = cart_worlds.world(1, 12, 6, visit_cents=35, home=(-33.9, 151.1), cents_per_km=21.7)
    for plan in cart_plans.plans(found, terms, 3):
        amounts = [plan.goods_cents, plan.fees_cents, plan.visits_cents, plan.trip_cents, plan.bound_cents]
        amounts += [plan.total_cents, plan.runner_up_cents or 0, *(filled.cost_cents for filled in plan.lines.values())]
        assert {type(amount) for amount in amounts} == {int}


def test_the_most_lines_come_before_the_least_cost():
    lines = [
        line(1, [option(ALDI, 1, 100), option(COLES, 1, 900)]),
        line(2, [option(COLES, 2, 900)]),
    ]
    assert best(lines).stores == ("coles:1",)


def test_at_equal_costs_fewer_stores_win_then_the_smaller_as_plain_strings():
    nine, ten = store("aldi", 9), store("aldi", 10)
    lines = [line(at, [option(of, at, 100) for of in (nine, ten)]) for at in (1, 2)]
    plan = best(lines, (nine, ten), 2)
    assert plan.stores == ("aldi:10",)
    assert plan.runner_up_cents == 200


def test_a_smaller_store_wins_a_tie_that_shows_only_after_fees():
    """Coles and IGA look like 9 before fees, and cost 10 like Aldi: paid with a fee, or by the dearer option."""
    dear = [option(of, 2, 10) for of in (COLES, IGA)]
    lines = [line(1, [option(ALDI, 1, 10), option(COLES, 1, 8), option(IGA, 1, 8), *dear])]
    plan = best(lines, (ALDI, COLES, IGA), fees={"coles": (2, 9, 0), "iga": (2, 9, 0)})
    assert (plan.stores, plan.total_cents, plan.runner_up_cents) == (("aldi:1",), 10, 10)


def test_at_equal_costs_a_line_takes_its_own_item_then_the_smaller_product():
    options = [
        option(ALDI, 1, 100, is_substitute=True),
        option(ALDI, 5, 100),
        option(ALDI, 3, 100),
    ]
    assert best([line(1, options)]).lines[1].option.product_id == 3


def test_a_dearer_option_is_taken_where_it_waives_a_fee():
    lines = [line(1, [option(ALDI, 1, 900), option(ALDI, 2, 1000)])]
    plan = best(lines, fees={"aldi": (300, 1000, 0)})
    assert (plan.goods_cents, plan.fees_cents, plan.lines[1].option.product_id) == (1000, 0, 2)


def test_a_dearer_option_is_taken_where_it_meets_a_minimum_order():
    lines = [line(1, [option(ALDI, 1, 900), option(ALDI, 2, 1000), option(ALDI, 3, 1100)])]
    assert best(lines, fees={"aldi": (0, None, 950)}).total_cents == 1000


@pytest.mark.parametrize(("cents", "fee"), [(999, 300), (1000, 0), (1001, 0)])
def test_free_above_is_reached_at_its_amount(cents, fee):
    assert best([line(1, [option(ALDI, 1, cents)])], fees={"aldi": (300, 1000, 0)}).fees_cents == fee


@pytest.mark.parametrize(("cents", "lines"), [(999, 0), (1000, 1), (1001, 1)])
def test_a_minimum_order_is_met_at_its_amount(cents, lines):
    assert len(best([line(1, [option(ALDI, 1, cents)])], fees={"aldi": (0, None, 1000)}).lines) == lines


def test_limits_apply_to_goods_after_lots_and_to_each_store():
    deal = {"multibuy_quantity": 2, "multibuy_total_cents": 900}
    plan = best([line(1, [option(ALDI, 1, 500, 2, **deal)], quantity=2)], fees={"aldi": (100, 1000, 0)})
    assert (plan.goods_cents, plan.fees_cents) == (900, 100)
    two = store("aldi", 2)
    lines = [line(1, [option(ALDI, 1, 600)]), line(2, [option(two, 2, 600)])]
    assert best(lines, (ALDI, two), 2, fees={"aldi": (100, 1000, 0)}).fees_cents == 200


def test_a_line_is_left_out_only_where_a_minimum_cannot_be_met_with_it():
    """Two units are 8 singly, three are 6 as a lot: with all three lines the minimum of 8 is out of reach."""
    deal = {"offer_id": "mix", "multibuy_quantity": 3, "multibuy_total_cents": 6}
    lines = [line(at, [option(ALDI, at, 4, **deal)]) for at in (1, 2, 3)]
    plan = best(lines, fees={"aldi": (0, None, 8)})
    assert (sorted(plan.lines), plan.total_cents) == ([1, 2], 8)
    assert len(best(lines, fees={"aldi": (0, None, 6)}).lines) == 3


def test_units_of_one_offer_at_one_store_share_lots_the_dearest_first():
    deal = {"offer_id": "mix", "multibuy_quantity": 2, "multibuy_total_cents": 500}
    lines = [line(at, [option(ALDI, at, cents, **deal)]) for at, cents in enumerate((300, 400, 260), 1)]
    plan = best(lines)
    assert plan.goods_cents == 760
    assert sum(filled.cost_cents for filled in plan.lines.values()) == 760


def test_lots_of_another_store_total_or_quantity_are_not_shared():
    for other in ({"multibuy_total_cents": 450}, {"multibuy_quantity": 3}, {"offer_id": "other"}):
        deal = {"offer_id": "mix", "multibuy_quantity": 2, "multibuy_total_cents": 400}
        lines = [line(1, [option(ALDI, 1, 300, **deal)]), line(2, [option(ALDI, 2, 300, **deal | other)])]
        assert best(lines).total_cents == 600
    lines = [line(1, [option(ALDI, 1, 300, **deal)]), line(2, [option(COLES, 2, 300, **deal)])]
    assert best(lines, most=2).total_cents == 600


def test_more_is_never_bought_than_was_asked_for():
    deal = {"multibuy_quantity": 2, "multibuy_total_cents": 350}
    assert best([line(1, [option(ALDI, 1, 400, **deal)])]).total_cents == 400


def test_a_line_is_moved_to_another_store_to_fill_a_lot():
    deal = {"offer_id": "mix", "multibuy_quantity": 2, "multibuy_total_cents": 400}
    lines = [
        line(1, [option(ALDI, 1, 350, **deal), option(COLES, 1, 260)]),
        line(2, [option(ALDI, 2, 350, **deal), option(COLES, 2, 260)]),
        line(3, [option(COLES, 3, 100)]),
    ]
    plan = best(lines, most=2)
    assert (plan.total_cents, plan.lines[1].option.store) == (500, "aldi:1")


def test_goods_by_weight_round_each_line_half_up_and_take_no_lots():
    grams = {"quantity_unit": "g", "price_basis": "kg", "multibuy_quantity": 2, "multibuy_total_cents": 1}
    lines = [line(at, [option(ALDI, 1, 333, 500, **grams)], quantity=500, unit="g") for at in (1, 2)]
    plan = best(lines)
    assert [plan.lines[at].cost_cents for at in (1, 2)] == [167, 167]


def test_pieces_of_what_is_weighed_cost_their_typical_weight():
    plan = best([line(1, [option(ALDI, 1, 390, 3, price_basis="kg", typical_grams=180)], quantity=3)])
    assert plan.total_cents == 211


def test_members_offers_count_only_for_the_companies_named():
    more = {"member_price_cents": 80, "member_multibuy_quantity": 2, "member_multibuy_total_cents": 100}
    lines = [line(1, [option(ALDI, 1, 100, 2, **more)], quantity=2)]
    assert best(lines).total_cents == 200
    assert best(lines, members=("coles",)).total_cents == 200
    assert best(lines, members=("aldi",)).total_cents == 100


def test_a_member_still_takes_the_public_lot_where_it_is_cheaper():
    more = {"multibuy_quantity": 3, "multibuy_total_cents": 210}
    more |= {"member_multibuy_quantity": 2, "member_multibuy_total_cents": 190}
    assert best([line(1, [option(ALDI, 1, 100, 3, **more)], quantity=3)], members=("aldi",)).total_cents == 210


def test_each_visited_store_costs_a_visit_and_has_a_line():
    lines = [line(1, [option(ALDI, 1, 100)]), line(2, [option(ALDI, 2, 200), option(COLES, 2, 150)])]
    assert best(lines, most=2, visit_cents=49).stores == ("aldi:1", "coles:1")
    plan = best(lines, most=2, visit_cents=51)
    assert (plan.stores, plan.total_cents, plan.runner_up_cents) == (("aldi:1",), 351, 352)


def test_the_trip_is_the_shortest_round_and_is_rounded_once():
    places = [(-33.90, 151.10), (-33.91, 151.10), (-33.92, 151.10)]
    stores = [store("aldi", at, place=place) for at, place in enumerate(places)]
    lines = [line(at + 1, [option(of, at + 1, 100)]) for at, of in enumerate(stores)]
    plan = best(lines, stores, 3, home=(-33.89, 151.10), cents_per_km=10)
    assert plan.trip_cents == 67  # 0.06 degrees of 111.19 km, ten cents each


def test_a_trip_to_a_store_without_a_place_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"aldi:1: it has no coordinates.*--home"):
        best([line(1, [option(ALDI, 1, 100)])], (ALDI,), home=(-33.9, 151.1), cents_per_km=1)


def test_the_runner_up_fills_as_many_lines_or_is_none():
    lines = [line(1, [option(ALDI, 1, 100)]), line(2, [option(ALDI, 2, 100), option(COLES, 2, 300)])]
    assert best(lines).runner_up_cents is None
    assert best(lines, most=2).runner_up_cents == 400


@pytest.mark.parametrize("most", [0, -1, 11])
def test_a_number_of_stores_out_of_range_is_refused(most):
    with pytest.raises(ValueError, match="1 to 10"):
        cart_plans.plans(document([ALDI], [line(1, [option(ALDI, 1, 100)])]), carts.Terms(), most)
    assert split.MAX_STOPS == 10


def test_a_document_without_lines_or_options_gives_empty_plans():
    for lines in ([], [line(1, [])]):
        for stores in ([], [ALDI]):
            plan = cart_plans.plans(document(stores, lines), carts.Terms(), 2)[-1]
            assert (plan.stores, plan.total_cents, plan.is_optimal) == ((), 0, True)


def test_the_order_of_stores_lines_and_options_changes_nothing():
    found, terms = cart_worlds.world(3, 10, 6, offers=0.5, zones=1)
    turned = document(found["stores"][::-1], [{**each, "options": each["options"][::-1]} for each in found["lines"]])
    turned["lines"].reverse()
    first, second = (cart_plans.plans(each, terms, 3) for each in (found, turned))
    assert list(map(cart_plans.shown, first)) == list(map(cart_plans.shown, second))


def test_limits_that_only_a_knapsack_reaches_are_solved():
    """Only the sum of the odd line's dear option is odd, and the minimum is one that no even sum meets exactly."""
    lines = [line(at, [option(ALDI, at, 200), option(ALDI, at + 100, 200 + 2 * at)]) for at in range(1, 40)]
    lines.append(line(40, [option(ALDI, 40, 200), option(ALDI, 140, 231)]))
    assert best(lines, fees={"aldi": (0, None, 8431)}).total_cents == 8431
    assert best(lines[:-1], fees={"aldi": (0, None, 8431)}).total_cents == 8432
