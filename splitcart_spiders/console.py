"""What a crawl shows by default: its own lines, plainly, and on a terminal one that is rewritten.

With a log level on the command line (`-L`, LOG_LEVEL) it shows what Scrapy shows; a log file has all of it.
"""

import logging
import shutil
from typing import TextIO

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings
from scrapy.utils.log import get_scrapy_root_handler

from splitcart_spiders.extensions.progress import LIVE

CHATTER = (
    "scrapy.utils.log", "scrapy.addons", "scrapy.middleware", "scrapy.crawler", "scrapy.core.engine",
    "scrapy.extensions.feedexport", "scrapy.statscollectors",
)  # fmt: skip
"""Loggers whose lines below WARNING are of no use to a person who watches a crawl."""
MIGRATIONS = "alembic"
PROJECT = 20
"""Priority of the project's own settings; a higher one means that the operator set it."""
WIDEST = 240


def was_asked_for(settings: BaseSettings, name: str) -> bool:
    """Whether the operator gave the setting, on the command line or for this spider."""
    return (settings.getpriority(name) or 0) > PROJECT


def is_plain(settings: BaseSettings) -> bool:
    """Whether the crawl shows its own lines only."""
    return not was_asked_for(settings, "LOG_LEVEL") and not settings.get("LOG_FILE")


def prepare(settings: BaseSettings, stream: TextIO) -> None:
    """Hide other loggers' lines, before Scrapy logs its first. stream: where the log goes."""
    if not was_asked_for(settings, "LOG_LEVEL"):
        logging.getLogger(MIGRATIONS).setLevel(logging.WARNING)
    if not is_plain(settings):
        return
    for name in CHATTER:  # a filter, because Scrapy sets the levels of its loggers again
        logging.getLogger(name).addFilter(is_loud)
    live = stream.isatty()
    wanted = {
        "LOG_FORMAT": "%(asctime)s %(sign)s%(message)s",
        "LOG_DATEFORMAT": "%H:%M:%S" if live else "%Y-%m-%d %H:%M:%S",
    } | ({"PROGRESS_SECONDS": 1} if live else {})
    for name, value in wanted.items():
        if not was_asked_for(settings, name):
            settings.set(name, value, priority="cmdline")


def is_loud(record: logging.LogRecord) -> bool:
    """Whether a record is a warning or an error."""
    return record.levelno >= logging.WARNING


class LiveLine:
    """On a terminal, writes each report over the one before it; any other record takes its place."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.handler: logging.StreamHandler[TextIO] | None = None
        # Scrapy makes a new handler while a crawler starts.
        crawler.signals.connect(self.started, signal=signals.engine_started)

    def started(self) -> None:
        """Filter what Scrapy's handler writes, if it writes to a terminal."""
        handler = get_scrapy_root_handler()
        if is_plain(self.crawler.settings) and type(handler) is logging.StreamHandler and handler.stream.isatty():
            self.handler = handler
            handler.addFilter(self.show)

    def show(self, record: logging.LogRecord) -> bool:
        """False for a report, which is written here instead."""
        assert self.handler is not None
        live = all(getattr(record, name, None) == value for name, value in LIVE.items())
        width = min(WIDEST, shutil.get_terminal_size().columns) - 1
        self.handler.stream.write(f"\r\x1b[2K{self.handler.format(record)[:width] if live else ''}")
        self.handler.flush()
        return not live
