"""The best sets of stores and the next best: bounds of all sets at once, then exact assignments of those that can win.

The value of a set is the cost of its plan in cents, plus `Model.absent` for each line that it does not fill. If lots
and limits, which couple lines, are ignored, the value is at least a sum over lines of the least cost over the set's
stores (plus openings and the trip). By such a sum a further store never gains more at a larger set than at a subset of
it. So what the best further stores gain at a set bounds the value of every set that contains it (Nemhauser, Wolsey and
Fisher 1978).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from splitcart.cart.exact.assign import Assigner
from splitcart.cart.exact.model import FAR, Amounts, Flags, Model
from splitcart.cart.exact.problem import Stores
from splitcart.cart.exact.setbounds import SetBounds
from splitcart.cart.exact.standings import Candidate, Standing
from splitcart.cart.exact.tasks import NEVER, Clock
from splitcart.cart.exact.twins import kinds

CHUNK = 1 << 17
"""Numbers in one array while sets are extended: about what a processor's cache holds."""
SLICE = 1 << 13
"""Sets whose bounds are sharpened between two looks at the clock."""
MAX_SETS = 1 << 20
"""The most sets of one size that are kept for an exact assignment."""
FEW = 8
"""With at most so many stores no promising sets are tried first."""
NEIGHBOURS = 3
"""Sets of each size that are assigned before the search begins, besides the one reached by adding and swapping."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Sets of one size: rows of ascending store indices, ordered by the last one; bounds of their values, scaled."""

    sets: Amounts
    values: Amounts
    trips: Amounts

    def where(self, keep: Flags | Amounts) -> "_Level":
        return _Level(self.sets[keep], self.values[keep], self.trips[keep])


class Search:
    """Finds the standings for 1 to `most` stores."""

    def __init__(self, model: Model, most: int, clock: Clock) -> None:
        self.model, self.clock = model, clock
        self.assigner = Assigner(model, clock)
        self.bounds = SetBounds(model)
        self.most = min(most, len(model.usable))
        self.standings = [Standing() for _ in range(most)]
        self.tried: set[Stores] = set()
        self.kinds = kinds(model)
        self.least: dict[tuple[int, ...], int] = {}
        """By the kinds of a set's stores: a lower bound of its goods and fees, in cents."""
        self.put_off: list[tuple[int, Stores]] = []
        """Sets that need too many states, with the bounds of their values."""

    def run(self) -> list[Standing]:
        """The standings, by the number of stores allowed, from 1 on."""
        if not self.model.usable:
            return self.standings
        level = self._singles()
        self._decide(self._bounded(level, 1), 1)
        if len(level.sets) > FEW:
            self._try_promising(level)
        for size in range(2, self.most + 1):
            if self.clock.over():
                self._leave_undecided(self.bounds.floor, size)
                break
            wanted = self._extended(level, size)
            if wanted is None:
                break
            level, candidates = wanted
            self._decide(candidates, size)
        self._settle()
        return self.standings

    def _settle(self) -> None:
        """Assigns the sets that were put off, the smallest bounds first, while there is time."""
        self.assigner.widest = NEVER
        again, self.put_off = sorted(self.put_off), []
        for value, stores in again:
            if value >= self._limit(len(stores), stores):
                continue
            if self.clock.over():
                self._leave_undecided(value, len(stores))
            else:
                self.tried.discard(stores)
                self._assign(stores)
        for value, stores in self.put_off:
            self._leave_undecided(value, len(stores))

    def _singles(self) -> _Level:
        sets = np.array(self.model.usable, np.int64).reshape(-1, 1)
        values = self.model.low[self.model.usable].sum(axis=1) + self.model.opening[self.model.usable]
        return _Level(sets, values, self.model.trips_cents(sets) * self.model.scale)

    def _leave_undecided(self, value: int, size: int) -> None:
        """Notes that sets of `size` stores or more are left undecided, with a lower bound of their values."""
        for standing in self.standings[size - 1 : self.most]:
            standing.undecided.append(value)
        if self.most >= size:
            for standing in self.standings[self.most :]:
                standing.undecided.append(value)

    def _limit(self, size: int, stores: Stores) -> int:
        return self.standings[size - 1].limit(self.model.absent, size, stores)

    def _scaled_limit(self, size: int) -> int:
        return min(FAR, self._limit(size, ()) * self.model.scale)

    def _try_promising(self, singles: _Level) -> None:
        """Assigns promising sets of each size first, so that bounds can drop others.

        These are the set that comes from the one before by adding the best store and swapping each in turn, and some of
        its neighbours, which have one other store.
        """
        totals = singles.values + singles.trips
        chosen = [int(singles.sets[int(totals.argmin()), 0])]
        for size in range(2, self.most + 1):
            chosen.append(self.bounds.best_further(chosen)[0])
            for at in range(size):
                others = [*chosen[:at], *chosen[at + 1 :]]
                chosen = [*others, self.bounds.best_further(others)[0]]
            near = [
                [*chosen[:at], *chosen[at + 1 :], store] for at in range(size) for store in singles.sets[:, 0].tolist()
            ]
            self._assign(tuple(sorted(chosen)))
            for stores in self.bounds.smallest([each for each in near if len(set(each)) == size], NEIGHBOURS):
                self._assign(stores)

    def _assign(self, stores: Stores) -> None:
        """Assigns lines to the set, and offers the outcome to the standings, unless its value reaches their limit."""
        if stores in self.tried:
            return
        size = len(stores)
        self.tried.add(stores)
        rest = self.other_cents(stores)
        limit = self._limit(size, stores)
        alike = tuple(sorted(self.kinds[store] for store in stores))
        if self.least.get(alike, 0) + rest >= limit:
            return
        assigned = self.assigner.best(stores, limit - rest)
        self.least[alike] = min(assigned.bound, limit - rest)
        if assigned.cents is not None and assigned.choices is not None and assigned.cents + rest < limit:
            candidate = Candidate(assigned.cents + rest, size, stores, assigned.choices)
            for standing in self.standings[size - 1 :]:
                standing.offer(candidate)
        if assigned.bound + rest < limit and not assigned.is_proven:
            self.put_off.append((assigned.bound + rest, stores))

    def other_cents(self, stores: Stores) -> int:
        """The part of a set's value besides goods and fees: its visits, its trip, and `absent` for each line without a
        choice there."""
        model = self.model
        missing = int((model.low[list(stores)].min(axis=0) >= model.absent * model.scale).sum())
        trip = int(model.trips_cents(np.array([stores], np.int64))[0])
        return len(stores) * model.terms.visit_cents + trip + missing * model.absent

    def _decide(self, candidates: _Level, size: int) -> None:
        """Assigns the sets that can still matter, the smallest bounds first; the first one even when the time is
        over."""
        values = -(-(candidates.values + candidates.trips) // self.model.scale)
        order = np.lexsort((*candidates.sets.T[::-1], values)).tolist()
        for at in order:
            stores = tuple(candidates.sets[at].tolist())
            if values[at] >= self._limit(size, ()):
                break
            if values[at] >= self._limit(size, stores):
                continue
            if at != order[0] and self.clock.over():
                self._leave_undecided(int(values[at]), size)
                break
            self._assign(stores)

    def _extended(self, level: _Level, size: int) -> tuple[_Level, _Level] | None:
        """Extends each set by one store, to `size`. Returns (sets to extend further, sets to assign).

        None when the time is over; the rest is then left undecided."""
        roots, candidates = [], []
        rows = max(1, CHUNK // max(1, self.model.low.shape[1]))
        for begin in range(0, len(level.sets), rows):
            if self.clock.over():
                self._leave_undecided(self.bounds.floor, size)
                return None
            part = level.where(np.arange(begin, min(begin + rows, len(level.sets))))
            values, gains = self.bounds.further(part.sets, part.values)
            roots.append(self._roots(part, values, gains, size))
            candidates.append(self._candidates(part, values, size))
        return _ordered(roots, size), self._bounded(_ordered(candidates, size), size)

    def _candidates(self, part: _Level, values: Amounts, size: int) -> _Level:
        limit = self._scaled_limit(size)
        at, store = np.nonzero(values + self._trip_floor(part) < limit)
        return self._with_trips(part, values, at, store, limit)

    def _trip_floor(self, part: _Level) -> Amounts:
        """The least that the trip of a larger set costs: that of the smaller set, less one cent of rounding."""
        return np.maximum(part.trips - self.model.scale, 0)[:, None]

    def _with_trips(self, part: _Level, values: Amounts, at: Amounts, store: Amounts, limit: int) -> _Level:
        sets = np.column_stack([part.sets[at], store])
        level = _Level(sets, values[at, store], self.model.trips_cents(sets) * self.model.scale)
        return level.where(level.values + level.trips < limit)

    def _roots(self, part: _Level, values: Amounts, gains: Amounts, size: int) -> _Level:
        """The sets on which a larger one can be built whose bound is below the limit of its size."""
        keep = np.zeros(values.shape, np.bool_)
        for more, bound in enumerate(_with_best_further(values, gains, self.most - size), 1):
            keep |= bound + self._trip_floor(part) < self._scaled_limit(size + more)
        at, store = np.nonzero(keep)
        return self._with_trips(part, values, at, store, FAR)

    def _bounded(self, candidates: _Level, size: int) -> _Level:
        """The candidates whose sharper bounds, by gates, stores without a line and lots, are below the limit."""
        if len(candidates.sets) > MAX_SETS:
            order = np.argsort(candidates.values, kind="stable")
            self._leave_undecided(int(candidates.values[order[MAX_SETS]]) // self.model.scale, size)
            candidates = candidates.where(order[:MAX_SETS])
        limit = self._scaled_limit(size)
        better = []
        for begin in range(0, len(candidates.sets), SLICE):
            part = candidates.where(np.arange(begin, min(begin + SLICE, len(candidates.sets))))
            for sharper in (self.bounds.sharper, self.bounds.with_lots):
                if not self.clock.over():
                    part = _Level(part.sets, np.maximum(part.values, sharper(part.sets)), part.trips)
                    part = part.where(part.values + part.trips < limit)
            better.append(part)
        return _ordered(better, size)


def _ordered(parts: list[_Level], size: int) -> _Level:
    """The parts as one level, ordered by the last store of each set."""
    if not parts:
        nothing = np.zeros(0, np.int64)
        return _Level(np.zeros((0, size), np.int64), nothing, nothing)
    sets = np.concatenate([part.sets for part in parts])
    joined = _Level(
        sets, np.concatenate([part.values for part in parts]), np.concatenate([part.trips for part in parts])
    )
    return joined.where(np.argsort(sets[:, -1], kind="stable"))


def _with_best_further(values: Amounts, gains: Amounts, most: int) -> Iterator[Amounts]:
    """For one more store, two more and so on: the bounds of the sets that consist of one of these and of later stores.

    `values` and `gains`: a row for each set, a column for each store that is added to it. A bound is the value less the
    largest gains of later stores.
    """
    rows, stores = gains.shape
    best = np.full((most, rows, stores), -FAR // (2 * most or 1), np.int64)
    running = np.full((most, rows), -FAR // (2 * most or 1), np.int64)
    for store in range(stores - 1, -1, -1):
        best[:, :, store] = running
        running = np.sort(np.concatenate([running, gains[None, :, store]]), axis=0)[:0:-1]
    for more in range(1, most + 1):
        yield values - best[:more].sum(axis=0)
