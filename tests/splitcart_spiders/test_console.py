"""What a crawl shows: its own lines by default, Scrapy's with a log level or a log file."""

import io
import logging
from collections.abc import Iterator

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.utils.log import install_scrapy_root_handler

from splitcart_spiders import console
from splitcart_spiders.extensions.progress import LIVE
from splitcart_spiders.extensions.safe_log import SafeRecord
from splitcart_spiders.spiders.iga import IgaSpider


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Takes back what is done to loggers, which are the process's own."""
    names = (*console.CHATTER, console.MIGRATIONS)
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    for logger, was in before:
        logger.setLevel(was)
        logger.removeFilter(console.is_loud)
    logging.root.handlers, logging.root.level = handlers, level


def project(**asked: object) -> Settings:
    """The project's settings, with what was asked for on the command line."""
    settings = Settings()
    settings.setmodule("splitcart_spiders.settings")
    settings.setdict(asked, "cmdline")
    return settings


def shows(name: str, level: int) -> bool:
    """Whether a logger lets a record of that level through."""
    logger = logging.getLogger(name)
    limit = max(logger.level, logging.getLogger(name.partition(".")[0]).level)
    return limit <= level and bool(logger.filter(SafeRecord(name, level, "", 1, "m", (), None)))


def test_without_a_wish_scrapys_chatter_and_the_migrations_are_silent_and_their_warnings_are_not():
    console.prepare(project(), io.StringIO())
    for name in (*console.CHATTER, "alembic.runtime.plugins"):
        assert not shows(name, logging.INFO)
        assert shows(name, logging.WARNING)


@pytest.mark.parametrize("asked", [{"LOG_LEVEL": "INFO"}, {"LOG_LEVEL": "DEBUG"}, {"LOG_FILE": "job.log"}])
def test_a_log_level_or_a_log_file_shows_scrapys_lines_in_scrapys_format(asked):
    settings = project(**asked)
    console.prepare(settings, Terminal())
    assert all(shows(name, logging.INFO) for name in console.CHATTER)
    assert settings["LOG_FORMAT"] == Settings()["LOG_FORMAT"]
    assert settings["PROGRESS_SECONDS"] == 10


def test_a_form_or_an_interval_that_was_asked_for_stands():
    settings = project(LOG_FORMAT="%(message)s", PROGRESS_SECONDS="5")
    console.prepare(settings, Terminal())
    assert (settings["LOG_FORMAT"], settings["PROGRESS_SECONDS"]) == ("%(message)s", "5")


def test_a_plain_line_names_its_level_only_where_something_is_wrong():
    settings = project()
    console.prepare(settings, io.StringIO())
    form = logging.Formatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"])
    lines = [form.format(SafeRecord("a", level, "", 1, "m", (), None))[20:] for level in (20, 30, 40)]
    assert lines == ["m", "WARNING: m", "ERROR: m"]


def test_on_a_terminal_a_report_takes_the_place_of_the_one_before(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    settings = project()
    console.prepare(settings, stream)
    install_scrapy_root_handler(settings)
    crawler = Crawler(IgaSpider, settings)
    line = console.LiveLine(crawler)
    line.started()
    for message, extra in (("one " * 20, LIVE), ("two", LIVE), ("done", None)):
        record = SafeRecord("a", logging.INFO, "", 1, message, (), None)
        record.__dict__.update(extra or {})
        line.handler.handle(record)
    first, second, last = stream.getvalue().removeprefix("\r\x1b[2K").split("\r\x1b[2K")
    assert len(first) == 39
    assert second.endswith(" two")
    assert last.endswith(" done\n")
    assert settings["PROGRESS_SECONDS"] == 1


def test_without_a_terminal_every_report_is_a_line(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    settings = project()
    console.prepare(settings, stream)
    install_scrapy_root_handler(settings)
    line = console.LiveLine(Crawler(IgaSpider, settings))
    line.started()
    assert line.handler is None
