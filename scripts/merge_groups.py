"""Groups the stores that have the same prices: ejects members that no longer match, then merges groups that do.

Whenever it is killed, every price stays as it was and the next call continues. Rules and reasons: docs/groups.md.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import _path
from _support.command import Parser, parser, run, shown, span, word
from _support.companies import Progress, now, take_company
from _support.database import database
from _support.output import print_json, print_lines
from _support.schedule import holder
from sqlalchemy import Connection, Engine, Row, select

from models.groups.merging import Merger, Summary, rules_of
from models.groups.reading import named_companies
from models.scheduling.merges import the_only_merger
from models.tables import stores
from splitcart.grouping.rules import Rules
from splitcart.patterns import Pattern

_SHARE = Pattern(r"[0-9]{0,6}(?:\.[0-9]{0,12})?(?:[eE]-?[0-9]{1,2})?|[0-9]{1,6}/[0-9]{1,6}", most=40)


def _parser() -> Parser:
    made = parser(__doc__)
    take_company(made)
    made.add_argument(
        "--threshold", type=share, default="0.98", help="the share of equal common lines to join at (default 0.98)"
    )
    made.add_argument("--fresh-hours", type=span, default=72, help="how old a complete run may be (default 72)")
    made.add_argument("--dry-run", action="store_true", help="decide and report, but change nothing")
    made.add_argument(
        "--explain", type=word, metavar="STORE", help="report every decision about this store, with its reason"
    )
    return made


def share(text: str) -> str:
    """The threshold as the text that was given, which the rules parse exactly. For argparse's `type`."""
    if not _SHARE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"threshold {shown(text)}: a share between 0.5 and 1, such as 0.98")
    try:
        Rules.at(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def figures(summary: Summary, seconds: float) -> dict[str, Any]:
    """The summary of one company under its public keys."""
    return {
        "company": summary.company,
        "groups_before": summary.groups_before,
        "groups_after": summary.groups_after,
        "merged": summary.merged,
        "ejected": summary.ejected,
        "flagged": summary.flagged,
        "passes": summary.passes,
        "comparisons_made": summary.comparisons.made,
        "comparisons_avoided": summary.comparisons.avoided,
        "avoided_by": {k: v for k, v in asdict(summary.comparisons).items() if k != "made"},
        "put_off": summary.put_off,
        "seconds": round(seconds, 3),
    }


def _show(result: dict[str, Any]) -> None:
    by = ", ".join(f"{count:,} {name}" for name, count in result["avoided_by"].items())
    print_lines(
        f"{result['company']}: {result['groups_before']} groups before, {result['groups_after']} after "
        f"({result['merged']} merged, {result['ejected']} ejected, {len(result['flagged'])} flagged, "
        f"{result['passes']} passes, {result['seconds']} s)",
        f"  comparisons: {result['comparisons_made']:,} made, {result['comparisons_avoided']:,} avoided ({by})",
    )
    if result["flagged"]:
        print_lines(f"  to be crawled again: {', '.join(result['flagged'])}")
    if result["put_off"]:
        print_lines(f"  {result['put_off']} changes put off: stores are being published; run again")


def _merge(engine: Engine, company: Row[Any], options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    began = time.monotonic()
    rules = rules_of(company, options.threshold, options.fresh_hours)
    merger = Merger(engine, company, rules, now, Progress(company.name))
    with nullcontext() if options.dry_run else the_only_merger(engine, company, now, holder()):
        summary = merger.run(dry_run=options.dry_run)
    merged = figures(summary, time.monotonic() - began)
    if not options.explain:
        return merged, []
    decisions = [str(d) for d in summary.decisions if options.explain in (d.store_code, d.other)]
    return merged, decisions + merger.apart(options.explain)


def _check_store(connection: Connection, companies: Sequence[Row[Any]], store: str) -> None:
    """Raises ValueError where no company has the store to be explained, before anything is changed."""
    mine = stores.c.company_id.in_([company.id for company in companies])
    if connection.execute(select(stores.c.id).where(mine, stores.c.store_code == store)).first() is None:
        there = ", ".join(company.slug for company in companies) or "no company yet"
        raise ValueError(f"store {store!r} is unknown ({there}): --explain wants the chain's own id of a store")


def _run(options: argparse.Namespace) -> int:
    results = []
    with database() as engine:
        with engine.connect() as connection:
            chosen = named_companies(connection, options.company)
            if options.explain:
                _check_store(connection, chosen, options.explain)
        for company in chosen:
            merged, reasons = _merge(engine, company, options)
            results.append(merged | ({"explained": reasons} if options.explain else {}))
            if not options.json:
                _show(merged)
                print_lines(*(f"  {reason}" for reason in reasons))
    if options.json:
        print_json({"dry_run": options.dry_run, "companies": results})
    elif not results:
        print_lines("no company yet: crawl a store first")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: merged; 2: wrong arguments; 1: an unknown company or store, another merges, no database."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
