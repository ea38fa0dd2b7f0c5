"""What an operator does after a crawl, by how it ended: one sentence that names the command or the setting."""

from collections.abc import Mapping

from splitcart.runs.verdict import code_of

RESUME = "resume it within 6 hours: scrapy crawl {spider} -a store={store} -a resume=1"
AGAIN = "crawl it again: scrapy crawl {spider} -a store={store}"
CONFIRM = (
    "stores do shrink: a second run at {confirm_at} or later that lacks the same is complete; if you do not want that, "
    "look for what is missing on the storefront"
)
LOOK = "compare some prices with the storefront; saved bodies go through scripts/replay.py {slug}; if "

ADVICE: dict[str, str] = {
    "finished": "plan with it: python scripts/split_cart.py LIST --stores {slug}:{store}",
    "shortfall_confirmed": "plan with it: python scripts/split_cart.py LIST --stores {slug}:{store}",
    "requested": "the rest of the store is unchanged; for the whole store: scrapy crawl {spider} -a store={store}",
    "implausible": LOOK + "they are right, crawl it once with -s 'RUN_GATES={gates}' (docs/settings.md, RUN_GATES)",
    "empty_store": "open the storefront for store {store} in a browser: does it list products? The log above has more",
    "quarantined": "look into the table quarantined_items, then " + AGAIN,
    "staged_mismatch": "run python scripts/check_database.py, then " + AGAIN,
    "totals_short": AGAIN + ": a resumed run would not walk its proven categories again",
    "crosses_flip": AGAIN + ": then all of its pages lie in one week of specials",
    "category_missing": CONFIRM,
    "category_thin": CONFIRM,
    "store_short": CONFIRM,
    "store_small": CONFIRM,
    "turnover": CONFIRM,
    "store_held": "wait for it: scrapy crawl {spider} -a store={store} -a wait=1",
}
"""By the code of the reason, for crawls of stores. An error's own remedy comes first."""
LOCATOR: dict[str, str] = {
    "complete": "crawl one of them: scrapy crawl {slug} -a store=ID; python scripts/inspect_stores.py --company {slug}",
    "partial": "run it again: only a complete locator run marks stores as closed and validates store ids",
}
"""By the status of a locator's run."""
NOT_OPENED = "the run could not be opened"
NAME_THEIR_REMEDY = (NOT_OPENED, "the last complete run of", "the database's schema", "this machine's clock")
"""Beginnings of reasons that name their own remedy."""
READ_LOG = "read the errors above, then python scripts/inspect_runs.py --company {slug}"
GATES = (
    ("median new/old", '{"ratio_low": 0.5, "ratio_high": 2}'),
    ("changed outside a flip", '{"changed_share": 1}'),
    ("could not be read", '{"unreadable_share": 0.2}'),
)
"""A part of an implausible run's reason, and the gates that would let the run pass."""


def next_step(status: str, reason: str, values: Mapping[str, str]) -> str:
    """What to do after a run with this status and reason; empty if the reason itself names the remedy.

    values: spider, slug, store ("" for a locator), and confirm_at if it is known.
    """
    if reason.startswith(NAME_THEIR_REMEDY):
        return ""
    if not values["store"]:
        step = LOCATOR.get(status, READ_LOG)
    elif status == "held":
        step = ADVICE["store_held"]
    else:
        step = ADVICE.get(code_of(reason), RESUME if status == "partial" else READ_LOG)
    gates = next((gate for part, gate in GATES if part in reason), "")
    return step.format_map({"confirm_at": "12 hours from now", **values, "gates": gates})
