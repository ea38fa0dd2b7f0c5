"""Plans of the documents and terms that `tests.support.carts` makes."""

import json
import time

from splitcart.cart import documents, split, terms, trips


def slots_of(document):
    return documents.loads(json.dumps(document))


def terms_of(drawn):
    fees = {company: terms.Fee(*fee) for company, fee in drawn.fees.items()}
    trip = trips.Trip(drawn.home, drawn.cents_per_km) if drawn.home else None
    return terms.Terms(fees, frozenset(drawn.members), drawn.visit_cents, trip)


def plans(document, drawn, most, *, seconds=600, now=time.monotonic):
    """The plans for 1 to `most` stores."""
    return split.split(slots_of(document), terms_of(drawn), most, seconds=seconds, now=now)


def shown(plan):
    """A plan in the form of `carts.brute`."""
    if not plan.lines:
        return None
    lines = [
        (line, filled.option.product_id, filled.option.sku, filled.option.store) for line, filled in plan.lines.items()
    ]
    return len(plan.lines), plan.total_cents, plan.stores, lines, plan.runner_up_cents
