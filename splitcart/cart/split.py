"""The cheapest split of a list over at most K stores, for each K, with its bound."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from splitcart.cart.costs import Way, fees_cents, goods_by_store, line_cents
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.model import Model
from splitcart.cart.exact.search import Search
from splitcart.cart.exact.standings import Candidate, Standing
from splitcart.cart.exact.tasks import Clock
from splitcart.cart.slots import Option, Slots
from splitcart.cart.terms import Terms

MAX_STOPS = 10
SEARCH_SHARE, TIES_SHARE = 0.88, 0.94
"""Shares of the time allowed after which the search ends, and the choice among equally cheap assignments."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A line of a plan: what is bought, how it is paid for, and its cents."""

    option: Option
    way: Way
    cost_cents: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The best split over at most `max_stores` stores. It has no lines if no set of stores meets its minimum orders."""

    max_stores: int
    stores: tuple[str, ...]
    lines: Mapping[int, Filled]
    """By line number."""
    goods_cents: int
    fees_cents: int
    visits_cents: int
    trip_cents: int
    bound_cents: int
    is_optimal: bool
    runner_up_cents: int | None

    @property
    def total_cents(self) -> int:
        return self.goods_cents + self.fees_cents + self.visits_cents + self.trip_cents


def split(slots: Slots, terms: Terms, most: int, *, seconds: float, now: Callable[[], float]) -> list[Plan]:
    """The plans for 1 to `most` stores. After `seconds` by the clock `now` they are the best found so far.

    ValueError: `most` out of range; a store without coordinates although a trip has a cost.
    """
    if not 1 <= most <= MAX_STOPS:
        raise ValueError(f"at most {most} stores: 1 to {MAX_STOPS} are accepted")
    begun = now()
    model = Model(slots, terms, min(most, len(slots.stores)))
    clock = Clock(now, begun + seconds * SEARCH_SHARE)
    search = Search(model, most, clock)
    standings = search.run()
    clock.deadline = begun + seconds * TIES_SHARE
    settled: dict[Candidate, tuple[Choice, ...]] = {}
    plans = []
    for number, standing in enumerate(standings, 1):
        best = standing.best
        if best is not None and best not in settled:
            settled[best] = _settled(search, best, standing.is_proven)
        plans.append(_plan(model, number, standing, () if best is None else settled[best]))
    return plans


def _settled(search: Search, best: Candidate, proven: bool) -> tuple[Choice, ...]:
    """The assignment to the best stores that the order of options prefers among equally cheap ones (docs/cart.md)."""
    if not proven:
        return best.choices
    assigned = search.assigner.best(best.stores, best.value - search.other_cents(best.stores) + 1, ties=True)
    return assigned.choices if assigned.choices is not None and assigned.is_proven else best.choices


def _plan(model: Model, number: int, standing: Standing, choices: tuple[Choice, ...]) -> Plan:
    best, second = standing.best, standing.second
    if best is None:
        return Plan(number, (), {}, 0, 0, 0, 0, 0, standing.is_proven, None)
    numbers = [line.line for line in model.slots.lines]
    cents = line_cents({numbers[choice.line]: choice.way for choice in choices})
    by_line = {numbers[choice.line]: choice for choice in sorted(choices, key=lambda choice: choice.line)}
    lines = {line: Filled(choice.option, choice.way, cents[line]) for line, choice in by_line.items()}
    goods = goods_by_store({line: (filled.option.store, filled.way) for line, filled in lines.items()})
    fees = fees_cents(goods, model.terms.fees) or 0
    visits = len(goods) * model.terms.visit_cents
    trip = int(model.trips_cents(np.array([best.stores], np.int64))[0])
    as_many = second is not None and second.value // model.absent == best.value // model.absent
    runner_up = second.value % model.absent if second is not None and as_many else None
    costs = (sum(goods.values()), fees, visits, trip)
    bound = _bound(model, standing, len(lines), sum(costs))
    return Plan(number, tuple(sorted(goods)), lines, *costs, bound, standing.is_proven, runner_up)


def _bound(model: Model, standing: Standing, filled: int, total: int) -> int:
    """A lower bound, in cents, of the cost of plans with as many filled lines or more."""
    missing = len(model.slots.lines) - filled
    bound = total
    for value in standing.undecided:
        lines, cents = divmod(value, model.absent)
        if lines == missing:
            bound = min(bound, cents)
        elif lines < missing:  # the set's bound is for more lines: a plan with fewer may cost less than that bound
            bound = min(bound, cents, _least(model, filled))
    return max(0, bound)


def _least(model: Model, filled: int) -> int:
    """Cents of the `filled` cheapest lines, each where it is cheapest."""
    cheapest = np.sort(model.low.min(axis=0))[:filled]
    return int(cheapest.sum()) // model.scale
