"""A crawl stays on the hosts that its spider names: what an answer says of others is an error, not an address."""

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
    """The origins that a crawl may ask: scheme, host and port. One a crawler: take it by `Hosts.of(crawler)`.

    The spider's own code names them: its `hosts`, and what it begins with. Outside dev that is https alone; in dev the
    sandbox's copy of the chain is the chain's, too.
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
        """Let the crawl ask where a URL is that the spider's own code has; in clear in dev only."""
        if (url.startswith("https://") or self.sandbox) and (found := origin(url)):
            self.origins.add(found)

    def allow(self, url: str) -> bool:
        """Whether a URL is on the hosts."""
        return origin(url) in self.origins or bool(self.sandbox and is_under(url, self.sandbox))

    def error(self, begun: str, led_to: str) -> LeftHosts:
        """That `begun`, an address of ours, led to one that is not."""
        own = ", ".join(sorted(self.origins)) or "none over https"
        return LeftHosts(f"{begun:.500} leads to {led_to:.500}, which is none of this chain's hosts ({own}).")


class FirstRequestsMiddleware:
    """What a spider begins with names hosts: no answer has been read by then."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Hosts.of(crawler))

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Every request as it came."""
        async for each in start:
            if isinstance(each, Request):
                self.hosts.name(each.url)
            yield each


class HostsMiddleware:
    """Sends nothing to any other host, whoever asks for it."""

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
    """Follows redirects on the hosts, at most REDIRECT_MAX_TIMES; any other ends the crawl, naming both addresses.

    That of a robots.txt is for RobotsMiddleware to judge.
    """

    crawler: Crawler

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """The response, or the request that it asks for instead; raises LeftHosts."""
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
        told = followed.url if isinstance(followed, Request) else repr(location)
        error = hosts.error(f"{request.method} {request.url}", told)
        if not request.meta.get(ROBOTS_META):
            Gate.of(self.crawler).shut(error)
        raise error
