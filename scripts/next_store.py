"""Takes the store of a company that is to be crawled next, and prints the lease for its crawl.

Concurrent calls never get the same store. Its crawl must take the lease over within two minutes: scrapy crawl SPIDER
-a store=CODE -a lease=TOKEN. Rules and reasons: docs/scheduling.md.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import _path
from _support.command import Parser, parser, run
from _support.database import database
from _support.output import print_json, print_lines
from _support.schedule import (
    clock_of,
    failure_delay,
    holder,
    in_json,
    one_company,
    rules_of,
    short,
    take_dev,
    take_lockout,
    take_one_company,
    take_policy,
)
from sqlalchemy import Row

from models.scheduling.taking import Taken, take
from splitcart.scheduling.rule import REASONS, Queue
from splitcart_spiders import settings

NO_STORE = 3


def _parser() -> Parser:
    made = parser(__doc__, json="print the store and its lease, or the reasons for none, as one JSON object")
    take_one_company(made)
    take_lockout(made)
    take_dev(made)
    take_policy(made)
    return made


def _run(options: argparse.Namespace) -> int:
    clock = clock_of(options)
    with database() as engine:
        company = one_company(engine, options.company)
        seconds = settings.LEASE_SECONDS
        taken = take(
            engine,
            company,
            rules_of(options),
            clock(),
            holder=holder(),
            lease_seconds=seconds,
            failure_delay=failure_delay(),
        )
    if isinstance(taken, Queue):
        _print_none(company, taken, as_json=options.json)
        return NO_STORE
    _print_taken(company, taken, as_json=options.json, dev=options.dev)
    return 0


def _print_taken(company: Row[Any], taken: Taken, *, as_json: bool, dev: bool) -> None:
    if as_json:
        store = {"company": company.slug, "store_id": taken.store_code, "store_name": taken.store_name}
        lease = {"lease_token": taken.lease_token, "lease_until": taken.lease_until}
        print_json(in_json(store | {"company_name": company.name} | lease | {"probe": taken.probe}))
        return
    part = f" -a probe={taken.probe}" if taken.probe else ""
    last = " -a dev=1" if dev else ""
    print_lines(
        f"{company.name} {taken.store_code} ({taken.store_name}), leased until {short(taken.lease_until)}",
        f"  scrapy crawl {company.slug} -a store={taken.store_code}{part} -a lease={taken.lease_token}{last}",
    )


def _print_none(company: Row[Any], queue: Queue, *, as_json: bool) -> None:
    if as_json:
        free = {"next_free_at": queue.next_free_at}
        print_json(in_json({"company": company.slug, "none": True, "reasons": queue.reasons} | free))
        return
    if not queue.not_offered:
        print_lines(f"no store of {company.name} is known: find them with scrapy crawl {company.slug}_stores")
        return
    print_lines(f"no store of {company.name} is offered:")
    print_lines(*(f"  {count} {reason}: {REASONS[reason]}" for reason, count in queue.reasons.items()))
    print_lines(
        f"  the next frees at {short(queue.next_free_at)}" if queue.next_free_at else "  none will free by itself"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: a store was taken; 3: none is offered; 1: an unknown company, or no database; 2: wrong arguments."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
