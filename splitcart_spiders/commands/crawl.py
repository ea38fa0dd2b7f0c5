"""`scrapy crawl`: Scrapy's own, with the exit code of the run's outcome. scrapyd runs it too."""

import argparse
import asyncio
import functools
import logging
import sys
from pathlib import Path
from typing import NoReturn

from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from splitcart.printing import visible

logger = logging.getLogger(__name__)

FAILED = 1
HOME = Path(__file__).parents[2]
"""The folder or archive of our packages: the checkout, or scrapyd's egg."""


def put_ours_first() -> None:
    """Make `models` and `pipelines` the project's own: Scrapy and scrapyd put it behind site-packages on sys.path."""
    if sys.path[:1] != [str(HOME)]:
        sys.path.insert(0, str(HOME))


def refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Print the usage, and exit as a failure: argparse's own code, 2, is that of a partial run."""
    parser.print_usage(sys.stderr)
    parser.exit(FAILED, f"{parser.prog}: error: {visible(message)}\n")


class Command(ScrapyCrawl):
    """0 complete, 2 partial, 3 store held by another, 4 blocked, 5 network down, 1 failed."""

    def short_desc(self) -> str:
        return "Crawl one store, for example: scrapy crawl woolworths -a store=1147"

    def long_desc(self) -> str:
        return (
            "Crawl one store (-a store=ID) or find a chain's stores (scrapy crawl woolworths_stores). "
            "Spider arguments: -a dev=1 asks the sandbox at DEV_BASE_URL; "
            "-a categories=a,b and -a probe=8 crawl a part; "
            "-a resume=1 resumes a killed run; -a wait=1 waits for a store that another run holds; "
            "-a unlisted=1 crawls a store that the chain's locator does not list; "
            "-a clock=trust dates the run by a clock that looks wrong. "
            "Exit codes: 0 complete, 2 partial, 3 store held by another, 4 blocked, 5 network down, 1 failed."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.error = functools.partial(refuse, parser)  # type: ignore[method-assign]
        parser.add_argument(
            "--accept-fulfilment",
            action="store_true",
            help="remember that the store which answers fulfils the requested one (writes stores.fulfilled_by)",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        put_ours_first()
        from splitcart_spiders import console  # not in commands, all of which Scrapy loads before ours come first
        from splitcart_spiders.extensions import safe_log

        assert self.settings is not None
        safe_log.install(self.settings.get("DATABASE_URL"))
        console.prepare(self.settings, sys.stderr)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self.exitcode = self.crawl(self.crawler_of(args), opts)
        except UsageError as error:  # Scrapy's own exit code for it, 2, is that of a partial run
            logger.error("%s", error)
            self.exitcode = FAILED

    def crawler_of(self, args: list[str]) -> Crawler:
        """The crawler of the named spider. Raises UsageError."""
        assert self.crawler_process
        known = self.crawler_process.spider_loader.list()
        if unknown := [one for one in args if one.startswith("-")]:
            raise UsageError(f"There is no option {unknown[0]}: see scrapy crawl --help")
        if len(args) != 1:
            raise UsageError("One spider is wanted: scrapy crawl woolworths -a store=1147")
        if args[0] not in known:
            raise UsageError(f"There is no spider {args[0]!r}: one of {', '.join(sorted(known))}")
        return self._create_crawler(args[0])

    def crawl(self, crawler: Crawler, opts: argparse.Namespace) -> int:
        """Crawl, and return the exit code. Raises UsageError if the spider refuses its arguments."""
        assert self.crawler_process
        from splitcart_spiders.console import LiveLine
        from splitcart_spiders.interrupts import Interrupts

        self.watching = Interrupts(crawler), LiveLine(crawler)  # Scrapy's signals hold weak references
        more = {"accept_fulfilment": "1"} if opts.accept_fulfilment else {}
        crawling = self.crawler_process.crawl(crawler, **opts.spargs, **more)
        self.crawler_process.start()
        error = crawling.exception() if isinstance(crawling, asyncio.Task) and crawling.done() else None
        if isinstance(error, UsageError):
            raise error
        if error is not None:
            logger.error("The crawl of %s could not begin", crawler.spidercls.name, exc_info=error)
            return FAILED
        code = crawler.stats.get_value("splitcart/run/exit_code") if crawler.stats else None
        return FAILED if code is None else int(code)
