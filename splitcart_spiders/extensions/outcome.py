"""How a run's outcome is said: in the run row's counts, in the statistics, in the log and by the exit code."""

import logging
from datetime import datetime
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from models.errors import StorageError
from splitcart.runs.verdict import Counts, Verdict, exit_code
from splitcart_spiders.advice import NOT_OPENED
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.extensions import ending
from splitcart_spiders.middlewares.gate import Gate

logger = logging.getLogger(__name__)

STAGES = ("mapping", "validate", "clean", "price", "unit_price", "duplicates", "robots", "listing")


def figures(
    crawler: Crawler, counts: Counts, started: datetime, now: datetime, exceptions: list[str]
) -> dict[str, Any]:
    """What the run row keeps: counts, drops and repairs as {"stage/event": n}, requests, seconds, the error.

    `probe`: how many pages of the whole store were asked for; null for any other crawl.
    """
    assert crawler.stats is not None
    stats = crawler.stats.get_stats()
    error, spider = Gate.of(crawler).error, crawler.spider
    chain = spider if isinstance(spider, ChainSpider) else None
    return {
        "accepted": counts.accepted,
        "staged": counts.staged,
        "listings": counts.listings,
        "unreadable": counts.unreadable,
        "unnamed": counts.unnamed,
        "requests": stats.get("downloader/request_count", 0),
        "seconds": round((now - started).total_seconds(), 1),
        "drops": drops(crawler),
        "skipped_roots": chain.walker.skipped_roots if chain else [],
        "probe": chain.probe if chain and not chain.wanted else None,
        "error": str(error) if error else None,
        "remedy": error.remedy if error else None,
        "exceptions": exceptions[:10],
    }


def drops(crawler: Crawler) -> dict[str, int]:
    """Rows dropped or repaired, as {"stage/event": n}."""
    assert crawler.stats is not None
    return {
        key.removeprefix("splitcart/"): value
        for key, value in crawler.stats.get_stats().items()
        if key.startswith("splitcart/") and key.split("/")[1] in STAGES
    }


def say(
    crawler: Crawler, status: str, reason: str, judged: Verdict | None = None, changed: ending.Changed = None
) -> None:
    """Put the outcome where the crawl command, tests and the log find it.

    judged, changed: the verdict of a run that was opened, and what it changed.
    """
    stats = crawler.stats
    assert stats is not None
    code = exit_code(status, reason)
    stats.set_value("splitcart/run/status", status)
    stats.set_value("splitcart/run/reason", reason)
    stats.set_value("splitcart/run/exit_code", code)
    level = logging.INFO if code == 0 else logging.WARNING if status == "partial" else logging.ERROR
    for line in ending.lines(crawler, status, reason, judged, changed):
        told = line.startswith((status, ending.NEXT))
        logger.log(level if told else logging.INFO, "%s", line)


def say_unless_said(crawler: Crawler, status: str, reason: str) -> None:
    """As `say`, where nothing was said before."""
    assert crawler.stats is not None
    if crawler.stats.get_value("splitcart/run/status") is None:
        say(crawler, status, reason)


def not_opened(crawler: Crawler, error: Exception) -> CloseSpider:
    """Say that there is no run, and why; raise what it gives, so that no site is asked in vain."""
    # What an operator can put right is told in a line; anything else is a fault of ours, and its place is wanted.
    ours = not isinstance(error, StorageError | ConnectionError)
    if ours:
        logger.error("The run could not be opened: %s", error, exc_info=error)
    lines = str(error).strip().splitlines() or [type(error).__name__]
    say(crawler, "failed", f"{NOT_OPENED}: {lines[0]}")
    return CloseSpider("run_not_opened")
