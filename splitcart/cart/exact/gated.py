"""The cheapest assignment to one set of stores if fees, minimum orders or stores without a line matter."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from splitcart.cart.exact.beam import solve
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.discounts import best_discounts
from splitcart.cart.exact.problem import Assignment, Problem
from splitcart.cart.exact.tasks import PARTS, Clock, ordered


def gated(problem: Problem, limit: int, clock: Clock, visit_all: bool) -> Assignment:
    """The cheapest goods and fees that meet the minimums of the gates. `limit` in cents.

    Each fee that goods can waive is either paid or waived. If it is paid it is a constant, and the minimum is the floor
    of the store's goods; if it is waived, the floor is the larger of both limits. All ways are tried, the one with the
    smallest bound first. `visit_all`: every store must get a line.
    """
    layers, left_out = _layers(problem, visit_all)
    plain = problem.task(ordered(layers), PARTS, left_out)
    unit, most = plain.unit, limit * plain.unit
    best, bound = None, most
    for least, fees, floors, discounts in sorted(_cases(problem, limit), key=lambda case: case[0]):
        if least * unit >= most:
            break
        task = replace(plain, floors=floors, discounts=discounts, visit_all=visit_all)
        answer = solve(task, most - fees * unit, clock, problem.widest)
        bound = min(bound, answer.bound + fees * unit)
        if answer.moves is not None:
            best, most = answer.moves, answer.cost + fees * unit
    bound = min(bound, most)
    cents = bound // unit if problem.ties else -(-bound // unit)
    if best is None:
        return Assignment(None, None, cents)
    return Assignment(most // unit, tuple(choice for move in best for choice in move.choices), cents)


def _cases(problem: Problem, limit: int) -> Iterator[tuple[int, int, list[int], list[int]]]:
    """Each way to pay or waive the fees: the least cents that it costs, its fees, floors and discounts."""
    low = problem.low[:, problem.filled] // problem.model.scale
    goods = int(low.min(axis=0).sum())
    for waived in product(*[(False, True) if gate.fee else (False,) for gate in problem.gates]):
        both = list(zip(problem.gates, waived, strict=True))
        fees = sum(gate.fee for gate, free in both if not free)
        if fees + goods >= limit:
            continue
        floors = [gate.top if free else gate.minimum for gate, free in both]
        least, discounts = best_discounts(low, floors, limit - fees)
        yield fees + least, fees, floors, discounts


def _layers(problem: Problem, visit_all: bool) -> tuple[list[list[Choice]], frozenset[int]]:
    """The choices of each line that can matter; and the lines that may have to be left out to reach a minimum."""
    layers: list[list[Choice]] = []
    left_out: set[int] = set()
    for line in np.flatnonzero(problem.filled).tolist():
        cells = [problem.model.cells[line][store] for store in problem.stores if store in problem.model.cells[line]]
        shared = [choice for cell in cells for choice in cell.shared]
        plain = [choice for cell in cells for choice in cell.plain]
        if not visit_all:
            without_gate = [choice for choice in plain if problem.model.gates[choice.store].top == 0]
            first = min(without_gate, key=lambda choice: (choice.way.alone_cents, choice.rank), default=None)
            plain = [choice for choice in plain if choice is first or problem.model.gates[choice.store].top]
        layers.append([*plain, *shared])
        if any(problem.model.lots[c.lot].falls and problem.model.gates[c.store].minimum for c in shared):
            left_out.add(line)
    return layers, frozenset(left_out)
