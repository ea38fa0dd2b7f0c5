"""A plan for a terminal and as CSV."""

from collections.abc import Iterator, Sequence

from _cart.words import (
    amount,
    briefly_known,
    if_out,
    proof,
    savings,
    single,
    special,
    store_name,
    stores_of,
    unit_price,
)
from _support.output import table
from rich.table import Table

from splitcart.cart.plan import Answer, dollars
from splitcart.cart.split import Plan

PLANS = ("stores", "lines", "goods", "fees", "visits, trip", "total", "proof", "")
LINES = ("line", "product", "quantity", "each", "cost", "unit price", "special", "known", "if out")
CSV = (
    *("line", "item", "store", "product_id", "product_name", "sku", "quantity", "quantity_unit", "cost_cents"),
    *("single_cents", "unit_price", "unit_of_measure", "is_special", "source", "observed_at", "flip_since"),
    *("is_estimated", "is_substitute", "department", "if_out_store", "if_out_product", "if_out_cents", "reason"),
)


def tables(answer: Answer) -> Iterator[str | Table]:
    """The plans, the recommended one store by store, what it does not buy, and what it saves."""
    plan = answer.recommended
    yield table(PLANS, [_plan(answer, each) for each in answer.plans], right=PLANS[1:6], title="Plans")
    for store in plan.stores:
        known_as = stores_of(answer)[store]
        title = f"{store_name(known_as)} ({store}), {known_as.store_address or 'address not known'}"
        yield table(LINES, _lines(answer, plan, store), right=("line", "quantity", "each", "cost"), title=title)
    if missing := answer.unfilled(plan):
        yield table(("line", "item", "why"), [(line.line, line.item, why) for line, why in missing], title="Not bought")
    yield f"Recommended: {_names(answer, plan)}: {answer.reason()}."
    yield f"Total {dollars(plan.total_cents)}, {proof(plan)}."
    single_store = answer.best_single_store
    yield f"Best single store: {_names(answer, single_store)}: {dollars(single_store.total_cents)}."
    means = answer.baseline()
    yield f"Baseline, each line at its average price: {dollars(sum(means.values()))} for {len(means)} lines."
    yield from (f"{sentence}." for sentence in savings(answer))


def _names(answer: Answer, plan: Plan) -> str:
    stores = stores_of(answer)
    return ", ".join(store_name(stores[store]) for store in plan.stores) or "no stores"


def _plan(answer: Answer, plan: Plan) -> Sequence[object]:
    mark = "recommended" if plan is answer.recommended else ""
    beside = dollars(plan.visits_cents + plan.trip_cents)
    lines = f"{len(plan.lines)} of {len(answer.slots.lines)}"
    total = dollars(plan.total_cents)
    names = ", ".join(plan.stores) or "none"
    return names, lines, dollars(plan.goods_cents), dollars(plan.fees_cents), beside, total, proof(plan), mark


def _lines(answer: Answer, plan: Plan, store: str) -> Iterator[Sequence[object]]:
    for line, filled in sorted(plan.lines.items()):
        option = filled.option
        if option.store == store:
            name = option.product_name + (" (substitute)" if option.is_substitute else "")
            costs = single(filled), dollars(filled.cost_cents), unit_price(option), special(filled)
            yield line, name, amount(option), *costs, briefly_known(answer, option), if_out(answer, plan, line)


def csv_rows(answer: Answer) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """The columns, and a row for each line of the list in the recommended plan."""
    return CSV, _csv(answer)


def _csv(answer: Answer) -> Iterator[Sequence[object]]:
    plan = answer.recommended
    reasons = {line.line: why for line, why in answer.unfilled(plan)}
    for line in answer.slots.lines:
        if line.line in reasons:
            yield [line.line, line.item, *[""] * (len(CSV) - 3), reasons[line.line]]
            continue
        filled, other = plan.lines[line.line], answer.if_out(plan, line.line)
        option = filled.option
        out = (other[0].store, other[0].product_name, other[1]) if other else ("", "", "")
        row = (
            *(option.store, option.product_id, option.product_name, option.sku, option.quantity, option.quantity_unit),
            *(filled.cost_cents, filled.way.single_cents, option.unit_price, option.unit_of_measure),
            *(option.is_on_special, option.source, option.observed_at, option.flip_since, option.is_estimated),
            *(option.is_substitute, option.department, *out),
        )
        yield [line.line, line.item, *("" if value is None else value for value in row), ""]
