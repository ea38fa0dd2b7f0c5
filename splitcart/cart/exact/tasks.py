"""What is to be assigned line by line, in units of cents; and bounds that drop moves."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from splitcart.cart.exact.choices import Choice

PARTS = 1024
"""Discounts are whole numbers of 1/PARTS."""
FIRST_WIDEST = 512
"""The most states kept in the first attempt at a set of stores. A set that needs more is put off."""
NEVER = 1 << 20_000
"""Above every cost, the ties of 500 lines included."""


class Move(NamedTuple):
    """One choice of a line, or one of each of several lines, with the amounts that it adds."""

    choices: tuple[Choice, ...]
    """Empty: the line is left out."""
    cost: int
    """In units, ties included. Units in lots count with their least share."""
    shares: tuple[tuple[int, int], ...] = ()
    """(place, amount): the part of the cost that is goods of each place, in units, without ties."""
    goods: tuple[tuple[int, int], ...] = ()
    """(place, cents): what it adds to the goods of each place at once. Units in a lot add theirs when the lot
    closes."""
    visits: int = 0
    """The places that it gives a line, as bits."""
    lot: int = -1
    """Index in Task.lots; -1: none."""
    most: int = 0
    """With a lot: the most cents of goods that it adds."""


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot that several of the task's lines can fill."""

    quantity: int
    total: int
    place: int


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be assigned: a layer of moves for each line, in the order of decision. Places are the stores of the
    set."""

    layers: Sequence[Sequence[Move]]
    lots: Sequence[OpenLot]
    unit: int
    """How many units a cent is."""
    floors: Sequence[int] = ()
    """By place: cents that its goods must reach. Empty if there are no such limits."""
    discounts: Sequence[int] = ()
    """By place, in 1/PARTS: see `layers.Run`."""
    visit_all: bool = False
    """Whether every place must get a line."""


class Late(Exception):
    """Raised when the time of an exact assignment is over; the beam catches it and returns the bound that it has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`moves` by layer, None if none below the limit is known; `cost` in units."""

    cost: int
    moves: tuple[Move, ...] | None
    bound: int
    """A lower bound of assignments below the limit; equal to `cost` if that is the least."""


class Clock:
    """Raises Late once the deadline is over; reads the time at every 256th check."""

    def __init__(self, now: Callable[[], float], deadline: float) -> None:
        self.now, self.deadline, self._calls = now, deadline, 0

    def check(self) -> None:
        self._calls += 1
        if self._calls & 255 == 0 and self.now() >= self.deadline:
            raise Late

    def over(self) -> bool:
        return self.now() >= self.deadline


def least_share(single: int, number: int, quantity: int, total: int, unit: int) -> int:
    """The least that units cost, whichever others share their lots: at single prices, or as parts of full lots.

    In units; `unit` is a multiple of the lot quantity, so that nothing is rounded.
    """
    return number * min(single * unit, total * unit // quantity)


def discounted_cost(move: Move, discounts: Sequence[int]) -> int:
    """What a move costs with the discounts of its places."""
    if not discounts:
        return move.cost
    return move.cost - sum(share // PARTS * discounts[place] for place, share in move.shares)


def regrets(costs: Iterable[Sequence[tuple[Move, int]]], places: int) -> list[int]:
    """By place: how much more than its least a line costs there, for the line where that is least.

    `costs`: by layer, each move with its cost. A move that gives several places a line counts in each with an equal
    part, so that the regrets of places can be added up.
    """
    least_regrets = [NEVER] * places
    for layer in costs:
        least = min(cost for _, cost in layer)
        for move, cost in layer:
            part = (cost - least) // max(1, move.visits.bit_count())
            for place in range(places):
                if move.visits >> place & 1:
                    least_regrets[place] = min(least_regrets[place], part)
    return least_regrets


def reduced(task: Task, limit: int) -> Task | None:
    """The task without the moves by which either bound reaches the limit; None if a layer has none left."""
    floors_cost = sum(floor * part for floor, part in zip(task.floors, task.discounts, strict=True))
    plain = [[(move, move.cost) for move in layer] for layer in task.layers]
    discounted = [[(move, discounted_cost(move, task.discounts)) for move in layer] for layer in task.layers]
    kept = _below(task, plain, limit) & _below(task, discounted, limit - floors_cost * (task.unit // PARTS))
    layers = [[move for at, move in enumerate(layer) if (row, at) in kept] for row, layer in enumerate(task.layers)]
    return replace(task, layers=layers) if all(layers) else None


def _below(task: Task, costs: list[list[tuple[Move, int]]], limit: int) -> set[tuple[int, int]]:
    """The moves (layer, index in it) with which the sum of the layers' least costs stays below the limit."""
    needed = regrets(costs, len(task.floors)) if task.visit_all else [0] * len(task.floors)
    base = sum(min(cost for _, cost in layer) for layer in costs) + sum(needed)
    below = set()
    for row, layer in enumerate(costs):
        least = min(cost for _, cost in layer)
        for at, (move, cost) in enumerate(layer):
            spared = sum(regret for place, regret in enumerate(needed) if move.visits >> place & 1)
            if base - spared + cost - least < limit:
                below.add((row, at))
    return below


def ordered(layers: list[list[Choice]]) -> list[list[Choice]]:
    """The order of decision: linked lines first, neighbours together; then the dearest first, so that cheap ones fill
    floors up."""
    together = [layer for layer in layers if any(choice.lot >= 0 for choice in layer)]
    alone = [layer for layer in layers if all(choice.lot < 0 for choice in layer)]
    alone.sort(key=lambda layer: (-max(choice.way.alone_cents for choice in layer), layer[0].line))
    return [*(layer for component in components(together) for layer in component), *alone]


def components(layers: list[list[Choice]]) -> Iterator[list[list[Choice]]]:
    """The layers in components that are linked by lots, each in an order that closes lots early.

    Where the units of a lot have several prices, the dearest come first: see `layers.Run`.
    """
    users: dict[int, list[int]] = {}
    prices: dict[int, set[int]] = {}
    for at, layer in enumerate(layers):
        for lot in {choice.lot for choice in layer if choice.lot >= 0}:
            users.setdefault(lot, []).append(at)
        for choice in layer:
            prices.setdefault(choice.lot, set()).add(choice.way.single_cents)
    placed: set[int] = set()
    for start in range(len(layers)):
        if start in placed:
            continue
        component, waiting, opened = [], [start], set[int]()
        placed.add(start)
        while waiting:
            at = waiting.pop(0)
            component.append(layers[at])
            for lot in sorted({choice.lot for choice in layers[at]} - opened - {-1}, key=lambda lot: len(users[lot])):
                opened.add(lot)
                for other in users[lot]:
                    if other not in placed:
                        placed.add(other)
                        waiting.append(other)
        if any(len(prices[lot]) > 1 for lot in opened):
            component.sort(key=lambda layer: -max((c.way.single_cents for c in layer if c.lot >= 0), default=0))
        yield component
