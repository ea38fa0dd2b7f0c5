"""What every line costs in every store on every day, as arrays.

Day 0 is a Wednesday; the specials of a week hold for the days 7k to 7k+6 of a store's own calendar.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from sandbox.dice import Dice
from sandbox.goods.catalogue import Catalogue
from sandbox.places.places import Store

DEPTHS = np.array([0.1, 0.2, 0.25, 0.3, 0.4, 0.5])
ZONE_FACTORS = np.array([0.86, 0.92, 1.08, 1.13, 1.2])


@dataclass(frozen=True, slots=True)
class Offers:
    """One price level: cents per pack, or per kg of weighed goods; -1 for none."""

    price: np.ndarray
    was: np.ndarray
    quantity: np.ndarray
    total: np.ndarray
    member: np.ndarray
    """What members pay for one."""
    member_quantity: np.ndarray
    member_total: np.ndarray


@dataclass(frozen=True, slots=True)
class State:
    """One store on one day, over all lines of its chain."""

    offers: Offers
    ranged: np.ndarray
    available: np.ndarray


class Prices:
    """The price model of one chain."""

    def __init__(self, catalogue: Catalogue, dice: Dice, noise: float, zone_share: float, range_low: float) -> None:
        self.catalogue = catalogue
        self.chain = catalogue.chain
        self.dice = dice
        self.traits = catalogue.traits
        self.noise = 0.0 if self.traits.national_prices else noise
        self.zone_share = zone_share
        self.range_low = range_low
        self.lines = np.arange(len(catalogue.lines))
        self.weighed = np.array([line.good.weighed for line in catalogue.lines], dtype=bool)
        self.market = np.array([line.section == "market" for line in catalogue.lines], dtype=bool)

        self.popular = self._roll("popular", self.lines)
        self.season_phase = np.floor(self._roll("season-phase", self.lines) * 28).astype(np.int64)

    def _roll(self, concern: str, *keys: object) -> np.ndarray:
        return self.dice.uniform(f"{self.chain}:{concern}", *keys)

    def regular(self, zone: int, day: int) -> np.ndarray:
        """Shelf prices without specials."""
        family = self.catalogue.family
        period = 40 + np.floor(self._roll("period", family) * 120).astype(np.int64)
        phase = np.floor(self._roll("phase", family) * period).astype(np.int64)
        level = 0.9 + 0.25 * self._roll("level", family, (day + phase) // period)
        cents = self.catalogue.base * level
        if zone:
            differs = self._roll("zone", zone, family) < self.zone_share
            factor = ZONE_FACTORS[np.floor(self._roll("zone-by", zone, family) * 5).astype(np.int64)]
            cents = np.where(differs, cents * factor + np.sign(factor - 1) * 10, cents)
        nice = np.maximum(np.round(cents / 5).astype(np.int64) * 5, 40)
        return nice // 10 * 10 + 9 if self.traits.nines else nice

    def _offers(self, regular: np.ndarray, index: np.ndarray, day: int) -> Offers:
        week = day // 7
        family = self.catalogue.family[index]
        special = (self._roll("special", family, week) < self.traits.special_share) & ~self.market[index]
        if not self.traits.weighed_specials:
            special &= ~self.weighed[index]
        depth = DEPTHS[np.floor(self._roll("depth", family, week) * len(DEPTHS)).astype(np.int64)]
        now = np.floor(np.round(regular * (1 - depth), 3) / 5).astype(np.int64) * 5
        many = ~special & ~self.weighed[index] & ~self.market[index]
        many &= self._roll("multibuy", family, week) < self.traits.multibuy_share
        quantity = np.where(many, np.array([2, 2, 2, 3, 3, 4])[(self._roll("many", family, week) * 6).astype(int)], -1)
        if self.traits.multibuy_each:
            total = np.floor(regular * 0.83 / 5).astype(np.int64) * 5 * quantity
        else:
            total = np.floor(regular * quantity * 0.86 / 5).astype(np.int64) * 5
        club = self._roll("club", family, week)
        only = many & (club < self.traits.member_multibuy_share)
        plain = ~special & ~many & ~self.weighed[index] & ~self.market[index] & (club < self.traits.member_share)
        return Offers(
            price=np.where(special, now, regular),
            was=np.where(special, regular, -1),
            quantity=np.where(only, -1, quantity),
            total=np.where(many & ~only, total, -1),
            member=np.where(plain, np.floor(regular * 0.8 / 5).astype(np.int64) * 5, -1),
            member_quantity=np.where(only, quantity, -1),
            member_total=np.where(only, total, -1),
        )

    def zone(self, zone: int, day: int) -> tuple[np.ndarray, Offers]:
        regular = self.regular(zone, day)
        return regular, self._offers(regular, self.lines, day)

    def store(self, store: Store, day: int, regular: np.ndarray, offers: Offers) -> State:
        """A store's own state, from its zone's."""
        return State(self.own(store, day, regular, offers), self.ranged(store, day), self.available(store, day))

    def own(self, store: Store, day: int, regular: np.ndarray, offers: Offers) -> Offers:
        """The zone's offers, changed on the lines that this store prices differently."""
        index = np.flatnonzero(self._roll("noise", store.index, self.lines) < self.noise)
        if len(index):
            bump = 10 + np.floor(self._roll("noise-by", store.index, index) * 6).astype(np.int64) * 10
            own = self._offers(regular[index] + bump, index, day)
            columns = {field.name: getattr(offers, field.name).copy() for field in fields(Offers)}
            for name, column in columns.items():
                column[index] = getattr(own, name)
            offers = Offers(**columns)
        return offers

    def ranged(self, store: Store, day: int) -> np.ndarray:
        """Which lines the store lists: 30 to 100%, popular ones everywhere, some only for a season."""
        draw = float(self._roll("width", store.index))
        share = 1.0 if draw > 0.75 or store.index < 0 else self.range_low + (1 - self.range_low) * draw / 0.75
        score = 0.85 * self.popular + 0.15 * self._roll("local", store.index, self.lines)
        season = (day + self.season_phase) // 28
        away = self._roll("season", store.index, self.lines, season) < 0.02
        return (score < share) & ~away

    def available(self, store: Store, day: int) -> np.ndarray:
        block = (day + np.floor(self._roll("stock-phase", self.lines) * 4).astype(np.int64)) // 4
        return self._roll("stock", store.index, self.lines, block) >= 0.02


def scaled(state: State, factor: float) -> State:
    """The same store with all money multiplied."""
    if factor == 1.0:
        return state
    columns = {name: getattr(state.offers, name) for name in ("price", "was", "total", "member", "member_total")}
    money = {
        name: np.where(column >= 0, np.round(column * factor), -1).astype(np.int64) for name, column in columns.items()
    }
    return State(replace(state.offers, **money), state.ranged, state.available)
