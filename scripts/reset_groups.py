"""Puts every store into its own group. No price row changes: each store is then known by its own prices alone.

One transaction a store: whenever it is killed, the remaining stores stay in their groups.
"""

import argparse
import sys
from collections.abc import Sequence

import _path
from _support.command import parser, run
from _support.companies import Progress, now, take_company
from _support.database import database
from _support.output import print_json, print_lines

from models.groups.merging import reset
from models.groups.reading import named_companies


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: every store is alone; 1: an unknown company, or the database does not answer; 2: wrong arguments."""
    made = parser(__doc__)
    take_company(made)
    return run(made, _reset, arguments)


def _reset(options: argparse.Namespace) -> int:
    left = {}
    with database() as engine:
        with engine.connect() as connection:
            chosen = named_companies(connection, options.company)
        for one in chosen:
            left[one.name] = reset(engine, one, now, Progress(one.name))
    if options.json:
        print_json({"stores_reset": left})
        return 0
    print_lines(*(f"{name}: {count} stores left a group" for name, count in left.items()))
    if not left:
        print_lines("no company yet: crawl a store first")
    return 0


if __name__ == "__main__":
    sys.exit(main())
