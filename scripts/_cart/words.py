"""How a plan is put in words, on a terminal and on a page."""

from datetime import datetime

from splitcart.cart.plan import Answer, dollars
from splitcart.cart.slots import Option, Store
from splitcart.cart.split import Filled, Plan

KNOWN = {
    "own": "seen at this store",
    "contested": "seen at this store",
    "inferred": "from a store with the same prices",
}
NO_DEPARTMENT = "Other"


def stores_of(answer: Answer) -> dict[str, Store]:
    return {store.store: store for store in answer.slots.stores}


def store_name(store: Store) -> str:
    return f"{store.company_name} {store.store_name}"


def amount(option: Option) -> str:
    """How much is bought: `2`, `1.5 kg`, `800 g`."""
    if option.quantity_unit != "g":
        return str(option.quantity)
    kilograms = f"{option.quantity / 1000:g}"
    return f"{kilograms} kg" if option.quantity >= 1000 else f"{option.quantity} g"


def single(filled: Filled) -> str:
    """What one pack or one kilogram costs."""
    return dollars(filled.way.single_cents) + (" / kg" if filled.option.price_basis == "kg" else "")


def unit_price(option: Option) -> str:
    """The shelf's price per measure; empty where there is none."""
    if option.unit_price is None:
        return ""
    return f"${option.unit_price:.2f}" + (f" / {option.unit_of_measure}" if option.unit_of_measure else "")


def special(filled: Filled) -> str:
    """The lot that is used, or `special`; empty for neither."""
    option, way, lot = filled.option, filled.way, filled.way.lot
    if lot is not None and filled.cost_cents < way.single_cents * way.units:
        return f"{lot.quantity} for {dollars(lot.total)}"
    return "special" if option.is_on_special else ""


def age(answer: Answer, option: Option) -> str:
    """How long before the plan the price was observed."""
    seconds = (datetime.fromisoformat(answer.slots.as_of) - datetime.fromisoformat(option.observed_at)).total_seconds()
    hours = max(0, int(seconds // 3600))
    if hours < 1:
        return "within the hour"
    if hours < 48:
        return f"{hours} hour{'s' if hours > 1 else ''} ago"
    return f"{hours // 24} days ago"


def doubts(option: Option) -> list[str]:
    """The reasons why the price is uncertain."""
    found = {
        "may have changed since": option.source == "contested",
        "specials have changed since": option.flip_since,
        "weight estimated": option.is_estimated,
    }
    return [doubt for doubt, holds in found.items() if holds]


def known(answer: Answer, option: Option) -> str:
    """How the price is known, how old it is, and its doubts."""
    return "; ".join([f"{KNOWN[option.source]} {age(answer, option)}", *doubts(option)])


def briefly_known(answer: Answer, option: Option) -> str:
    """The same, shorter."""
    return "; ".join([f"{option.source}, {age(answer, option)}", *doubts(option)])


def if_out(answer: Answer, plan: Plan, line: int) -> str:
    """What to buy if the line is out of stock: another product, or the same elsewhere."""
    other = answer.if_out(plan, line)
    if other is None:
        return "nothing else at these stores"
    (option, cents), taken = other, plan.lines[line].option
    where = "here" if option.store == taken.store else store_name(stores_of(answer)[option.store])
    name = "the same" if option.product_id == taken.product_id else option.product_name
    return f"{name}, {where}, {dollars(cents)}"


def proof(plan: Plan) -> str:
    """Whether the plan is the cheapest, or by how much it may not be."""
    if plan.is_optimal:
        return "proven cheapest"
    return f"at most {dollars(plan.total_cents - plan.bound_cents)} above the cheapest"


def savings(answer: Answer) -> list[str]:
    """What the recommended plan saves, a sentence each."""
    found = []
    for saving, over in (
        (answer.savings(), "average prices"),
        (answer.savings_over_best_store(), "the best single store"),
    ):
        if saving.lines:
            verb = "Saves" if saving.cents >= 0 else "Costs more by"
            lines = f"{saving.lines} line{'s' if saving.lines > 1 else ''}"
            found.append(f"{verb} {dollars(abs(saving.cents))} ({abs(saving.percent):g}%) on {lines}, against {over}")
    return found


def by_department(plan: Plan, store: str) -> dict[str, list[tuple[int, Filled]]]:
    """The lines of one store, department by department in order of their names, those without one last."""
    found: dict[str, list[tuple[int, Filled]]] = {}
    for line, filled in sorted(plan.lines.items()):
        if filled.option.store == store:
            found.setdefault(filled.option.department or NO_DEPARTMENT, []).append((line, filled))
    return dict(sorted(found.items(), key=lambda each: (each[0] == NO_DEPARTMENT, each[0].casefold())))
