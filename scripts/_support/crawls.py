"""Crawls as production starts them, each as its own process, against a sandbox."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from splitcart_spiders.crawl.chain_spider import ChainSpider

ROOT = Path(__file__).resolve().parents[2]


def product_spiders() -> dict[str, type[ChainSpider]]:
    """The product spiders: name -> class, in the order of names."""
    settings = Settings()
    settings.setmodule("splitcart_spiders.settings")
    loader = SpiderLoader.from_settings(settings)
    loaded = {name: loader.load(name) for name in sorted(loader.list())}
    return {name: spider for name, spider in loaded.items() if issubclass(spider, ChainSpider)}


def start(
    chain: str,
    store_code: str,
    *,
    database: str,
    sandbox: str,
    log: Path,
    program: Sequence[str] = ("-m", "scrapy"),
    options: Sequence[str] = (),
    largest_file: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `scrapy crawl CHAIN -a store=CODE -a dev=1 OPTIONS`; the rest as `spawn` takes it."""
    arguments = (chain, "-a", f"store={store_code}", "-a", "dev=1", *options)
    return spawn(arguments, database=database, sandbox=sandbox, log=log, program=program, largest_file=largest_file)


def spawn(
    arguments: Sequence[str],
    *,
    database: str,
    sandbox: str,
    log: Path,
    program: Sequence[str] = ("-m", "scrapy"),
    largest_file: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `scrapy crawl ARGUMENTS` in the checkout; both of its output streams go to the file `log`.

    database, sandbox: its DATABASE_URL and DEV_BASE_URL. program: what Python runs instead of Scrapy.
    largest_file: bytes beyond which no file of the process may grow.
    """
    environ = os.environ | {"DATABASE_URL": database, "DEV_BASE_URL": sandbox}

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, *program, "crawl", *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            preexec_fn=limit if largest_file is not None else None,
        )
