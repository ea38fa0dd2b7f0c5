"""A plan as one self-contained page, to read on a phone and to print."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from _cart.chart import chart
from _cart.words import (
    KNOWN,
    amount,
    by_department,
    if_out,
    known,
    proof,
    savings,
    single,
    special,
    store_name,
    stores_of,
    unit_price,
)

from splitcart.cart.plan import Answer, dollars
from splitcart.cart.split import Filled, Plan
from splitcart.cart.terms import fee_at
from splitcart.printing import visible

STYLE = Path(__file__).with_name("page.css")
EXTRA = ("Goods", "Fees", "Stops")
"""Columns that a narrow screen leaves out."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def safe(value: object) -> str:
    """Text from outside, escaped for the page."""
    return escape(visible(value))


def page(answer: Answer) -> str:
    """The page: the recommended plan, the plans it was chosen from, and each store's goods by department."""
    plan = answer.recommended
    parts = [*_head(answer, plan), *_choice(answer, plan)]
    for store in plan.stores:
        parts += _store(answer, plan, store)
    parts += [*_missing(answer, plan), *_notes(answer), "</main>", "</body>", "</html>"]
    return "\n".join(parts) + "\n"


def _head(answer: Answer, plan: Plan) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<link rel="icon" href="data:,">\n<title>Shopping plan</title>'
    yield f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>"
    yield "<body>\n<main>\n<header>\n<h1>Shopping plan</h1>"
    names = [store_name(stores_of(answer)[store]) for store in plan.stores]
    lines = f"{len(plan.lines)} of {len(answer.slots.lines)} lines"
    if names:
        where = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        yield f'<p class="lead"><strong>{dollars(plan.total_cents)}</strong> for {lines} at {safe(where)}</p>'
    else:
        yield f'<p class="lead">There is no plan: {safe(answer.reason())}.</p>'
    facts = [f"Recommended: {answer.reason()}", f"{proof(plan).capitalize()}", *savings(answer)] if names else []
    as_of = datetime.fromisoformat(answer.slots.as_of).astimezone(UTC)
    facts.append(f"Prices as known on {as_of.day} {as_of:%B %Y, %H:%M} UTC")
    yield "<ul>" + "".join(f"<li>{safe(fact)}</li>" for fact in facts) + "</ul>\n</header>"


def _choice(answer: Answer, plan: Plan) -> Iterator[str]:
    """The plans beside each other, as a chart and as a table."""
    yield '<section aria-labelledby="plans">\n<h2 id="plans">More stores, less money?</h2>'
    yield chart(answer)
    heads = [_head_cell(name, name in EXTRA) for name in ("Stores", "Lines", *EXTRA, "Total")]
    yield '<div class="wide" tabindex="0" role="region" aria-label="Plans beside each other"><table>'
    yield f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>"
    for each in answer.plans:
        names = ", ".join(store_name(stores_of(answer)[store]) for store in each.stores) or "no plan"
        mark = ' <span class="mark">recommended</span>' if each is plan else ""
        yield f'<tr><th scope="row">{each.max_stores}: {safe(names)}{mark}</th><td>{len(each.lines)}</td>'
        for cents in (each.goods_cents, each.fees_cents, each.visits_cents + each.trip_cents):
            yield f'<td class="extra">{dollars(cents)}</td>'
        yield f"<td>{dollars(each.total_cents)}</td></tr>"
    yield "</tbody>\n</table></div>\n</section>"


def _head_cell(name: str, extra: bool) -> str:
    return f'<th scope="col"{" class=extra" if extra else ""}>{name}</th>'


def _store(answer: Answer, plan: Plan, store: str) -> Iterator[str]:
    known_as, number = stores_of(answer)[store], plan.stores.index(store) + 1
    goods = sum(filled.cost_cents for filled in plan.lines.values() if filled.option.store == store)
    fee = fee_at(known_as.store, answer.terms.fees).of(goods)
    beside = f", and {dollars(fee)} to pay for the order" if fee else ""
    yield f'<section class="store" aria-labelledby="store{number}">'
    yield f'<h2 id="store{number}">{safe(store_name(known_as))}</h2>'
    address = safe(known_as.store_address or "address not known")
    yield f"<p>{address}. Goods for {dollars(goods)}{beside}.</p>"
    for department, lines in by_department(plan, store).items():
        yield f"<h3>{safe(department)}</h3>\n<ul class=goods>"
        for line, filled in lines:
            yield from _line(answer, plan, line, filled)
        yield "</ul>"
    yield "</section>"


def _line(answer: Answer, plan: Plan, line: int, filled: Filled) -> Iterator[str]:
    option = filled.option
    item = next(each.item for each in answer.slots.lines if each.line == line)
    size = f' <span class="size">{safe(option.size)}</span>' if option.size else ""
    deal = f' <span class="deal">{safe(special(filled))}</span>' if special(filled) else ""
    notes = [f"each {single(filled)}" if option.quantity_unit is None and option.quantity > 1 else single(filled)]
    notes += [unit_price(option)] if option.unit_price is not None else []
    notes += [f"instead of {item}"] if option.is_substitute else []
    times = " &times;" if option.quantity_unit is None else ""
    yield '<li><span class="box" aria-hidden="true"></span><div>'
    yield f"<p><b>{amount(option)}{times}</b> {safe(option.product_name)}{size}{deal}</p>"
    yield f'<p class="note">{safe(", ".join(notes))}</p>'
    yield f'<p class="note">Price: {safe(known(answer, option))}. If out: {safe(if_out(answer, plan, line))}.</p></div>'
    yield f'<p class="cost">{dollars(filled.cost_cents)}</p></li>'


def _missing(answer: Answer, plan: Plan) -> Iterator[str]:
    missing = answer.unfilled(plan)
    if missing:
        yield '<section aria-labelledby="missing">\n<h2 id="missing">Not bought</h2>\n<ul>'
        for line, why in missing:
            yield f"<li><b>{safe(line.item)}</b>: {safe(why)}</li>"
        yield "</ul>\n</section>"


def _notes(answer: Answer) -> Iterator[str]:
    yield '<section class="notes" aria-labelledby="notes">\n<h2 id="notes">How prices are known</h2>\n<dl>'
    meanings = {
        KNOWN["own"]: "the store itself was seen to charge it, so long before this plan was made",
        "may have changed since": "stores that shared its prices have changed theirs since",
        KNOWN["inferred"]: "another store charges it, and the two have had the same prices",
        "specials have changed since": "it was seen in an earlier week of specials",
    }
    for words, meaning in meanings.items():
        yield f"<dt>{words.capitalize()}</dt><dd>{meaning}.</dd>"
    yield "</dl>"
    if answer.terms.members:
        yield f"<p>Members' offers are counted at {safe(', '.join(sorted(answer.terms.members)))}.</p>"
    yield "</section>"
