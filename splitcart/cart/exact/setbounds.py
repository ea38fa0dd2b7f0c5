"""The least that sets of stores cost, many sets at once. Amounts are scaled (see `splitcart.cart.exact.model`)."""

import numpy as np

from splitcart.cart.exact.choices import Gate
from splitcart.cart.exact.lotbounds import LotBounds
from splitcart.cart.exact.model import FAR, Amounts, Flags, Model
from splitcart.cart.exact.tasks import PARTS

GRID = 8
"""Discounts that are tried for each gate."""
CHUNK = 1 << 18
"""Numbers in one array, at most."""


class SetBounds:
    """Bounds of sets, from the least that each line costs at each store."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.lots = LotBounds(model)
        self.has_choice = model.low < model.absent * model.scale
        least = model.low[model.usable].min(axis=0).sum() if model.usable else 0
        self.floor = int(least + model.opening[model.usable].min(initial=FAR)) // model.scale if model.usable else 0
        """No set has a smaller value, in cents."""

    def further(self, sets: Amounts, values: Amounts) -> tuple[Amounts, Amounts]:
        """For each set and each later store: the value of both together, and what the store gains (below 0 if it costs
        more than it saves). Stores that are not later have the value FAR.

        A store where no line is cheaper must get a line all the same, which costs at least its smallest difference.
        """
        model = self.model
        least = model.low[sets[:, 0]]
        for column in range(1, sets.shape[1]):
            least = np.minimum(least, model.low[sets[:, column]])
        before = least.sum(axis=1)
        gains = np.full((len(sets), len(model.stores)), -FAR // 16, np.int64)
        for store in model.usable:
            rows = int(np.searchsorted(sets[:, -1], store))
            if rows:
                gain = before[:rows] - np.minimum(least[:rows], model.low[store]).sum(axis=1)
                idle = np.flatnonzero(gain == 0)
                if len(idle):
                    gain[idle] = -self._regret(store, least[idle])
                gains[:rows, store] = gain - model.opening[store]
        return np.where(gains > -FAR // 16, values[:, None] - gains, FAR), gains

    def _regret(self, store: int, least: Amounts) -> Amounts:
        """For each set: how much more a line costs at the store than at the set's stores, for the line where that is
        least."""
        has_choice = self.has_choice[store]
        return (self.model.low[store][has_choice] - least[:, has_choice]).min(axis=1)

    def best_further(self, stores: list[int]) -> list[int]:
        """The other stores, the one first that makes the least of these stores and itself."""
        others = [store for store in self.model.usable if store not in stores]
        sets = np.array([[*stores, other] for other in others])
        return [others[at] for at in np.argsort(self._values(sets), kind="stable")]

    def smallest(self, sets: list[list[int]], most: int) -> list[tuple[int, ...]]:
        """The `most` sets with the smallest bounds."""
        rows = np.array(sorted({tuple(sorted(stores)) for stores in sets}))
        return [tuple(rows[at].tolist()) for at in np.argsort(self._values(rows), kind="stable")[:most]]

    def _values(self, sets: Amounts) -> Amounts:
        return self.sharper(sets) + self.model.trips_cents(sets) * self.model.scale

    def sharper(self, sets: Amounts) -> Amounts:
        """Bounds that include what gates require, and that each store needs a line.

        A line that a store needs beyond those cheapest there comes from another store. Each line moves to one store at
        most, so the stores' extra costs can be summed.
        """
        values = np.zeros(len(sets), np.int64)
        rows = max(1, CHUNK // max(1, self.model.low.shape[1] * sets.shape[1]))
        for begin in range(0, len(sets), rows):
            part = slice(begin, begin + rows)
            values[part] = self._sharper(sets[part])
        return values

    def with_lots(self, sets: Amounts) -> Amounts:
        """Bounds that include what shared lots cost if they are not full."""
        least = self.model.low[sets].min(axis=1).sum(axis=1)
        return least + self.model.opening[sets].sum(axis=1) + self.lots.added(sets)

    def _sharper(self, sets: Amounts) -> Amounts:
        model = self.model
        each = model.low[sets]
        least = each.min(axis=1)
        cheapest_at = each.argmin(axis=1)
        filled = least < model.absent * model.scale
        values = least.sum(axis=1) + model.opening[sets].sum(axis=1)
        for column in range(sets.shape[1]):
            here = filled & (cheapest_at == column)
            values += self._extra(sets[:, column], each[:, column], least, here)
        return np.where(self._reachable(sets), values, FAR)

    def _extra(self, stores: Amounts, each: Amounts, least: Amounts, here: Flags) -> Amounts:
        """The least that one store of each set adds because it lacks a line, or goods. `here`: the lines cheapest
        there."""
        model = self.model
        extra = np.zeros(len(stores), np.int64)
        goods = np.where(here, least, 0).sum(axis=1)
        idle = np.flatnonzero(~here.any(axis=1))
        has_choice = each[idle] < model.absent * model.scale
        extra[idle] = np.where(has_choice, each[idle] - least[idle], FAR).min(axis=1)
        for store in set(stores.tolist()):
            gate = model.gates[store]
            rows = np.flatnonzero((stores == store) & (goods < gate.top * model.scale))
            if len(rows):
                others = np.where(self.has_choice[store] & ~here[rows], least[rows], 0)
                extra[rows] = np.maximum(extra[rows], self._short(gate, store, goods[rows], others))
        return extra

    def _short(self, gate: Gate, store: int, goods: Amounts, others: Amounts) -> Amounts:
        """The least cost of paying the fee and reaching the minimum, or of reaching what waives the fee.

        `goods`: what the store's own lines cost. `others`: what the other lines cost elsewhere. For each discount d the
        bound is d x (floor - goods) less what lines gain that are cheaper here with it (Lagrange, see `discounts`).
        """
        paid, waived = np.zeros(len(goods), np.int64), np.zeros(len(goods), np.int64)
        for part in range(PARTS // GRID, PARTS + 1, PARTS // GRID):
            offered = self.model.low[store] * (PARTS - part) // PARTS
            moved = np.maximum(0, others - offered).sum(axis=1)
            paid = np.maximum(paid, part * (gate.minimum * self.model.scale - goods) // PARTS - moved)
            waived = np.maximum(waived, part * (gate.top * self.model.scale - goods) // PARTS - moved)
        return np.minimum(paid + gate.fee * self.model.scale, waived)

    def _reachable(self, sets: Amounts) -> Flags:
        """Whether all lines, each at its dearest, could meet the minimums of the set together."""
        minimums = np.array([gate.minimum for gate in self.model.gates], np.int64)
        if not minimums.any():
            return np.ones(len(sets), np.bool_)
        most = np.where((minimums[sets] > 0)[:, :, None], self.model.most[sets], 0).max(axis=1).sum(axis=1)
        return minimums[sets].sum(axis=1) <= most
