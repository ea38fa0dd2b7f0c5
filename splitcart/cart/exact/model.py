"""A list's slots and the terms of a plan, as numbers that the search works on.

Amounts in the arrays are cents times `scale`, a multiple of all lot quantities, so that a unit's share of a lot is a
whole number. Where that would exceed MAX_SCALE the scale is 1, and shares are rounded down: they are lower bounds
still.
"""

import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from splitcart.cart import trips
from splitcart.cart.costs import Lot
from splitcart.cart.exact.choices import Block, Cell, Choice, Gate, SharedLot, is_shared, linked, ranked
from splitcart.cart.slots import Slots, Store
from splitcart.cart.terms import Terms, fee_at

Amounts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
MAX_SCALE = 840
MAX_AMOUNT = 1 << 60
"""Above every amount."""
FAR = 1 << 61
"""Above every value of a set (defined in `standings`)."""


class Model:
    """Lines, stores, choices and their bounds.

    `usable` are the stores that can take a line and meet their minimum; the search leaves out all others.
    """

    def __init__(self, slots: Slots, terms: Terms, most_stores: int) -> None:
        self.slots, self.terms = slots, terms
        by_line = [ranked(line.options, terms) for line in slots.lines]
        self.stores = sorted(store.store for store in slots.stores)
        place = {store: at for at, store in enumerate(self.stores)}
        self.lots: list[SharedLot] = []
        listed = [
            [Choice(line, place[option.store], option, way, rank) for rank, (option, way) in enumerate(ways)]
            for line, ways in enumerate(by_line)
        ]
        self._share(listed)
        self._gates(listed)
        self.cells = [self._cells(each) for each in listed]
        self._bounds(most_stores)

    def _share(self, listed: list[list[Choice]]) -> None:
        """Lists the lots that lines share, and enters their indices in the choices."""
        users: dict[Lot, list[Choice]] = defaultdict(list)
        for choice in (choice for each in listed for choice in each):
            if choice.way.lot is not None:
                users[choice.way.lot].append(choice)
        numbers: dict[Lot, int] = {}
        even = {lot for lot, choices in users.items() if len({choice.way.single_cents for choice in choices}) == 1}
        for lot, choices in users.items():
            if is_shared(lot, choices):
                numbers[lot] = len(self.lots)
                dearest = max(choice.way.single_cents for choice in choices)
                self.lots.append(
                    SharedLot(lot.quantity, lot.total, lot in even, lot.total < (lot.quantity - 1) * dearest)
                )
        for each in listed:
            for at, choice in enumerate(each):
                own = choice.way.lot
                if own in numbers and not (own in even and choice.way.units % own.quantity == 0):
                    each[at] = replace(choice, lot=numbers[own])

    def _gates(self, listed: list[list[Choice]]) -> None:
        """What each store asks for, given the most that its goods can cost; and which stores cannot be visited."""
        most = [0] * len(self.stores)
        for each in listed:
            here: dict[int, int] = {}
            for choice in each:
                here[choice.store] = max(choice.most, here.get(choice.store, 0))
            for at, cents in here.items():
                most[at] += cents
        fees = [fee_at(store, self.terms.fees) for store in self.stores]
        self.gates, self.fixed, self.shut = [], [], []
        for fee, reachable in zip(fees, most, strict=True):
            waived = fee.free_above_cents is not None and fee.free_above_cents <= reachable
            free_above = max(0, fee.free_above_cents or 0) if waived and fee.fee_cents else 0
            self.gates.append(Gate(fee.minimum_cents, free_above, fee.fee_cents if free_above else 0))
            unwaived = fee.fee_cents if not waived else 0
            self.fixed.append(unwaived)
            self.shut.append(fee.minimum_cents > reachable)

    def _cells(self, choices: list[Choice]) -> dict[int, Cell]:
        by_store: dict[int, list[Choice]] = defaultdict(list)
        for choice in choices:
            if not self.shut[choice.store]:
                by_store[choice.store].append(choice)
        return {store: self._cell(choices_at) for store, choices_at in by_store.items()}

    def _cell(self, choices: list[Choice]) -> Cell:
        plain: dict[int, Choice] = {}
        shared: dict[tuple[int, int, int], Choice] = {}
        for choice in choices:  # by rank: the first of equal ones stays
            if choice.lot < 0:
                plain.setdefault(choice.way.alone_cents, choice)
            else:
                shared.setdefault((choice.lot, choice.way.single_cents, choice.way.units), choice)
        ordered = [plain[cents] for cents in sorted(plain)]
        if self.gates[choices[0].store].top == 0:
            ordered = ordered[:1]
        return Cell(tuple(ordered), tuple(shared.values()))

    def _bounds(self, most_stores: int) -> None:
        """The arrays of the least and most cents of each line at each store; the least is `absent` if there is no
        choice."""
        shape = len(self.stores), len(self.cells)
        scale = math.lcm(*(lot.quantity for lot in self.lots))
        self.scale = scale if scale <= MAX_SCALE else 1
        self.most: Amounts = np.zeros(shape, np.int64)
        self.plain: Amounts = np.full(shape, MAX_AMOUNT, np.int64)
        least: dict[tuple[int, int], int] = {}
        for line, by_store in enumerate(self.cells):
            for store, cell in by_store.items():
                if cell.plain:  # the cheapest first, the dearest last
                    self.plain[store, line] = cell.plain[0].way.alone_cents
                    self.most[store, line] = cell.plain[-1].way.alone_cents
                    least[store, line] = cell.plain[0].way.alone_cents * self.scale
                for choice in cell.shared:
                    self.most[store, line] = max(choice.most, self.most[store, line])
                    least[store, line] = min(self.least(choice), least.get((store, line), MAX_AMOUNT))
        self.between = trips.distances(self.terms.trip, self._places()) if self.terms.trip else None
        self.absent = self._absent(most_stores)
        self.low: Amounts = np.full(shape, self.absent * self.scale, np.int64)
        for at, amount in least.items():
            self.low[at] = amount
        self.blocks = self._blocks()
        self.opening: Amounts = np.array([self.terms.visit_cents + fee for fee in self.fixed], np.int64) * self.scale
        self.usable = [at for at in range(shape[0]) if any(at in by_store for by_store in self.cells)]

    def least(self, choice: Choice) -> int:
        """The least scaled cents that a choice costs, whichever lines share its lots: its units' shares of full
        lots."""
        if choice.lot < 0:
            return choice.way.alone_cents * self.scale
        lot, way = self.lots[choice.lot], choice.way
        return way.units * min(way.single_cents * lot.quantity, lot.total) * self.scale // lot.quantity

    def _blocks(self) -> list[Block]:
        """The lines that are linked by lots, at whichever stores."""
        lots = [{choice.lot for cell in cells.values() for choice in cell.shared} for cells in self.cells]
        stores = [{store for store, cell in cells.items() if cell.shared} for cells in self.cells]
        groups = (lines for lines in linked(lots) if lots[lines[0]])
        return [Block(lines, set().union(*(stores[line] for line in lines))) for lines in groups]

    def _places(self) -> list[Store]:
        return sorted(self.slots.stores, key=lambda store: store.store)

    def _absent(self, most_stores: int) -> int:
        """More cents than any plan costs. Each unfilled line adds this to a set's value, so that filling lines comes
        first."""
        visits = max(
            (self.terms.visit_cents + fixed + gate.fee for fixed, gate in zip(self.fixed, self.gates, strict=True)),
            default=0,
        )
        trip = 0
        if self.between is not None and self.terms.trip:
            trip = math.ceil(float(self.between.max()) * self.terms.trip.cents_per_km) + 1
        goods = int(self.most.max(axis=0).sum()) if self.most.size else 0
        return 1 + goods + most_stores * visits + (most_stores + 1) * trip

    def trips_cents(self, sets: npt.NDArray[np.int64]) -> Amounts:
        """Cents of the shortest round trip of each set (a row of store indices)."""
        if self.between is None or self.terms.trip is None:
            return np.zeros(len(sets), np.int64)
        return trips.tours_cents(sets, self.between, self.terms.trip.cents_per_km)
