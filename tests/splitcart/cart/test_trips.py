"""Round trips against brute force over every order."""

import random

import numpy as np
import pytest

from splitcart.cart import trips
from tests.support import carts


def test_the_shortest_of_all_orders_is_found_for_many_sets_at_once():
    draw = random.Random(3)
    places = {f"aldi:{at}": (-33 - draw.random(), 151 + draw.random()) for at in range(9)}
    stores = [trips.Store(name, "", "", "", None, *place) for name, place in places.items()]
    home, names = (-33.5, 151.5), list(places)
    between = trips.distances(trips.Trip(home, 33.3), stores)
    for size in range(1, 7):
        sets = np.array([sorted(draw.sample(range(9), size)) for _ in range(12)])
        terms = carts.Terms(home=home, cents_per_km=33.3)
        expected = [carts.trip_of([names[at] for at in row], terms, places) for row in sets.tolist()]
        assert trips.tours_cents(sets, between, 33.3).tolist() == expected


def test_a_great_circle_is_measured_as_the_earth_is_round():
    assert trips.kilometres((0, 0), (0, 180)) == pytest.approx(np.pi * 6371)
    assert trips.kilometres((-33.8688, 151.2093), (-37.8136, 144.9631)) == pytest.approx(713.4, abs=0.5)
    assert trips.kilometres((10, 20), (10, 20)) == 0


@pytest.mark.parametrize(
    ("home", "cents"), [((91, 0), 1), ((0, 181), 1), ((float("nan"), 0), 1), ((0, 0), -1), ((0, 0), float("inf"))]
)
def test_an_impossible_trip_is_refused(home, cents):
    with pytest.raises(ValueError, match=r"home|cents per km"):
        trips.Trip(home, cents)
