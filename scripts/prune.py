"""Deletes staging (2 days after its run ended) and quarantined rows (after 30 days). History is kept for ever."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

import _path
from _support.command import parser, run, span
from _support.companies import now
from _support.database import database
from _support.output import print_json, print_lines

from models.runs.pruning import QUARANTINE, STAGING, prune


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the database is not ours; 2: wrong arguments. The reason is on standard error."""
    made = parser(__doc__, json="print the figures as JSON")
    made.add_argument("--staging-days", type=span, default=STAGING.days, help="default: %(default)s")
    made.add_argument("--quarantine-days", type=span, default=QUARANTINE.days, help="default: %(default)s")
    made.add_argument("--dry-run", action="store_true", help="delete nothing, print how much would be deleted")
    return run(made, _prune, arguments)


def _prune(options: argparse.Namespace) -> int:
    staging, quarantine = timedelta(days=options.staging_days), timedelta(days=options.quarantine_days)
    with database() as engine:
        done = prune(engine, now(), dry=options.dry_run, staging=staging, quarantine=quarantine)
    if options.json:
        print_json(asdict(done) | {"dry_run": options.dry_run})
    else:
        deleted = "would be deleted" if options.dry_run else "deleted"
        print_lines(f"{done.staged} staged and {done.quarantined} quarantined rows {deleted}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
