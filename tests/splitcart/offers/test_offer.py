"""cost(n) against brute force, and what a unit price means when several are bought."""

from decimal import Decimal
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.offers.offer import Offer, cost_together
from splitcart.offers.unit_prices import UnitPrice
from splitcart.sizes.packs import parse


@pytest.mark.parametrize(("n", "cents"), [(0, 0), (1, 350), (2, 600), (3, 950), (4, 1200), (101, 30350)])
def test_lots_are_bought_as_often_as_they_fit(n, cents):
    assert Offer(350, 2, 600).cost(n) == cents


def test_a_lot_that_saves_nothing_is_not_bought():
    assert Offer(300, 2, 700).cost(4) == 1200


def test_exactly_n_are_paid_for():
    assert Offer(450, 2, 400).cost(1) == 450


def test_members_pay_the_member_price_only_when_asked():
    offer = Offer(500, member_price_cents=400)
    assert (offer.cost(2), offer.cost(2, member=True)) == (1000, 800)


def test_members_lots_count_only_when_asked():
    offer = Offer(500, member_multibuy_quantity=3, member_multibuy_total_cents=1200)
    assert (offer.cost(3), offer.cost(3, member=True), offer.cost(4, member=True)) == (1500, 1200, 1700)
    both = Offer(500, 2, 800, member_multibuy_quantity=3, member_multibuy_total_cents=1000)
    assert (both.cost(5), both.cost(5, member=True)) == (2100, 1800)
    assert both.unit_price(3, size=parse("1kg"), member=True) == UnitPrice(33333, "kg")


def test_weighed_goods_cost_by_the_typical_piece():
    assert Offer(390, price_basis="kg", typical_grams=180).cost(1) == 70
    assert Offer(390, price_basis="kg", typical_grams=180).cost(10) == 702
    assert Offer(390, price_basis="kg").cost(2) == 780


def test_the_unit_price_at_one_is_the_shelfs_own():
    shelf = UnitPrice(74000, "kg")
    assert Offer(460).unit_price(1, size=parse("700g"), shelf=shelf) == shelf
    assert Offer(460, 2, 690).unit_price(2, shelf=shelf) == UnitPrice(55500, "kg")
    assert Offer(460, 2, 690).unit_price(2, size=parse("1kg")) == UnitPrice(34500, "kg")
    assert Offer(460).unit_price(3) is None


@pytest.mark.parametrize(
    "wrong",
    [
        (-1,),
        (1, 2),
        (1, None, 5),
        (1, 0, 5),
        (1, 2, -5),
        (1, None, None, -1),
        (1, None, None, None, 2),
        (1, 2, 1, 1, 0, 5),
    ],
)
def test_an_impossible_offer_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=r"price|multibuy"):
        Offer(*wrong)


def test_impossible_quantities_and_mixed_offers_are_refused():
    with pytest.raises(ValueError, match="quantities"):
        Offer(1).cost(-1)
    with pytest.raises(ValueError, match="quantity 0"):
        Offer(1).unit_price(0)
    with pytest.raises(ValueError, match="one multibuy"):
        cost_together([(Offer(1, 2, 1), 1), (Offer(1), 1)])


def brute(prices, *lots):
    """The cheapest way over every choice of units for one lot after the other."""

    @cache
    def cheapest(units):
        best = sum(units)
        for quantity, total in lots:
            for chosen in combinations(range(len(units)), quantity):
                left = tuple(price for i, price in enumerate(units) if i not in chosen)
                best = min(best, total + cheapest(left))
        return best

    return cheapest(tuple(sorted(prices)))


prices = st.integers(0, 60)


@given(st.lists(st.tuples(prices, st.integers(0, 3)), max_size=4), st.integers(1, 5), st.integers(0, 150))
def test_lines_of_one_offer_cost_what_brute_force_finds(lines, quantity, total):
    units = [price for price, n in lines for _ in range(n)]
    cents = cost_together([(Offer(price, quantity, total), n) for price, n in lines])
    assert cents == brute(units, (quantity, total))


@given(
    st.lists(st.tuples(prices, st.integers(0, 2)), max_size=3),
    *(st.tuples(st.integers(2, 4), st.integers(0, 150)) for _ in range(2)),
)
def test_everyones_and_members_lots_mix_as_brute_force_finds(lines, public, members):
    units = [price for price, n in lines for _ in range(n)]
    offers = [(Offer(price, *public, None, *members), n) for price, n in lines]
    assert cost_together(offers, member=True) == brute(units, public, members)
    assert cost_together(offers) == brute(units, public)


@given(prices, st.integers(1, 5), st.integers(0, 300), st.integers(0, 40))
def test_more_never_costs_less_when_a_lot_is_no_cheaper_than_what_it_replaces(price, quantity, total, n):
    offer = Offer(price, quantity, max(total, (quantity - 1) * price))
    assert offer.cost(n) <= offer.cost(n + 1)
    assert offer.cost(n) <= n * price


@given(st.integers(1, 5000), st.integers(2, 6), st.integers(0, 9000), st.integers(1, 30))
def test_a_unit_price_times_its_amount_is_the_cost(price, quantity, total, n):
    offer = Offer(price, quantity, total)
    unit = offer.unit_price(n, size=parse("500g"))
    assert abs(unit.e4 * Decimal("0.5") * n / 100 - offer.cost(n)) <= Decimal("0.005") * n
