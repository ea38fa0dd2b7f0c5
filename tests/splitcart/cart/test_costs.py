"""What lines cost together, and how it is divided among them."""

import random

import pytest

from splitcart.cart import costs
from splitcart.cart.costs import Lot, Way
from splitcart.cart.slots import half_up
from tests.support import cart_plans, carts

MIX = Lot("aldi:1", ("offer", "mix"), 2, 500)


def shared(single, units=1):
    return Way(single, units, MIX, 0)


def test_shares_of_a_lot_are_in_proportion_and_the_remainder_goes_by_line_number():
    assert costs.line_cents({1: shared(300), 2: shared(300)}) == {1: 250, 2: 250}
    assert costs.line_cents({7: shared(300), 3: shared(400), 5: shared(310, 2)}) == {3: 304, 5: 469, 7: 227}
    three = Lot("aldi:1", ("offer", "mix"), 3, 1000)
    assert costs.line_cents({at: Way(400, 1, three, 0) for at in (9, 4, 6)}) == {4: 334, 6: 333, 9: 333}


def test_shares_always_add_up_to_what_the_lots_cost():
    draw = random.Random(5)
    for _ in range(500):
        lot = Lot("aldi:1", ("offer", "mix"), draw.randint(1, 4), draw.randint(0, 900))
        chosen = {at: Way(draw.choice((0, 1, 99, 333)), draw.randint(1, 3), lot, 0) for at in draw.sample(range(9), 4)}
        singles = [way.single_cents for way in chosen.values() for _ in range(way.units)]
        assert sum(costs.line_cents(chosen).values()) == carts.lots(tuple(singles), lot.quantity, lot.total)
        assert min(costs.line_cents(chosen).values()) >= 0


def test_goods_by_store_are_the_sums_of_the_lines():
    chosen = {1: ("aldi:1", shared(300)), 2: ("aldi:1", shared(300)), 3: ("coles:1", Way(0, 0, None, 77))}
    assert costs.goods_by_store(chosen) == {"aldi:1": 500, "coles:1": 77}


def test_an_option_alone_costs_the_total_in_the_document():
    for seed in range(100):
        document, *_ = carts.small_case(random.Random(seed))
        for line in cart_plans.slots_of(document).lines:
            for option in line.options:
                assert costs.alone_cents(option) == option.total_price_cents


@pytest.mark.parametrize(
    ("amount", "parts", "rounded"), [(0, 1000, 0), (499, 1000, 0), (500, 1000, 1), (1499, 1000, 1), (1500, 1000, 2)]
)
def test_halves_go_up(amount, parts, rounded):
    assert half_up(amount, parts) == rounded
