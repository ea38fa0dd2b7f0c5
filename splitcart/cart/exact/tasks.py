"""What is to be assigned line by line, in units of cents, and what bounds it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from splitcart.cart.exact.choices import Choice

PARTS = 1024
"""Discounts are whole parts of this."""
FIRST_EFFORT = 512
"""States kept of a set of stores that is looked at first; what does not suffice for is put off."""
NEVER = 1 << 20_000
"""Above every cost, ties of 500 lines included."""


class Move(NamedTuple):
    """One choice of a line, or one of each of several lines, ready to be added up."""

    choices: tuple[Choice, ...]
    """Empty: the line is left out."""
    cost: int
    """Units of cents, ties included; of a lot its least share."""
    shares: tuple[tuple[int, int], ...] = ()
    """Of the cost, what is each place's goods, in units, without ties: (place, amount)."""
    goods: tuple[tuple[int, int], ...] = ()
    """Cents that are a place's goods at once: (place, cents); none of a lot, which counts when it closes."""
    seen: int = 0
    """The places that get a line, as bits."""
    lot: int = -1
    """Within Task.lots; -1: none."""
    most: int = 0
    """Of a lot: cents of goods at most."""


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot that several of the task's lines can fill."""

    quantity: int
    total: int
    place: int


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be assigned: a layer of moves for each line, in the order in which they are decided."""

    layers: Sequence[Sequence[Move]]
    lots: Sequence[OpenLot]
    unit: int
    floors: Sequence[int] = ()
    """By place: cents that its goods must reach; empty where nothing is asked of places."""
    discounts: Sequence[int] = ()
    """By place, in PARTS: see `layers.Run`."""
    visit_all: bool = False
    """Whether every place must get a line."""


class Late(Exception):
    """Raised by an exact assignment when its time is up; caught by the search, which keeps the bound that it has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`moves` by layer, None where nothing is known below the limit; `cost` in units."""

    cost: int
    moves: tuple[Move, ...] | None
    bound: int
    """No assignment costs less, unless it costs the limit or more; equal to `cost` where that is the least."""


class Clock:
    """Raises Late once the deadline is over; asks the time at every 256th call."""

    def __init__(self, now: Callable[[], float], deadline: float) -> None:
        self.now, self.deadline, self._calls = now, deadline, 0

    def check(self) -> None:
        self._calls += 1
        if self._calls & 255 == 0 and self.now() >= self.deadline:
            raise Late

    def over(self) -> bool:
        return self.now() >= self.deadline


def least_share(single: int, number: int, quantity: int, total: int, unit: int) -> int:
    """What units cost at least, whichever others share their lots; `unit` is a multiple of the quantity."""
    return number * min(single * unit, total * unit // quantity)


def less(move: Move, discounts: Sequence[int]) -> int:
    """What a move costs after the discounts of its places."""
    return (
        move.cost - sum(share // PARTS * discounts[place] for place, share in move.shares) if discounts else move.cost
    )


def regrets(costs: Iterable[Sequence[tuple[Move, int]]], places: int) -> list[int]:
    """Of each place, how much more than need be a line costs there at least; a move's part where it serves several.

    `costs`: by layer, each move with its cost.
    """
    found = [NEVER] * places
    for layer in costs:
        least = min(cost for _, cost in layer)
        for move, cost in layer:
            part = (cost - least) // max(1, move.seen.bit_count())
            for place in range(places):
                if move.seen >> place & 1:
                    found[place] = min(found[place], part)
    return found


def reduced(task: Task, limit: int) -> Task | None:
    """The task without the moves that lead to the limit or above by either bound; None where nothing is left."""
    asked = sum(floor * part for floor, part in zip(task.floors, task.discounts, strict=True)) * (task.unit // PARTS)
    plain = [[(move, move.cost) for move in layer] for layer in task.layers]
    kept = _below(task, plain, limit) & _below(
        task, [[(m, less(m, task.discounts)) for m in each] for each in task.layers], limit - asked
    )
    layers = [[move for at, move in enumerate(layer) if (row, at) in kept] for row, layer in enumerate(task.layers)]
    return replace(task, layers=layers) if all(layers) else None


def _below(task: Task, costs: list[list[tuple[Move, int]]], limit: int) -> set[tuple[int, int]]:
    """The moves (layer, place in it) with which a sum of least costs can stay below the limit."""
    asked = regrets(costs, len(task.floors)) if task.visit_all else [0] * len(task.floors)
    base = sum(min(cost for _, cost in layer) for layer in costs) + sum(asked)
    below = set()
    for row, layer in enumerate(costs):
        least = min(cost for _, cost in layer)
        for at, (move, cost) in enumerate(layer):
            spared = sum(regret for place, regret in enumerate(asked) if move.seen >> place & 1)
            if base - spared + cost - least < limit:
                below.add((row, at))
    return below


def ordered(layers: list[list[Choice]]) -> list[list[Choice]]:
    """Lines that share lots first, neighbours together; then the dearest first, so that small ones fill up."""
    together = [layer for layer in layers if any(choice.lot >= 0 for choice in layer)]
    alone = [layer for layer in layers if all(choice.lot < 0 for choice in layer)]
    alone.sort(key=lambda layer: (-max(choice.way.alone_cents for choice in layer), layer[0].line))
    return [*(layer for component in components(together) for layer in component), *alone]


def components(layers: list[list[Choice]]) -> Iterator[list[list[Choice]]]:
    """The layers that hang together by lots, each component in an order that closes lots early.

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
