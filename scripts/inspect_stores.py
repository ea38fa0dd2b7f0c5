"""Shows every store with its state, why it is not offered, and until when. Changes nothing."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import _path
from _support.command import Parser, parser, run
from _support.companies import take_company
from _support.database import database
from _support.output import console, print_json, print_lines, table
from _support.schedule import clock_of, in_json, one_of, rules_of, short, take_dev, take_lockout, take_policy

from models.groups.reading import named_companies
from models.scheduling.overview import company_stores
from splitcart.scheduling.rule import REASONS, STATES

COLUMNS = ("company", "store", "name", "state", "not offered", "free at", "last scraped", "anchor", "failed")


def _parser() -> Parser:
    made = parser(__doc__, json="print the stores as one JSON list")
    take_company(made)
    made.add_argument("--state", type=one_of(STATES), help=f"only stores in this state: {', '.join(STATES)}")
    made.add_argument(
        "--reason", type=one_of(REASONS), help=f"only stores not offered for this reason: {', '.join(REASONS)}"
    )
    take_lockout(made)
    take_dev(made)
    take_policy(made)
    return made


def _run(options: argparse.Namespace) -> int:
    when, rules = clock_of(options)(), rules_of(options)
    with database(writes=False) as engine, engine.connect() as connection:
        chosen = named_companies(connection, options.company)
        stores = [store for company in chosen for store in company_stores(connection, company, rules, when)]
    wanted = {"state": options.state, "why_not": options.reason}
    stores = [store for store in stores if all(each in (None, store[name]) for name, each in wanted.items())]
    if options.json:
        print_json([in_json(store) for store in stores])
    else:
        _show(stores)
    return 0


def _show(stores: list[dict[str, Any]]) -> None:
    rows = [
        (
            store["company"], store["store_id"], store["store_name"], store["state"], store["why_not"] or "",
            short(store["free_at"]), short(store["last_scraped"]), store["group_anchor"] or "",
            store["fail_count"] or "",
        )
        for store in stores
    ]  # fmt: skip
    console().print(table(COLUMNS, rows, right=["failed"]))
    print_lines(
        f"{len(stores)} stores, {sum(store['offered'] for store in stores)} of them offered, the next one first"
    )
    print_lines(
        *(f"  {reason}: {words}" for reason, words in REASONS.items() if any(s["why_not"] == reason for s in stores))
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: shown; 1: an unknown company, or the database does not answer; 2: wrong arguments."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
