"""The lines that have a choice at one set of stores: their cheapest assignment without limits, and the task with
them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from splitcart.cart.costs import goods_by_store, lot_cents
from splitcart.cart.exact.beam import solve
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.model import MAX_AMOUNT, Amounts, Model
from splitcart.cart.exact.tasks import (
    Clock,
    Move,
    OpenLot,
    Task,
    components,
    least_share,
    ordered,
)

SMALL = 6
"""A block of at most so many lines is solved once for all sets of stores that offer it the same."""
MAX_TRIED = 64
"""Up to so many ways to assign some lines are all tried."""
Stores = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The lines assigned to one set of stores, or what is known of that."""

    cents: int | None
    """Goods and fees, and Model.absent for each line left out although it had a choice. None, as `choices` are, if no
    assignment below the limit is known."""
    choices: tuple[Choice, ...] | None
    bound: int
    """A lower bound, in cents, of assignments to these stores that cost less than the limit."""

    @property
    def is_proven(self) -> bool:
        return self.cents is not None and self.bound >= self.cents


@dataclass(frozen=True, slots=True)
class Part:
    """Linked lines, assigned: scaled cents, the choices, and the bound (equal to the cents if these are exact)."""

    cost: int
    choices: tuple[Choice, ...] | None
    bound: int


class Problem:
    """The lines that have a choice at a set of stores."""

    def __init__(self, model: Model, stores: Stores, ties: bool, widest: int) -> None:
        self.model, self.stores, self.ties, self.widest = model, stores, ties, widest
        self.low: Amounts = model.low[list(stores)]
        self.least = self.low.min(axis=0)
        self.filled = self.least < model.absent * model.scale
        self.gates = [model.gates[store] for store in stores]
        plain = model.plain[list(stores)]
        self.cheapest_at = np.where(plain.min(axis=0) < MAX_AMOUNT, plain.argmin(axis=0), -1).tolist()
        """By line: the place where its cheapest choice outside of shared lots is; -1: it has none."""

    def without_gates(self, limit: int, clock: Clock, known: dict[tuple[Any, ...], Part]) -> Assignment:
        """The cheapest goods, without regard to fees and minimums. `limit` in cents; `known`: solved blocks."""
        scale = self.model.scale
        cost = int(self.least[self.filled].sum())
        alone = self.filled.copy()
        choices: list[Choice] = []
        for number, block in enumerate(self.model.blocks):
            stores = tuple(store for store in self.stores if store in block.stores)
            lines = [line for line in block.lines if self.filled[line]] if stores else []
            if lines:
                alone[lines] = False
                begun = int(self.least[lines].sum())
                part = self._block(number, lines, stores, limit * scale - cost + begun, clock, known)
                cost += part.bound - begun
                if part.choices is None or cost > limit * scale:
                    return Assignment(None, None, -(-cost // scale))
                choices += part.choices
        choices += [self._first(line) for line in np.flatnonzero(alone).tolist()]
        return Assignment(sum(goods(choices).values()), tuple(choices), -(-cost // scale))

    def _block(
        self,
        number: int,
        lines: list[int],
        stores: Stores,
        limit: int,
        clock: Clock,
        known: dict[tuple[Any, ...], Part],
    ) -> Part:
        """One block, assigned. A small one is solved regardless of the limit (scaled), and kept in `known`."""
        if len(lines) > SMALL or self.ties:
            return self._large(lines, limit, clock)
        places = (self.cheapest_at[line] for line in lines)
        key = (number, stores, *(self.stores[place] if place >= 0 else -1 for place in places))
        part = known.get(key)
        if part is None:
            part = self._solved([self._layer(line) for line in lines], MAX_AMOUNT, clock)
            if part.cost == part.bound:
                known[key] = part
        return part

    def _large(self, lines: list[int], limit: int, clock: Clock) -> Part:
        """A large block, assigned component by component, without the choices that reach the limit."""
        cost = int(self.least[lines].sum())
        slack = limit - cost
        choices: list[Choice] = []
        layers: list[list[Choice]] = []
        for line in lines:
            layer = self._layer(line)
            kept = [choice for choice in layer if self.model.least(choice) - int(self.least[line]) < slack]
            layers.append(kept or [min(layer, key=self.model.least)])
        for component in components(layers):
            begun = sum(int(self.least[layer[0].line]) for layer in component)
            part = self._solved(component, limit - cost + begun, clock)
            cost += part.bound - begun
            if part.choices is None or cost > limit:
                return Part(cost, None, cost)
            choices += part.choices
        return Part(cost, tuple(choices), cost)

    def _solved(self, layers: list[list[Choice]], limit: int, clock: Clock) -> Part:
        """Linked lines, assigned by the cheapest means that is exact. `limit` is scaled."""
        scale = self.model.scale
        if len(layers) == 1 and layers[0][0].lot < 0 and len(layers[0]) == 1:
            cents = layers[0][0].way.alone_cents * scale
            return Part(cents, (layers[0][0],), cents)
        if not self.ties and prod(len(layer) for layer in layers) <= MAX_TRIED:
            return self._tried(layers)
        task = self.task(ordered(layers), 1)
        answer = solve(task, -(-limit * task.unit // scale), clock, self.widest)
        bound = answer.bound * scale // task.unit
        if answer.moves is None:
            return Part(bound, None, bound)
        return Part(
            answer.cost * scale // task.unit, tuple(choice for move in answer.moves for choice in move.choices), bound
        )

    def _tried(self, layers: list[list[Choice]]) -> Part:
        """The cheapest of all ways, by trying each."""
        best, least = None, MAX_AMOUNT
        for choices in product(*layers):
            cents, units = 0, dict[int, list[tuple[int, int]]]()
            for choice in choices:
                if choice.lot < 0:
                    cents += choice.way.alone_cents
                else:
                    units.setdefault(choice.lot, []).append((choice.way.single_cents, choice.way.units))
            for number, listed in units.items():
                cents += lot_cents(tuple(listed), self.model.lots[number].quantity, self.model.lots[number].total)
            if cents < least:
                best, least = choices, cents
        return Part(least * self.model.scale, best, least * self.model.scale)

    def greedy(self) -> list[Choice]:
        """Each line's choice with the least possible cost: a plan to begin with if the best one takes too long."""
        places, lines = self.low.argmin(axis=0).tolist(), np.flatnonzero(self.filled).tolist()
        cells = [self.model.cells[line][self.stores[places[line]]] for line in lines]
        return [min((*cell.plain, *cell.shared), key=self.model.least) for cell in cells]

    def _first(self, line: int) -> Choice:
        """The cheapest choice outside of shared lots. With ties, the first by rank of equally cheap ones."""
        cells = self.model.cells[line]
        if not self.ties:
            return cells[self.stores[self.cheapest_at[line]]].plain[0]
        plain = (cells[store].plain[0] for store in self.stores if store in cells and cells[store].plain)
        return min(plain, key=lambda choice: (choice.way.alone_cents, choice.rank))

    def _layer(self, line: int) -> list[Choice]:
        """The choices of a line that can be best without gates: the cheapest outside of shared lots, and all in
        them."""
        cells = self.model.cells[line]
        shared = [choice for store in self.stores if store in cells for choice in cells[store].shared]
        return [self._first(line), *shared] if self.cheapest_at[line] >= 0 else shared

    def task(self, layers: list[list[Choice]], parts: int, left_out: frozenset[int] = frozenset()) -> Task:
        """The task of these lines. Its unit is a multiple of `parts`; the lines `left_out` may stay without a choice.

        With ties each cost also has a part below one cent: the ranks of the choices as the digits of a number, line 1
        first. So of equally cheap assignments the one with the first ranks costs least.
        """
        model = self.model
        numbers = sorted({choice.lot for layer in layers for choice in layer if choice.lot >= 0})
        at = {lot: index for index, lot in enumerate(numbers)}
        unit = math.lcm(*(model.lots[lot].quantity for lot in numbers)) * parts
        lines = sorted(layer[0].line for layer in layers)
        most = 1 + max((len(model.slots.lines[line].options) for line in lines), default=0) * 2
        tie = {line: most ** (len(lines) - 1 - index) if self.ties else 0 for index, line in enumerate(lines)}
        unit *= most ** len(lines) if self.ties else 1
        place = {store: index for index, store in enumerate(self.stores)}
        first = {choice.lot: choice for layer in layers for choice in layer}
        lots = [OpenLot(lot.quantity, lot.total, place[first[n].store]) for n in numbers for lot in (model.lots[n],)]
        made: list[list[Move]] = []
        for layer in layers:
            moves = [self._move(choice, unit, tie[choice.line], place, at) for choice in layer]
            if (line := layer[0].line) in left_out:
                moves.append(Move((), model.absent * unit + (most - 1) * tie[line]))
            made.append(moves)
        return Task(made, lots, unit)

    def _move(self, choice: Choice, unit: int, tie: int, place: dict[int, int], at: dict[int, int]) -> Move:
        way, where = choice.way, place[choice.store]
        tie, visits = tie * choice.rank, 1 << where
        if choice.lot < 0:
            share = way.alone_cents * unit
            return Move((choice,), share + tie, ((where, share),), ((where, way.alone_cents),), visits)
        lot = self.model.lots[choice.lot]
        share = least_share(way.single_cents, way.units, lot.quantity, lot.total, unit)
        return Move((choice,), share + tie, ((where, share),), (), visits, at[choice.lot], choice.most)


def goods(choices: Iterable[Choice]) -> dict[str, int]:
    """Cents of the goods at each store, after lots."""
    return goods_by_store({choice.line: (choice.option.store, choice.way) for choice in choices})
