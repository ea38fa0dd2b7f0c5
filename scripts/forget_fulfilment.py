"""Deletes what --accept-fulfilment recorded: that another store answers for this one. No price changes.

Prices that were published meanwhile stay; scripts/rollback_run.py rolls back the run that published them.
"""

import argparse
import sys
from collections.abc import Sequence

import _path
from _support.command import parser, run, word
from _support.database import database
from _support.output import print_json, print_lines
from _support.schedule import one_company, take_one_company

from models.publishing.stores import forget_fulfilment


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: deleted, or there was nothing; 1: unknown company or store, or no database; 2: wrong arguments."""
    made = parser(__doc__)
    take_one_company(made)
    made.add_argument("--store", type=word, required=True, help="the chain's id of the store")
    return run(made, _forget, arguments)


def _forget(options: argparse.Namespace) -> int:
    with database() as engine:
        company = one_company(engine, options.company)
        was = forget_fulfilment(engine, company.id, options.store)
    if options.json:
        print_json({"company": company.slug, "store_id": options.store, "fulfilled_by": was})
    elif was is None:
        print_lines(f"{company.name} {options.store}: no other store is recorded as fulfilling it")
    else:
        print_lines(f"{company.name} {options.store}: store {was} no longer fulfils it: its answers are refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
