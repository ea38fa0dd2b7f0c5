"""With `-a dev=1`: checks once, before the first request, that something listens at DEV_BASE_URL."""

import asyncio
import os
from typing import Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from splitcart_spiders.errors import SandboxMissing
from splitcart_spiders.middlewares import is_dev
from splitcart_spiders.middlewares.dev import base_url_of
from splitcart_spiders.middlewares.gate import Gate

PATIENCE = 5.0
"""Seconds for a connection."""
PORTS = {"http": 80, "https": 443}


class SandboxThereExtension:
    """Ends a crawl whose sandbox does not listen, instead of retrying requests that cannot succeed."""

    def __init__(self, crawler: Crawler) -> None:
        if not is_dev(crawler.spider):
            raise NotConfigured
        self.crawler = crawler
        self.base_url = base_url_of(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        # By then the run is open, and nothing has been sent.
        crawler.signals.connect(extension.started, signal=signals.engine_started)
        return extension

    async def started(self) -> None:
        """Connect, and shut the gate if that fails."""
        place = urlsplit(self.base_url)
        try:
            opening = asyncio.open_connection(place.hostname, place.port or PORTS.get(place.scheme, 80))
            _, writer = await asyncio.wait_for(opening, PATIENCE)
        except OSError as error:
            missing = SandboxMissing(f"There is no sandbox at {self.base_url} ({_why(error)}).")
            Gate.of(self.crawler).shut(missing)
        else:
            writer.close()


def _why(error: OSError) -> str:
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or f"no answer within {PATIENCE:g} s"
