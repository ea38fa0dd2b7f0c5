"""What the scripts about the schedule share: its arguments, its settings and its clock."""

import argparse
import os
import socket
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from scrapy.exceptions import UsageError
from scrapy.settings import Settings
from sqlalchemy import Engine, Row

from models.groups.reading import named_companies
from models.runs.leases import Holder
from splitcart.scheduling.rule import POLICIES, Rules
from splitcart_spiders import settings
from splitcart_spiders.limits import check_settings

from .command import Parser, Refused, shown, span, word
from .companies import now


def take_one_company(made: Parser) -> None:
    """Adds --company, which must be given."""
    text = "the company: its name or slug, in any case"
    made.add_argument("--company", metavar="C", type=word, required=True, help=text)


def take_lockout(made: Parser) -> None:
    """Adds --lockout-hours."""
    usual = settings.SCHEDULE_LOCKOUT_HOURS
    text = f"hours for which a store that was handed out is not offered again (default {usual})"
    made.add_argument("--lockout-hours", metavar="H", type=span, default=usual, help=text)


def take_dev(made: Parser) -> None:
    """Adds --dev."""
    text = "crawls ask the sandbox (-a dev=1); the clock is CLOCK_AHEAD seconds ahead, as theirs is"
    made.add_argument("--dev", action="store_true", help=text)


def clock_of(options: argparse.Namespace) -> Callable[[], datetime]:
    """The clock of the crawls: with --dev that of a rehearsal. Raises Refused for an invalid setting."""
    given = Settings()
    given.setmodule(settings)
    try:
        check_settings(given)
    except UsageError as error:
        raise Refused(str(error)) from None
    ahead = timedelta(seconds=float(settings.CLOCK_AHEAD) if options.dev else 0)
    return lambda: now() + ahead


def take_policy(made: Parser) -> None:
    """Adds --policy."""
    text = "oldest (the default): every store in full; groups: anchors in full, members by probes"
    made.add_argument("--policy", metavar="P", type=one_of(POLICIES), default=POLICIES[0], help=text)


def rules_of(options: argparse.Namespace) -> Rules:
    """The rule's settings, from the project's settings and the options."""
    lockout = timedelta(hours=options.lockout_hours)
    return Rules(lockout=lockout, rate=settings.HOST_RATE, policy=options.policy)


def failure_delay() -> timedelta:
    """How long a store waits after a first failure."""
    return timedelta(minutes=settings.SCHEDULE_FAILURE_MINUTES)


def one_company(engine: Engine, name: str) -> Row[Any]:
    """The row of the company of this name or slug. Raises ValueError where there is none."""
    with engine.connect() as connection:
        return named_companies(connection, name)[0]


def holder() -> Holder:
    """This process, as the holder of leases."""
    return Holder(socket.gethostname(), os.getpid())


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """An argument that is one of these words. For argparse's `type`."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"{shown(text)}: one of {', '.join(names)} is wanted")
        return text

    return read


def in_json(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with their times as ISO text."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}


def short(when: datetime | None) -> str:
    """A time for a table or a line; empty where there is none."""
    return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S} UTC"
