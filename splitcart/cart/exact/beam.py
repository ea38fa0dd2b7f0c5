"""The search through a task's states: a beam that widens until nothing that matters is dropped.

Of too many states the best `width` are kept. What was dropped bounds the answer; where that does not prove it, a wider
pass follows, with the cost found so far as its limit.
"""

import heapq
from typing import Any

from splitcart.cart.exact.columns import columned
from splitcart.cart.exact.layers import Kept, Run
from splitcart.cart.exact.tasks import NEVER, Answer, Clock, Late, Move, Task, reduced

FIRST_WIDTH, WIDER, WIDEST = 64, 8, 1 << 17
"""States kept of a layer: at first, how many times more each time, and at most, which bounds the memory."""


def solve(task: Task, limit: int, clock: Clock, widest: int = NEVER) -> Answer:
    """The cheapest assignment below the limit (in units).

    Where the time is over, or more than `widest` states would have to be kept: the best found, with its bound.
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
            found, dropped = _pass(run, limit, width)
        except Late:
            break
        if found is not None:
            best, limit = found, found[0]
        bound = max(bound, min(dropped, limit))
        width = min(width * WIDER, WIDEST) if width < WIDEST else WIDEST + 1
    moves = None if best is None else _trail(best[3])
    return Answer(limit, moves, bound)


def _least(task: Task) -> int:
    return sum(min(move.cost for move in layer) for layer in task.layers)


def _narrowed(task: Task, limit: int, clock: Clock) -> Task | None:
    """The task without moves that cannot stay below the limit; lines that share lots as one where floors are asked."""
    if not task.floors:
        return task
    fewer = reduced(task, limit)
    return None if fewer is None else reduced(columned(fewer, clock), limit)


def _pass(run: Run, limit: int, width: int) -> tuple[Kept | None, int]:
    """The best end of the states kept, its cost first, and the least bound of those dropped for the width."""
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
    moves = []
    while trail is not None:
        trail, move = trail
        moves.append(move)
    return tuple(reversed(moves))
