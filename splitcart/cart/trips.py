"""The shortest round trip from home through every store of a set, along great circles.

The shortest way from home through a subset of the stores, ending at one of them, follows from the shortest ways through
the subsets without that one (Held and Karp 1962). All sets of one size are computed at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from splitcart.cart.slots import Store

EARTH_KM = 6371.0
"""Mean radius."""
MAX_CENTS_PER_KM = 100_000
Kilometres = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trip:
    """Where trips begin and end, in degrees, and what a kilometre costs."""

    home: tuple[float, float]
    cents_per_km: float

    def __post_init__(self) -> None:
        latitude, longitude = self.home
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValueError(f"home {latitude},{longitude}: a latitude from -90 to 90, a longitude from -180 to 180")
        if not 0 <= self.cents_per_km <= MAX_CENTS_PER_KM:
            raise ValueError(f"cents per km {self.cents_per_km}: 0 to {MAX_CENTS_PER_KM} are accepted")


def kilometres(one: tuple[float, float], two: tuple[float, float]) -> float:
    """The great circle between two places in degrees (haversine formula)."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(each) for each in place) for place in (one, two))
    square = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(square)))


def distances(trip: Trip, stores: Sequence[Store]) -> Kilometres:
    """Kilometres between home (row and column 0) and the stores. ValueError: a store without coordinates."""
    places = [trip.home]
    for store in stores:
        if store.latitude is None or store.longitude is None:
            raise ValueError(f"{store.store}: it has no coordinates; leave it or --home out")
        places.append((store.latitude, store.longitude))
    return np.array([[kilometres(one, two) for two in places] for one in places])


def tours_cents(sets: npt.NDArray[np.int64], between: Kilometres, cents_per_km: float) -> npt.NDArray[np.int64]:
    """Cents of each set's shortest round trip, rounded half up once.

    `sets`: a row of store indices for each set, all of one size; `between`: as `distances` returns it.
    """
    size = sets.shape[1]
    places = sets + 1
    steps = [[between[places[:, one], places[:, two]] for two in range(size)] for one in range(size)]
    # By (subset as bits, its last store): the shortest way from home, for each set.
    ways = {(1 << at, at): between[0, places[:, at]] for at in range(size)}
    for count in range(2, size + 1):
        for members in combinations(range(size), count):
            mask = sum(1 << at for at in members)
            for last in members:
                before = mask ^ 1 << last
                extended = [ways[before, at] + steps[at][last] for at in members if at != last]
                ways[mask, last] = np.minimum.reduce(extended)
    full = (1 << size) - 1
    closed = np.minimum.reduce([ways[full, at] + between[places[:, at], 0] for at in range(size)])
    return np.floor(closed * cents_per_km + 0.5).astype(np.int64)
