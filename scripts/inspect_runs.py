"""Shows the latest crawl runs: how each ended and why, its counts and its changes. Changes nothing."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import _path
from _support.command import Parser, integer, parser, run, word
from _support.companies import take_company
from _support.database import database
from _support.output import console, print_json, table
from _support.schedule import clock_of, in_json, one_of, short, take_dev

from models.groups.reading import named_companies
from models.scheduling.overview import recent_runs
from models.tables.runs import STATUSES

COLUMNS = ("run", "company", "store", "status", "reason", "began", "seconds", "requests", "listings", "changes")


def _parser() -> Parser:
    made = parser(__doc__, json="print the runs as one JSON list")
    take_company(made)
    made.add_argument("--store", type=word, help="only runs of this store, by the chain's own id")
    made.add_argument("--status", type=one_of(STATUSES), help=f"only runs of this status: {', '.join(STATUSES)}")
    made.add_argument("--limit", type=integer(1, 100_000), default=50, metavar="N", help="at most N runs (default 50)")
    take_dev(made)
    return made


def _run(options: argparse.Namespace) -> int:
    when = clock_of(options)()
    with database(writes=False) as engine, engine.connect() as connection:
        ids = [company.id for company in named_companies(connection, options.company)]
        wanted = {"store": options.store, "status": options.status, "most": options.limit}
        runs = recent_runs(connection, when, company_ids=ids, **wanted)
    if options.json:
        print_json([in_json(each) for each in runs])
    else:
        console().print(table(COLUMNS, [_row(each) for each in runs], right=["run", "seconds", "requests", "listings"]))
    return 0


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    counts, changes = each["counts"], each["changes"] or {}
    changed = ", ".join(f"{count} {name}" for name, count in changes.items() if count)
    status = f"{each['status']}, rolled back" if each["rolled_back_at"] else each["status"]
    return (
        each["run"], each["company"], each["store_id"], status, each["reason"] or "", short(each["started_at"]),
        each["seconds"], counts.get("requests", ""), counts.get("listings", ""), changed,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: shown; 1: an unknown company, or the database does not answer; 2: wrong arguments."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
