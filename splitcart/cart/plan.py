"""The answer to a list: its plans, the recommended one, and what it saves. docs/cart.md explains the JSON keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from splitcart.cart.costs import alone_cents
from splitcart.cart.slots import Line, Option, Slots, half_up
from splitcart.cart.split import Filled, Plan
from splitcart.cart.terms import Terms, fee_at

VERSION = 1
WORTH_CENTS = 500
"""What a further stop has to save by default."""


@dataclass(frozen=True, slots=True)
class Saving:
    """Cents saved on the lines that are compared; `percent` of what they cost otherwise, to a tenth."""

    cents: int
    percent: float
    lines: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The plans for 1 to K stores of one list, under one set of terms."""

    slots: Slots
    terms: Terms
    plans: Sequence[Plan]
    worth_cents: int = WORTH_CENTS

    @property
    def can_buy(self) -> bool:
        """Whether any line has an option anywhere."""
        return any(line.options for line in self.slots.lines)

    @property
    def best_single_store(self) -> Plan:
        return self.plans[0]

    @property
    def recommended(self) -> Plan:
        """The largest plan whose last stop fills more lines or saves `worth_cents`; else that of one store."""
        chosen = self.plans[0]
        for before, plan in zip(self.plans, self.plans[1:], strict=False):
            worth = len(plan.lines) > len(before.lines) or before.total_cents - plan.total_cents >= self.worth_cents
            if worth and len(plan.stores) > len(before.stores):
                chosen = plan
        return chosen

    def reason(self) -> str:
        """Why that plan is recommended."""
        plan = self.recommended
        if not plan.lines:
            return "no set of stores meets its minimum orders"
        before = self.plans[plan.max_stores - 2] if plan.max_stores > 1 else None
        if before is None:
            return f"no further store fills more lines or saves {dollars(self.worth_cents)}"
        if len(plan.lines) > len(before.lines):
            more = len(plan.lines) - len(before.lines)
            return f"its last stop fills {more} more line{'s' if more > 1 else ''}"
        return f"its last stop saves {dollars(before.total_cents - plan.total_cents)}"

    def baseline(self) -> dict[int, int]:
        """By line number: the mean cost of the line's options, substitutes aside."""
        means = {}
        for line in self.slots.lines:
            own = [alone_cents(option, self.terms.members) for option in line.options if not option.is_substitute]
            if own:
                means[line.line] = half_up(sum(own), len(own))
        return means

    def savings(self) -> Saving:
        """What the recommended plan, its fees included, saves over the baseline."""
        plan, means = self.recommended, self.baseline()
        both = [line for line in plan.lines if line in means]
        before = sum(means[line] for line in both)
        return _saving(before, sum(plan.lines[line].cost_cents for line in both) + plan.fees_cents, len(both))

    def savings_over_best_store(self) -> Saving:
        """What the recommended plan saves over the best single store, with all that either costs besides its goods."""
        plan, single = self.recommended, self.best_single_store
        both = [line for line in plan.lines if line in single.lines]
        before, after = (
            sum(each.lines[line].cost_cents for line in both) + each.total_cents - each.goods_cents
            for each in (single, plan)
        )
        return _saving(before, after, len(both)) if both else Saving(0, 0.0, 0)

    def unfilled(self, plan: Plan) -> list[tuple[Line, str]]:
        """The lines that the plan does not fill, each with the reason."""
        return [(line, self._why_not(plan, line)) for line in self.slots.lines if line.line not in plan.lines]

    def _why_not(self, plan: Plan, line: Line) -> str:
        if line.reason is not None:
            return line.reason
        if not plan.lines:
            return self._why_none(plan)
        if any(option.store in plan.stores for option in line.options):
            return "with it, a minimum order is not met: its multibuy makes the goods cheaper"
        return "not sold at this plan's stores"

    def _why_none(self, plan: Plan) -> str:
        if not plan.is_optimal:
            return "no plan was found in the time allowed"
        stores = sorted({option.store for line in self.slots.lines for option in line.options})
        fees = {store: fee_at(store, self.terms.fees) for store in stores}
        asked = [f"{dollars(fee.minimum_cents)} at {store}" for store, fee in fees.items() if fee.minimum_cents]
        return f"the minimum order is not met: {', '.join(asked[:5])}{', ...' if len(asked) > 5 else ''}"

    def if_out(self, plan: Plan, line: int) -> tuple[Option, int] | None:
        """The line's cheapest other option at the plan's stores, and its cost by itself; None if there is none."""
        taken = plan.lines[line].option
        listed = next(each for each in self.slots.lines if each.line == line).options
        others = [option for option in listed if option.store in plan.stores and option is not taken]
        costs = [(alone_cents(option, self.terms.members), option.order, option) for option in others]
        if not costs:
            return None
        cents, _, option = min(costs, key=lambda each: each[:2])
        return option, cents

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "as_of": self.slots.as_of,
            "plans": [self._plan(plan) for plan in self.plans],
            "recommended": self.recommended.max_stores,
            "best_single_store": self._plan(self.best_single_store),
            "baseline": {"total_cents": sum(self.baseline().values()), "lines": len(self.baseline())},
            "savings": _json(self.savings()),
            "savings_over_best_store": _json(self.savings_over_best_store()),
        }

    def _plan(self, plan: Plan) -> dict[str, Any]:
        items = {line.line: line.item for line in self.slots.lines}
        missing = [{"line": line.line, "item": line.item, "reason": why} for line, why in self.unfilled(plan)]
        return {
            "max_stores": plan.max_stores,
            "stores": list(plan.stores),
            "filled": len(plan.lines),
            "unfilled": missing,
            "goods_cents": plan.goods_cents,
            "fees_cents": plan.fees_cents,
            "visits_cents": plan.visits_cents,
            "trip_cents": plan.trip_cents,
            "total_cents": plan.total_cents,
            "bound_cents": plan.bound_cents,
            "is_optimal": plan.is_optimal,
            "runner_up_cents": plan.runner_up_cents,
            "lines": [self._line(plan, line, items[line], filled) for line, filled in sorted(plan.lines.items())],
        }

    def _line(self, plan: Plan, line: int, item: str, filled: Filled) -> dict[str, Any]:
        option, other = filled.option, self.if_out(plan, line)
        return {
            "line": line,
            "item": item,
            "store": option.store,
            "product_id": option.product_id,
            "product_name": option.product_name,
            "sku": option.sku,
            "quantity": option.quantity,
            "quantity_unit": option.quantity_unit,
            "cost_cents": filled.cost_cents,
            "offer_id": option.offer_id,
            "is_special": option.is_on_special,
            "source": option.source,
            "observed_at": option.observed_at,
            "flip_since": option.flip_since,
            "is_estimated": option.is_estimated,
            "is_substitute": option.is_substitute,
            "if_out": other
            and {"store": other[0].store, "product_name": other[0].product_name, "cost_cents": other[1]},
        }


def dollars(cents: int) -> str:
    """1234 as $12.34."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02d}"


def _saving(before: int, after: int, lines: int) -> Saving:
    cents = before - after
    tenths = half_up(abs(cents) * 1000, before) if before else 0
    return Saving(cents, (tenths if cents >= 0 else -tenths) / 10, lines)


def _json(saving: Saving) -> dict[str, Any]:
    return {"cents": saving.cents, "percent": saving.percent, "lines": saving.lines}
