"""Puts back what a published run changed, for the day a mapping lied. Begin with --dry-run."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import _path  # noqa: F401
from _database import database, guarded

from models.rollback import rollback


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done (or told); 1: refused, and why on standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=int, help="id of the run in crawl_runs")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would change")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    with database() as engine:
        done = rollback(engine, options.run, datetime.now(UTC), dry=options.dry_run)
    if options.json:
        print(json.dumps(asdict(done) | {"dry_run": options.dry_run}))
    else:
        would = "would put back" if options.dry_run else "put back"
        print(
            f"run {done.run_id}: {would} {done.restored} prices, remove {done.removed}, take {done.history} entries "
            f"out of the history, restore {done.texts} texts, forget {done.aliases} names; stores put "
            f"out of its group: {list(done.stores_left)}; stores to crawl again: {list(done.stores_to_crawl)}; "
            f"times in the future put right: {done.healed}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
