"""Crawls as production starts them, each a process of its own, pointed at a sandbox."""

import os
import subprocess
import sys
from pathlib import Path

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from splitcart_spiders.chain_spider import ChainSpider

ROOT = Path(__file__).resolve().parents[1]


def product_spiders() -> list[str]:
    """The chains that have a product spider, by name."""
    settings = Settings()
    settings.setmodule("splitcart_spiders.settings")
    loader = SpiderLoader.from_settings(settings)
    return sorted(name for name in loader.list() if issubclass(loader.load(name), ChainSpider))


def start(chain: str, store_id: str, *, database: str, sandbox: str, log: Path) -> subprocess.Popen[bytes]:
    """Starts `scrapy crawl CHAIN -a store=ID -a dev=1` with its log in a file."""
    arguments = ["crawl", chain, "-a", f"store={store_id}", "-a", "dev=1"]
    environ = os.environ | {"DATABASE_URL": database, "DEV_BASE_URL": sandbox}
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "scrapy", *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
