"""Scrapy's downloader, which also breaks off downloads that are of no use any more."""

from scrapy import Request
from scrapy.core.downloader import Downloader
from scrapy.crawler import Crawler
from scrapy.http import Response

from splitcart_spiders.middlewares.gate import Gate


class GatedDownloader(Downloader):
    """Breaks downloads off when the run has lost its store: otherwise the close waits for the slowest answer.

    It wraps the handlers, because every download passes there, those of the dev middleware too.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        gate, download = Gate.of(crawler), self.handlers.download_request_async

        async def gated(request: Request) -> Response:
            return await gate.unless_broken_off(download(request))

        self.handlers.download_request_async = gated  # type: ignore[method-assign]
