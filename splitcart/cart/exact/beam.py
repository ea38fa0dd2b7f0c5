"""The search through a task's states: a beam that widens until it drops nothing that matters.

If there are more than `width` states, those with the smallest bounds are kept. Every assignment that a pass misses
continues a dropped state, so the least bound of these is a bound of the answer. If it does not prove the answer, a
wider pass follows, with the cost found so far as its limit.
"""

import heapq
from typing import Any

from splitcart.cart.exact.columns import with_columns
from splitcart.cart.exact.layers import Kept, Run
from splitcart.cart.exact.tasks import NEVER, Answer, Clock, Late, Move, Task, reduced

FIRST_WIDTH, WIDER, WIDEST = 64, 8, 1 << 17
"""States kept of a layer: in the first pass, the factor from pass to pass, and the most, which bounds the memory."""


def solve(task: Task, limit: int, clock: Clock, widest: int = NEVER) -> Answer:
    """The cheapest assignment below the limit (in units).

    If the time is over, or more than `widest` states would have to be kept, it is the best found, with its bound.
    """
    best: Kept | None = None
    bound, width = _least(task), FIRST_WIDTH
    while bound < limit and width <= min(widest, WIDEST):
        try:
            narrowed = _narrowed(task, limit, clock)
            if narrowed is None:
                bound = limit
                break
            run = Run(narrowed, clock)
            bound = max(bound, min(limit, next(iter(run.start().values()))[2]))
            end, dropped = _pass(run, limit, width)
        except Late:
            break
        if end is not None:
            best, limit = end, end[0]
        bound = max(bound, min(dropped, limit))
        width = min(width * WIDER, WIDEST) if width < WIDEST else WIDEST + 1
    moves = None if best is None else _trail(best[3])
    return Answer(limit, moves, bound)


def _least(task: Task) -> int:
    """The sum of the layers' least costs."""
    return sum(min(move.cost for move in layer) for layer in task.layers)


def _narrowed(task: Task, limit: int, clock: Clock) -> Task | None:
    """The task without moves that reach the limit, and with columns if there are floors; None if nothing is left."""
    if not task.floors:
        return task
    fewer = reduced(task, limit)
    return None if fewer is None else reduced(with_columns(fewer, clock), limit)


def _pass(run: Run, limit: int, width: int) -> tuple[Kept | None, int]:
    """The best last state, its cost first, and the least bound of the states that were dropped for the width."""
    states, dropped = run.start(), NEVER
    for depth in range(len(run.layers)):
        states = run.step(states, depth, limit)
        if len(states) > width:
            kept = heapq.nsmallest(width, states.items(), key=lambda item: item[1][2])
            dropped = min(dropped, kept[-1][1][2])
            states = dict(kept)
    if not states:
        return None, dropped
    cost, discounted, bound, trail = min(states.values(), key=lambda kept: kept[2])
    return (bound, discounted, cost, trail), dropped


def _trail(trail: Any) -> tuple[Move, ...]:
    """The moves of a state, the first layer's first."""
    moves = []
    while trail is not None:
        trail, move = trail
        moves.append(move)
    return tuple(reversed(moves))
