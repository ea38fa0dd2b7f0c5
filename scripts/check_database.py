"""Checks every invariant of the database and prints the broken ones. Exit code 0: none; 1: some; 2: no answer."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

import _path
from _support.command import parser, run
from _support.companies import now
from _support.database import database
from _support.output import print_json, print_lines

from models.checks.checking import check
from models.clocks.clock import server_time


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, json="print a JSON list of {check, promise, count, examples}")
    return run(made, _check, arguments, failed=2)


def _check(options: argparse.Namespace) -> int:
    with database(writes=False) as engine, engine.connect() as connection:
        server = server_time(connection)
        broken = list(check(connection, min(now(), server) if server else now()))
    if options.json:
        print_json([asdict(one) for one in broken], indent=2)
    else:
        for one in broken:
            print_lines(f"{one.check}: {one.promise}; broken {one.count} times, e.g. {'; '.join(one.examples)}")
        print_lines(f"{len(broken)} broken promises" if broken else "every promise holds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
