"""Prices right on any day: oldest-first and groups under the real budget, compared with a clairvoyant policy.

`scripts/simulate_policies.py` prints it; docs/scheduling.md has its assumptions and figures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.policy_fleet import HOUR, Fleet
from benchmarks.policy_world import DAY, Codes, Flags, Ints, Truth

REQUESTS = {"woolworths": 725, "coles": 491, "aldi": 122, "iga": 362}
"""Requests a store: a sweep's days (9.5, 4.7, 0.7 and 3.9) of 86,400 requests over the stores."""
STORES = {"woolworths": 1131, "coles": 827, "aldi": 495, "iga": 931}
WARM_UP = 14
SPEAKERS = 3
POLICIES = ("oldest", "groups", "clairvoyant")

Progress = Callable[[int], None]
"""Called with the number of days that have passed."""


class Clairvoyant:
    """Knows each store's zone and range, and crawls zone after zone, each time another of its SPEAKERS widest stores.

    What a store of the zone showed last counts for the zone: no store's own deviations are known.
    """

    def __init__(self, truth: Truth, requests: int) -> None:
        self.truth, self.requests, self.now = truth, requests, 0
        wide = truth.ranged(0).sum(axis=1)
        zones = np.unique(truth.zone).tolist()
        mine = [np.flatnonzero(truth.zone == zone) for zone in zones]
        self.speakers = [some[np.argsort(-wide[some], kind="stable")][:SPEAKERS].tolist() for some in mine]
        self.shown: Codes = np.zeros((len(zones), len(truth.lines)), np.int64)
        self.turn = 0
        self.dirty: set[int] = set()

    def advance(self, until: int) -> None:
        """Crawls until the time `until`."""
        while self.now + self.requests <= until:
            self.now += self.requests
            turn, zone = divmod(self.turn, len(self.speakers))
            self.turn += 1
            store = self.speakers[zone][turn % len(self.speakers[zone])]
            day = int(self.truth.day(self.now)[store])
            ranged = self.truth.ranged(day)[store]
            self.shown[zone] = np.where(ranged, self.truth.codes(day)[store], self.shown[zone])
            self.dirty.update(np.flatnonzero(self.truth.zone == zone).tolist())

    def codes(self, stores: Ints) -> Codes:
        """What is known of these stores."""
        return self.shown[self.truth.zone[stores]]


@dataclass(slots=True)
class Tally:
    """Hourly shares of one policy."""

    right: Ints
    """(stores,) right pairs at the last count."""
    pairs: Ints
    """(stores,) ranged listings at the last count."""
    hours: list[float] = field(default_factory=list)

    def count(self, stores: Ints, codes: Codes, truth: tuple[Codes, Flags]) -> None:
        """Counts these stores again."""
        true, ranged = truth
        self.right[stores] = ((codes == true) & ranged).sum(axis=1)
        self.pairs[stores] = ranged.sum(axis=1)

    def days(self) -> list[float]:
        """The mean of the 24 samples of each day."""
        return [float(np.mean(self.hours[start : start + 24])) for start in range(0, len(self.hours), 24)]


def simulate(
    truth: Truth, requests: int, days: int, *, warm_up: int = WARM_UP, progress: Progress = lambda _: None
) -> dict[str, dict[str, object]]:
    """By policy the share of pairs (store, ranged listing) whose effective price is the truth.

    mean, worst: of `days` days after `warm_up`, each the mean of 24 hourly samples; flips included. worst_day: its
    number. Also the crawls, and how many groups there are at the end.
    """
    fleets = {name: Fleet(truth, name, requests) for name in POLICIES[:2]}
    runs: dict[str, Fleet | Clairvoyant] = {**fleets, "clairvoyant": Clairvoyant(truth, requests)}
    count = len(truth.stores)
    tallies = {name: Tally(np.zeros(count, np.int64), np.zeros(count, np.int64)) for name in runs}
    today = np.full(count, -1)
    for hour in range(24 * (warm_up + days)):
        at = hour * HOUR
        turned = set(np.flatnonzero(truth.day(at) != today).tolist())
        today = truth.day(at)
        for name, run in runs.items():
            run.advance(at)
            again = np.array(sorted(run.dirty | turned), np.int64)
            run.dirty.clear()
            if len(again):
                codes = run.known.effective(again).codes if isinstance(run, Fleet) else run.codes(again)
                tallies[name].count(again, codes, truth.now(at, again))
            tally = tallies[name]
            tally.hours.append(float(tally.right.sum() / max(1, tally.pairs.sum())))
        if (at + HOUR) % DAY == 0:
            progress((at + HOUR) // DAY)
    return {name: _figures(tallies[name].days()[warm_up:], fleets.get(name), warm_up) for name in runs}


def _figures(shares: list[float], fleet: Fleet | None, warm_up: int) -> dict[str, object]:
    worst = int(np.argmin(shares))
    figures: dict[str, object] = {"mean": float(np.mean(shares)), "worst": shares[worst], "worst_day": warm_up + worst}
    if fleet is not None:
        figures |= fleet.counts | {"groups": len(np.unique(fleet.known.anchor))}
    return figures | {"days": shares}
