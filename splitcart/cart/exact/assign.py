"""The cheapest assignment of a list's lines to the options at one set of stores, each store with a line at least.

Most lines stand by themselves and take their cheapest choice. Those that share lots are solved together, component by
component. Only where that misses a minimum, leaves a fee to pay that more goods would waive, or leaves a store without
a line, all lines are solved together. Every step stops as soon as the set is known to cost the limit or more.
"""

from collections.abc import Sequence
from typing import Any

from splitcart.cart.costs import fees_cents
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.gated import gated
from splitcart.cart.exact.model import Model
from splitcart.cart.exact.problem import Found, Part, Problem, Stores, goods
from splitcart.cart.exact.tasks import FIRST_EFFORT, NEVER, Clock


class Assigner:
    """Answers for any set of stores. It remembers small blocks of lines, which many sets have in common."""

    def __init__(self, model: Model, clock: Clock) -> None:
        self.model, self.clock = model, clock
        self.widest = FIRST_EFFORT
        """How many states are kept before a set is put off: see `beam.solve`."""
        self.parts: dict[tuple[Any, ...], Part] = {}

    def best(self, stores: Stores, limit: int, *, ties: bool = False) -> Found:
        """The cheapest assignment that costs less than `limit` cents.

        With `ties` it is the one of all equally cheap ones in which line 1 takes its first choice that is possible at
        that cost, then line 2, and so on; that costs more time, so `limit` should be a cent above the known cost.
        """
        fixed = sum(self.model.fixed[store] for store in stores)
        problem = Problem(self.model, stores, ties, NEVER if ties else self.widest)
        free = problem.free(limit - fixed, self.clock, {} if ties else self.parts)
        if free.choices is None:
            return self._simple(problem, limit, free.bound + fixed)
        least, total = free.bound + fixed, self._total(free.choices, stores)
        if total is not None and total <= least:
            return Found(total, free.choices, total)
        empty = len({choice.store for choice in free.choices}) < len(stores)
        known = Found(total, free.choices, least) if total is not None and total < limit and not ties else None
        found = self._gated(problem, total if known and total else limit, fixed, empty)
        if found.choices is not None or known is None:
            return Found(found.cents, found.choices, max(found.bound, least))
        return Found(known.cents, known.choices, min(max(found.bound, least), known.cents or 0))

    def _simple(self, problem: Problem, limit: int, bound: int) -> Found:
        """Where nothing better is known, each line's choice that looks cheapest."""
        if bound >= limit:
            return Found(None, None, bound)
        choices = problem.simple()
        total = self._total(choices, problem.stores)
        return Found(None, None, bound) if total is None or total >= limit else Found(total, tuple(choices), bound)

    def _gated(self, problem: Problem, limit: int, fixed: int, visit_all: bool) -> Found:
        found = gated(problem, limit - fixed, self.clock, visit_all)
        bound = found.bound + fixed
        if found.choices is not None and len({choice.store for choice in found.choices}) < len(problem.stores):
            found = gated(problem, limit - fixed, self.clock, True)
            bound = max(bound, found.bound + fixed)
        return Found(None if found.cents is None else found.cents + fixed, found.choices, bound)

    def _total(self, choices: Sequence[Choice], stores: Stores) -> int | None:
        """Goods and fees, plainly; None where a minimum is not met or a store has no line."""
        by_store = goods(choices)
        fees = fees_cents(by_store, self.model.terms.fees)
        return None if fees is None or len(by_store) < len(stores) else sum(by_store.values()) + fees
