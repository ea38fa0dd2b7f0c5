"""The outcome of a run, as the counts of its row, as statistics, as lines of the log and as an exit code."""

import logging
from datetime import datetime
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from models.errors import StorageError
from splitcart.runs.verdict import Counts, Verdict, exit_code
from splitcart_spiders.advice import NOT_OPENED
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.extensions import summary
from splitcart_spiders.middlewares.gate import Gate

logger = logging.getLogger(__name__)

STAGES = ("mapping", "validate", "clean", "price", "unit_price", "duplicates", "robots", "listing")


def figures(
    crawler: Crawler, counts: Counts, started: datetime, now: datetime, exceptions: list[str]
) -> dict[str, Any]:
    """The counts of the run row: rows, drops and repairs as {"stage/event": n}, requests, seconds, the error.

    `probe`: how many pages of the whole store were requested; null for any other crawl.
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


def report(
    crawler: Crawler, status: str, reason: str, judged: Verdict | None = None, changed: summary.Changed = None
) -> None:
    """Record the outcome in the statistics, for the crawl command, and log it.

    judged, changed: the verdict of a run that was opened, and what it changed.
    """
    stats = crawler.stats
    assert stats is not None
    code = exit_code(status, reason)
    stats.set_value("splitcart/run/status", status)
    stats.set_value("splitcart/run/reason", reason)
    stats.set_value("splitcart/run/exit_code", code)
    level = logging.INFO if code == 0 else logging.WARNING if status == "partial" else logging.ERROR
    for line in summary.lines(crawler, status, reason, judged, changed):
        leveled = line.startswith((status, summary.NEXT))
        logger.log(level if leveled else logging.INFO, "%s", line)


def report_unless_reported(crawler: Crawler, status: str, reason: str) -> None:
    """As `report`, if no outcome was reported before."""
    assert crawler.stats is not None
    if crawler.stats.get_value("splitcart/run/status") is None:
        report(crawler, status, reason)


def not_opened(crawler: Crawler, error: Exception) -> CloseSpider:
    """Report that no run was opened, and why. Returns the exception to raise: nothing is requested without a run."""
    # One line is enough for what an operator can put right; anything else is a defect, and needs its traceback.
    is_defect = not isinstance(error, StorageError | ConnectionError)
    if is_defect:
        logger.error("The run could not be opened: %s", error, exc_info=error)
    lines = str(error).strip().splitlines() or [type(error).__name__]
    report(crawler, "failed", f"{NOT_OPENED}: {lines[0]}")
    return CloseSpider("run_not_opened")
