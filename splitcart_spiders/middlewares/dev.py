"""In dev every request goes to the sandbox; only this middleware depends on that."""

from typing import Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.settings import BaseSettings

from splitcart_spiders.middlewares import chain_of, is_dev

DEFAULT_BASE_URL = "http://127.0.0.1:8000"


def base_url_of(settings: BaseSettings) -> str:
    """DEV_BASE_URL, where the sandbox listens."""
    return settings.get("DEV_BASE_URL") or DEFAULT_BASE_URL


def dev_url(url: str, base_url: str, chain: str) -> str:
    """The URL of `url` in dev: base_url/<chain> and the same path and query. A URL of the sandbox stays as it is."""
    if is_under(url, base_url):
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base_url.rstrip('/')}/{chain}{parts.path or '/'}{query}"


def is_under(url: str, base_url: str) -> bool:
    """Whether a URL is one of the sandbox."""
    return url.startswith(base_url.rstrip("/") + "/")


class DevMiddleware:
    """Downloads the sandbox's copy of each URL; the request and the response keep the real URL.

    The last middleware: cookies, robots.txt and rates are kept by the real host, so two chains on one sandbox share
    none of them.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not is_dev(crawler.spider):
            raise NotConfigured
        self.crawler = crawler
        self.base_url = base_url_of(crawler.settings)
        self.chain = chain_of(crawler.spider)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> Response:
        """The sandbox's answer under the real URL; raises what the download raises."""
        assert self.crawler.engine is not None
        copy = request.replace(url=dev_url(request.url, self.base_url, self.chain))
        copy.meta.pop("proxy", None)
        try:
            response = await self.crawler.engine.downloader.handlers.download_request_async(copy)
        finally:
            request.meta.update(copy.meta)
        return response.replace(url=request.url)
