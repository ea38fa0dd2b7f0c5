"""The time that runs are dated with, and the check that it can be right."""

import logging
from datetime import UTC, datetime, timedelta

from scrapy.crawler import Crawler
from sqlalchemy import Engine

from models.clocks import clock
from models.errors import ClockWrong
from splitcart_spiders.middlewares import is_dev

logger = logging.getLogger(__name__)


def ahead(crawler: Crawler) -> timedelta:
    """By how much a rehearsal's clock is ahead of the machine's: CLOCK_AHEAD, with `-a dev=1` only."""
    return timedelta(seconds=crawler.settings.getfloat("CLOCK_AHEAD") if is_dev(crawler.spider) else 0.0)


def now() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


def check(engine: Engine, when: datetime, rehearsed: timedelta, *, most_days: float, trusted: bool) -> None:
    """Raises ClockWrong for a clock that cannot be right; with `-a clock=trust` logs what that risks instead.

    when: the time that the run would be dated with. rehearsed: the part of it by which a rehearsal is ahead.
    """
    try:
        clock.check(engine, when, machine=when - rehearsed, most=timedelta(days=most_days))
    except ClockWrong as wrong:
        if not trusted:
            raise
        logger.warning("%s; clock=trust: %s", wrong, clock.RISK)
