"""Ends the lock-out of a company's stores: those handed out recently are offered again. Live leases stay."""

import argparse
import sys
from collections.abc import Sequence

import _path
from _support.command import Parser, parser, run
from _support.database import database
from _support.output import print_json, print_lines
from _support.schedule import clock_of, failure_delay, holder, one_company, take_dev, take_one_company

from models.scheduling.taking import clear


def _parser() -> Parser:
    made = parser(__doc__)
    take_one_company(made)
    take_dev(made)
    return made


def _run(options: argparse.Namespace) -> int:
    clock = clock_of(options)
    with database() as engine:
        company = one_company(engine, options.company)
        freed, leased = clear(engine, company, clock(), holder(), failure_delay())
    if options.json:
        print_json({"company": company.slug, "cleared": freed, "leased": leased})
    else:
        print_lines(f"{company.name}: {freed} stores are no longer locked out; {leased} stay leased")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: cleared; 1: an unknown company, or the database does not answer; 2: wrong arguments."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
