"""A crawl stays on the hosts that its spider names; an answer that leads to another one ends it."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware as ScrapyRedirect
from scrapy.http import Response

from splitcart_spiders.errors import LeftHosts
from splitcart_spiders.middlewares import ROBOTS_META, chain_of, is_dev, origin
from splitcart_spiders.middlewares.dev import base_url_of, is_under
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.shared import Shared
from splitcart_spiders.storefront import StorefrontSpider

FOLLOWED = frozenset({301, 302, 303, 307, 308})


class Hosts:
    """The origins that a crawl may ask: scheme, host and port. One per crawler: `Hosts.of(crawler)`.

    The spider's own code names them: its `hosts`, and its first requests. Outside dev they are https only; in dev the
    sandbox's copy of the chain is one of them.
    """

    def __init__(self, named: Iterable[str] = (), *, sandbox: str | None = None) -> None:
        self.sandbox = sandbox
        """The URL of the chain's copy; None outside dev."""
        self.origins: set[str] = set()
        for host in named:
            self.name(f"https://{host}")

    @classmethod
    def of(cls, crawler: Crawler) -> "Hosts":
        """The crawler's own, made from its spider on first use."""
        return Shared.of(crawler).one(cls, lambda: cls._made(crawler))

    @classmethod
    def _made(cls, crawler: Crawler) -> "Hosts":
        spider = crawler.spider
        sandbox = f"{base_url_of(crawler.settings).rstrip('/')}/{chain_of(spider)}" if is_dev(spider) else None
        return cls(spider.hosts if isinstance(spider, StorefrontSpider) else (), sandbox=sandbox)

    def name(self, url: str) -> None:
        """Allow the origin of a URL of the spider's own code; http in dev only."""
        if (url.startswith("https://") or self.sandbox) and (allowed := origin(url)):
            self.origins.add(allowed)

    def allow(self, url: str) -> bool:
        """Whether a URL may be asked."""
        return origin(url) in self.origins or bool(self.sandbox and is_under(url, self.sandbox))

    def error(self, begun: str, led_to: str) -> LeftHosts:
        """The error for `begun`, an allowed address, that led to another one."""
        own = ", ".join(sorted(self.origins)) or "none over https"
        return LeftHosts(f"{begun:.500} leads to {led_to:.500}, which is not one of this chain's hosts ({own}).")


class FirstRequestsMiddleware:
    """Allows the hosts of a spider's first requests: no answer has been read by then."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Hosts.of(crawler))

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Every request and item, unchanged."""
        async for each in start:
            if isinstance(each, Request):
                self.hosts.name(each.url)
            yield each


class HostsMiddleware:
    """Refuses requests to any other host."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Hosts.of(crawler))

    def process_request(self, request: Request) -> None:
        """Raises LeftHosts, which ends the crawl."""
        if not self.hosts.allow(request.url):
            begun = (request.headers.get("Referer") or b"the spider").decode("latin-1")
            raise self.hosts.error(begun, request.url)


class RedirectMiddleware(ScrapyRedirect):
    """Follows redirects to allowed hosts, at most REDIRECT_MAX_TIMES; any other ends the crawl, naming both addresses.

    A redirect of a robots.txt is left to RobotsMiddleware.
    """

    crawler: Crawler

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """The response, or the request that it redirects to; raises LeftHosts."""
        if response.status not in FOLLOWED or "Location" not in response.headers:
            return response
        try:
            followed = super().process_response(request, response)
        except ValueError:  # no address at all
            followed = response
        hosts = Hosts.of(self.crawler)
        if isinstance(followed, Request) and hosts.allow(followed.url):
            return followed
        location = (response.headers.get("Location") or b"").decode("latin-1")
        target = followed.url if isinstance(followed, Request) else repr(location)
        error = hosts.error(f"{request.method} {request.url}", target)
        if not request.meta.get(ROBOTS_META):
            Gate.of(self.crawler).shut(error)
        raise error
