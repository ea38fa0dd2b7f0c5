"""Deletes staging (2 days after its run ended) and quarantined rows (after 30 days). History is kept for ever."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import _path  # noqa: F401
from _database import database, guarded, span

from models.pruning import QUARANTINE, STAGING, prune


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the database is not ours, and why on standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staging-days", type=span, default=STAGING.days, help="default: %(default)s")
    parser.add_argument("--quarantine-days", type=span, default=QUARANTINE.days, help="default: %(default)s")
    parser.add_argument("--dry-run", action="store_true", help="delete nothing, say how much would go")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    days = {
        "staging": timedelta(days=options.staging_days),
        "quarantine": timedelta(days=options.quarantine_days),
    }
    return guarded(lambda: _run(options, days))


def _run(options: argparse.Namespace, days: Mapping[str, timedelta]) -> int:
    with database() as engine:
        done = prune(engine, datetime.now(UTC), dry=options.dry_run, **days)
    if options.json:
        print(json.dumps(asdict(done) | {"dry_run": options.dry_run}))
    else:
        print(
            f"{done.staged} staged and {done.quarantined} quarantined rows {'would go' if options.dry_run else 'gone'}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
