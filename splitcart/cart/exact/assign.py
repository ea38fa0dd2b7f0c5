"""The cheapest assignment of a list's lines to the options at one set of stores, each store with at least one line.

Most lines do not depend on others and take their cheapest choice. Those that share lots are solved together, component
by component. Only if the outcome misses a minimum, pays a fee that more goods would waive, or leaves a store without a
line, are all lines solved together. Every step stops once the set is known to cost the limit or more.
"""

from collections.abc import Sequence
from typing import Any

from splitcart.cart.costs import fees_cents
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.gated import gated
from splitcart.cart.exact.model import Model
from splitcart.cart.exact.problem import Assignment, Part, Problem, Stores, goods
from splitcart.cart.exact.tasks import FIRST_WIDEST, NEVER, Clock


class Assigner:
    """Assigns lines to any set of stores. It keeps solved small blocks of lines, which many sets have in common."""

    def __init__(self, model: Model, clock: Clock) -> None:
        self.model, self.clock = model, clock
        self.widest = FIRST_WIDEST
        """The most states kept before a set is put off: see `beam.solve`."""
        self.parts: dict[tuple[Any, ...], Part] = {}

    def best(self, stores: Stores, limit: int, *, ties: bool = False) -> Assignment:
        """The cheapest assignment that costs less than `limit` cents.

        With `ties` it is, of all equally cheap ones, the one in which line 1 takes its first choice that is possible at
        that cost, then line 2, and so on. That takes more time, so `limit` should be one cent above the known cost.
        """
        fixed = sum(self.model.fixed[store] for store in stores)
        problem = Problem(self.model, stores, ties, NEVER if ties else self.widest)
        ungated = problem.without_gates(limit - fixed, self.clock, {} if ties else self.parts)
        if ungated.choices is None:
            return self._greedy(problem, limit, ungated.bound + fixed)
        least, total = ungated.bound + fixed, self._total(ungated.choices, stores)
        if total is not None and total <= least:
            return Assignment(total, ungated.choices, total)
        empty = len({choice.store for choice in ungated.choices}) < len(stores)
        is_usable = total is not None and total < limit and not ties
        known = Assignment(total, ungated.choices, least) if is_usable else None
        with_gates = self._gated(problem, total if known and total else limit, fixed, empty)
        if with_gates.choices is not None or known is None:
            return Assignment(with_gates.cents, with_gates.choices, max(with_gates.bound, least))
        return Assignment(known.cents, known.choices, min(max(with_gates.bound, least), known.cents or 0))

    def _greedy(self, problem: Problem, limit: int, bound: int) -> Assignment:
        """Each line's choice with the least possible cost, for use while no better assignment is known."""
        if bound >= limit:
            return Assignment(None, None, bound)
        choices = problem.greedy()
        total = self._total(choices, problem.stores)
        if total is None or total >= limit:
            return Assignment(None, None, bound)
        return Assignment(total, tuple(choices), bound)

    def _gated(self, problem: Problem, limit: int, fixed: int, visit_all: bool) -> Assignment:
        assigned = gated(problem, limit - fixed, self.clock, visit_all)
        bound = assigned.bound + fixed
        if assigned.choices is not None and len({choice.store for choice in assigned.choices}) < len(problem.stores):
            assigned = gated(problem, limit - fixed, self.clock, True)
            bound = max(bound, assigned.bound + fixed)
        return Assignment(None if assigned.cents is None else assigned.cents + fixed, assigned.choices, bound)

    def _total(self, choices: Sequence[Choice], stores: Stores) -> int | None:
        """Goods and fees in cents; None if a minimum is not met or a store has no line."""
        by_store = goods(choices)
        fees = fees_cents(by_store, self.model.terms.fees)
        return None if fees is None or len(by_store) < len(stores) else sum(by_store.values()) + fees
