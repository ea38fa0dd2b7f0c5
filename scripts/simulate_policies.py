"""Simulates crawling a complete chain under its real budget, and prints how many prices are right on any day.

The number of stores, their requests and the rate of one request a second are real, the prices are the sandbox's.
Oldest-first and groups follow the real rules; the clairvoyant knows the zones. Assumptions and figures:
docs/scheduling.md.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import _path
from _support.command import Parser, integer, parser, run
from _support.output import console, print_json, print_lines, table
from _support.schedule import one_of
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from benchmarks.policies import REQUESTS, STORES, WARM_UP, simulate
from benchmarks.policy_world import Truth

COLUMNS = ("company", "policy", "right", "worst day", "of day", "crawls", "probes", "groups")


def _parser() -> Parser:
    made = parser(__doc__, json="print a JSON list: the shares by company and policy, with each day")
    made.add_argument("--company", metavar="C", type=one_of(STORES), help=f"only this one of {', '.join(STORES)}")
    made.add_argument("--days", type=integer(1, 1000), default=56, help="days that count (default 56)")
    made.add_argument(
        "--warm-up", type=integer(0, 1000), default=WARM_UP, help=f"days before those that count (default {WARM_UP})"
    )
    made.add_argument(
        "--zones", type=integer(1, 500), default=10, help="price zones of a chain (default 10; ALDI has one)"
    )
    made.add_argument(
        "--lines-a-page", type=integer(1, 48), default=2, help="listings that represent those of a page (default 2)"
    )
    made.add_argument("--stores", type=integer(1, 5000), help="stores of a chain, in place of the real number")
    made.add_argument("--seed", type=integer(), default=1, help="the seed of the sandbox (default 1)")
    return made


def _simulated(company: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    stores, requests = options.stores or STORES[company], REQUESTS[company]
    lines = max(12, options.lines_a_page * (requests - 2))
    truth = Truth(company, stores, lines, options.zones, seed=options.seed)
    zones = int(truth.zone.max()) + 1
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Bars(*columns, console=console(stderr=True), disable=not sys.stderr.isatty())
    days = options.warm_up + options.days
    with bars:
        task = bars.add_task(f"{company}, days", total=days)

        def show(day: int) -> None:
            bars.update(task, completed=day)

        results = simulate(truth, requests, options.days, warm_up=options.warm_up, progress=show)
    facts = {"company": company, "stores": stores, "zones": zones, "lines": lines, "requests": requests}
    return [facts | {"policy": policy} | figures for policy, figures in results.items()]


def _run(options: argparse.Namespace) -> int:
    chosen = [options.company] if options.company else list(STORES)
    results = [one for company in chosen for one in _simulated(company, options)]
    if options.json:
        print_json(results)
        return 0
    rows = [
        (
            one["company"], one["policy"], f"{one['mean']:.2%}", f"{one['worst']:.2%}", one["worst_day"],
            one.get("crawls", ""), one.get("probes", ""), one.get("groups", ""),
        )
        for one in results
    ]  # fmt: skip
    console().print(table(COLUMNS, rows, right=COLUMNS[2:]))
    print_lines(
        f"right: the share of pairs of store and ranged listing, the mean of {options.days} days, flip days included"
    )
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: simulated; 2: wrong arguments."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
