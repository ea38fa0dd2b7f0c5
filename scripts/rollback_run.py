"""Puts back what a published run changed, for when a mapping was wrong. Begin with --dry-run."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

import _path
from _support.command import integer, parser, run
from _support.companies import now
from _support.database import database
from _support.output import print_json, print_lines

from models.publishing.rollback import rollback

MOST = 2**31 - 1
"""The largest id of a run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done, or reported by --dry-run; 1: refused; 2: wrong arguments. The reason is on standard error."""
    made = parser(__doc__, json="print the figures as JSON")
    made.add_argument("run", type=integer(1, MOST), help="id of the run in crawl_runs")
    made.add_argument("--dry-run", action="store_true", help="change nothing, print what would change")
    return run(made, _rollback, arguments)


def _rollback(options: argparse.Namespace) -> int:
    with database() as engine:
        done = rollback(engine, options.run, now(), dry=options.dry_run)
    if options.json:
        print_json(asdict(done) | {"dry_run": options.dry_run})
        return 0
    would = "would put back" if options.dry_run else "put back"
    print_lines(
        f"run {done.run_id}: {would} {done.restored} prices, remove {done.removed}, take {done.history} entries "
        f"out of the history, restore {done.texts} texts, delete {done.aliases} aliases; "
        f"times in the future corrected: {done.healed}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
