"""The truth by which policies are judged: what every store of one chain charges on every day, as arrays.

The rules are the sandbox's own (`sandbox.pricing`): zones, weekly specials, drifting shelf prices, stores that deviate,
ranges that come and go.
"""

from dataclasses import fields
from datetime import datetime, time
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sandbox.dice import Dice
from sandbox.goods.catalogue import Catalogue, nationals
from sandbox.places import places
from sandbox.pricing import Offers, Prices
from sandbox.sites import sites
from sandbox.world import EPOCH

Codes = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY = 86_400
NOISE, ZONE_SHARE, RANGE_LOW, PROMO_ONLY = 0.004, 0.3, 0.3, 0.01
"""The sandbox's defaults."""


class Truth:
    """One chain of `count` stores and so many lines. Times are seconds since EPOCH 00:00 UTC."""

    def __init__(self, chain: str, count: int, lines: int, zones: int, *, seed: int = 1, noise: float = NOISE) -> None:
        traits, self.dice = sites()[chain].TRAITS, Dice(seed)
        catalogue = Catalogue(chain, traits, self.dice, lines, nationals(self.dice, lines), PROMO_ONLY)
        self.prices = Prices(catalogue, self.dice, noise, ZONE_SHARE, RANGE_LOW)
        self.stores = places.draw(chain, traits, count, self.dice)
        self.index: Ints = np.arange(count)
        self.lines: Ints = np.arange(catalogue.main)
        self.zone: Ints = np.zeros(count, np.int64)
        if not traits.national_prices:
            order = np.argsort(self._roll("zone-of", self.index))
            self.zone[order] = self.index % zones
        first = datetime.combine(EPOCH, time(0))
        clocks = (ZoneInfo(store.timezone).utcoffset(first) for store in self.stores)
        self.offset: Ints = np.array([int(ahead.total_seconds()) for ahead in clocks if ahead is not None])
        self.codes = lru_cache(maxsize=4)(self._codes)
        self.ranged = lru_cache(maxsize=4)(self._ranged)

    def _roll(self, concern: str, *keys: int | Ints) -> npt.NDArray[np.float64]:
        return self.dice.uniform(f"{self.prices.chain}:{concern}", *keys)

    def day(self, seconds: int) -> Ints:
        """(stores,) the day on each store's own calendar; day 0 and every seventh begin with the flip."""
        found: Ints = (seconds + self.offset) // DAY
        return found

    @cached_property
    def _noisy(self) -> tuple[Ints, Ints, Ints]:
        """(store, line, cents) of every line that a store prices by so much above its zone."""
        store, line = np.nonzero(self._roll("noise", self.index[:, None], self.lines) < self.prices.noise)
        return store, line, 10 + np.floor(self._roll("noise-by", store, line) * 6).astype(np.int64) * 10

    def _codes(self, day: int) -> Codes:
        """(stores, lines): a number for each line's offer; equal where the offers are equal, never 0."""
        zones = [self.prices.zone(zone, day) for zone in range(int(self.zone.max()) + 1)]
        table = np.array([_coded(offers)[self.lines] for _, offers in zones])[self.zone]
        store, line, bump = self._noisy
        if len(store):
            regular = np.array([cents for cents, _ in zones])[self.zone[store], line] + bump
            table[store, line] = _coded(self.prices._offers(regular, line, day))
        return table

    @cached_property
    def _scored(self) -> Flags:
        """(stores, lines) whether a store is wide enough to list a line."""
        draw = self._roll("width", self.index)[:, None]
        share = np.where(draw > 0.75, 1.0, RANGE_LOW + (1 - RANGE_LOW) * draw / 0.75)
        score = 0.85 * self.prices.popular[self.lines] + 0.15 * self._roll("local", self.index[:, None], self.lines)
        found: Flags = score < share
        return found

    def _ranged(self, day: int) -> Flags:
        """(stores, lines): which lines each store lists."""
        season = (day + self.prices.season_phase[self.lines]) // 28
        found: Flags = self._scored & (self._roll("season", self.index[:, None], self.lines, season) >= 0.02)
        return found

    def now(self, seconds: int, stores: Ints) -> tuple[Codes, Flags]:
        """(codes, ranged) of some stores, each on its own day."""
        days = self.day(seconds)[stores]
        shape = (len(stores), len(self.lines))
        codes, ranged = np.empty(shape, np.int64), np.empty(shape, np.bool_)
        for day in np.unique(days).tolist():
            codes[days == day] = self.codes(day)[stores[days == day]]
            ranged[days == day] = self.ranged(day)[stores[days == day]]
        return codes, ranged


def _coded(offers: Offers) -> Codes:
    mixed = np.zeros(len(offers.price), np.int64)
    with np.errstate(over="ignore"):
        for column in fields(Offers):
            mixed = mixed * 1_000_003 + getattr(offers, column.name) + 2
    return np.maximum(mixed & 0x7FFF_FFFF_FFFF_FFFF, 1)
