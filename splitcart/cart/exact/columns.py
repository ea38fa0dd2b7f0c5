"""Joins lines that share lots into one layer: a move for each way to assign them, with its exact cost.

No lot is open between these layers, so that bounds lose nothing for lots.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import prod

from splitcart.cart.costs import lot_cents
from splitcart.cart.exact.choices import linked
from splitcart.cart.exact.tasks import Clock, Move, Task

MAX_COLUMNS = 4096
"""Ways to assign the lines of a component; one with more stays as it is."""


def with_columns(task: Task, clock: Clock) -> Task:
    """The task with one layer for each small component of linked lines, the dearest of them first. Raises Late."""
    joined: list[list[Move]] = []
    kept: list[Sequence[Move]] = []
    for component in _components(task.layers):
        if prod(len(layer) for layer in component) <= MAX_COLUMNS:
            joined.append(_columns(component, task, clock))
        else:
            kept += component
    joined.sort(key=lambda layer: -max(move.cost for move in layer))
    return replace(task, layers=[*kept, *joined])


def _columns(component: Sequence[Sequence[Move]], task: Task, clock: Clock) -> list[Move]:
    """The ways to assign a component. If several have equal goods at the places with a floor, only the cheapest is
    kept."""
    if len(component) == 1 and all(move.lot < 0 for move in component[0]):
        return list(component[0])
    best: dict[tuple[object, ...], Move] = {}
    for moves in product(*component):
        clock.check()
        column = _column(moves, task)
        goods = tuple(each for each in column.goods if task.floors[each[0]])
        key = (goods, column.visits if task.visit_all else 0)
        if key not in best or column.cost < best[key].cost:
            best[key] = column
    return list(best.values())


def _column(moves: Sequence[Move], task: Task) -> Move:
    """The moves of several lines as one, its lots at their exact cost."""
    cost, visits = 0, 0
    goods: dict[int, int] = defaultdict(int)
    units: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for move in moves:
        visits |= move.visits
        cost += move.cost
        for place, cents in move.goods:
            goods[place] += cents
        if move.lot >= 0:
            way = move.choices[0].way
            cost -= move.shares[0][1]
            units[move.lot].append((way.single_cents, way.units))
    for number, listed in units.items():
        lot = task.lots[number]
        cents = lot_cents(tuple(listed), lot.quantity, lot.total)
        cost += cents * task.unit
        goods[lot.place] += cents
    goods_after_lots = tuple(sorted(goods.items()))
    shares = tuple((place, cents * task.unit) for place, cents in goods_after_lots)
    return Move(tuple(choice for move in moves for choice in move.choices), cost, shares, goods_after_lots, visits)


def _components(layers: Sequence[Sequence[Move]]) -> Iterator[list[Sequence[Move]]]:
    """Layers that are linked by lots, in their order; each other layer by itself."""
    for group in linked([{move.lot for move in layer if move.lot >= 0} for layer in layers]):
        yield [layers[at] for at in group]
