"""Crawls a company's stores one after the other until it is asked to stop.

It also locates the stores again after some days, and merges groups and builds slots after crawls. SIGTERM, Ctrl-C or
the stop file ends it after the crawl in hand; a second signal breaks that off. Rules: docs/scheduling.md.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import _path
from _support.command import Parser, folder, parser, run, word
from _support.database import database
from _support.output import console
from _support.schedule import (
    clock_of,
    failure_delay,
    holder,
    rules_of,
    take_dev,
    take_lockout,
    take_one_company,
    take_policy,
)
from _worker.crawls import Crawls
from _worker.events import Report, as_json, as_lines
from _worker.live import on_terminal
from _worker.local import LocalCrawls
from _worker.loop import FAILED, NETWORK_DOWN, NOTHING, Loop, Options
from _worker.nodes import ScrapydCrawls, nodes_of, take_nodes, watching
from _worker.schedule import CompanySchedule, spider_of
from _worker.stop import Stop
from platformdirs import user_log_path

from splitcart.scheduling.due import Intervals
from splitcart_spiders import settings

WHY = {
    0: "asked to stop, or the one store is done",
    FAILED: "crawls could not begin: read their logs",
    NOTHING: "no store is offered",
    NETWORK_DOWN: "the site cannot be reached (with --dev: the sandbox): the last crawl's log names what to check",
}


def _parser() -> Parser:
    made = parser(__doc__, json="report each event as one JSON object a line")
    take_one_company(made)
    take_dev(made)
    made.add_argument(
        "--once",
        action="store_true",
        help="crawl one store, and locate and merge where due; exit 3 where none is offered",
    )
    made.add_argument(
        "--stop-file", metavar="FILE", type=word, help="stop after the crawl in hand once this file exists"
    )
    take_policy(made)
    usual = user_log_path("splitcart")
    text = f"crawls' logs (default {usual})".replace("%", "%%")
    made.add_argument("--logs", metavar="FOLDER", type=folder, default=usual, help=text)
    take_nodes(made)
    take_lockout(made)
    return made


def _intervals() -> Intervals:
    return Intervals(
        locate=timedelta(days=settings.LOCATE_DAYS),
        locate_again=timedelta(hours=settings.LOCATE_AGAIN_HOURS),
        merge=timedelta(minutes=settings.MERGE_MINUTES),
    )


@contextmanager
def _reporter(options: argparse.Namespace, spider: str, clock: Callable[[], datetime]) -> Iterator[Report]:
    if options.json:
        yield as_json(spider, clock)
    elif sys.stdout.isatty():
        with on_terminal(f"{spider}, policy {options.policy}", clock, console()) as report:
            yield report
    else:
        yield as_lines(clock)


def _runner(options: argparse.Namespace, logs: Path, schedule: CompanySchedule, report: Report) -> Crawls:
    """Runs the crawls: on this machine, or on the nodes of --scrapyd."""
    if not options.scrapyd:
        return LocalCrawls(logs, schedule.clock)
    return ScrapydCrawls(
        nodes_of(options, os.environ),
        options.max_jobs,
        watching(schedule),
        lambda message: report("node", told=message),
        at_once=options.crawls,
    )


def _run(options: argparse.Namespace) -> int:
    spider, clock = spider_of(options.company), clock_of(options)
    logs = options.logs / spider
    stop = Stop(Path(options.stop_file) if options.stop_file else None, clock)
    wanted = Options(dev=options.dev, once=options.once, intervals=_intervals())
    with database() as engine, stop.listening(), _reporter(options, spider, clock) as report:
        report("started", name=spider, policy=options.policy, logs=", ".join(options.scrapyd) or str(logs))
        schedule = CompanySchedule(
            engine, spider, rules_of(options), clock, holder(), settings.LEASE_SECONDS, failure_delay()
        )
        code = Loop(schedule, _runner(options, logs, schedule, report), stop, report, wanted).run()
        report("ended", code=code, why=WHY[code])
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: asked to stop, or --once done; 3: --once, no store; 5: network down; 2: wrong arguments; 1: else."""
    return run(_parser(), _run, arguments)


if __name__ == "__main__":
    sys.exit(main())
