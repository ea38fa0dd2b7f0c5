"""How the crawl behaves on the wire: what it may send, when it stops, and where requests go in dev."""

from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached

from splitcart_spiders.arguments import is_yes
from splitcart_spiders.storefront import StorefrontSpider

ROBOTS_META = "splitcart_robots"
"""Meta key of a robots.txt request: never judged by robots.txt, by the block pages or by the retries' verdicts."""
DEFAULT_PORTS = {"http": ":80", "https": ":443"}

ORDER: dict[str, int | None] = {
    # Replaced by ours, which handle Crawl-delay, Retry-After, back-off and networks that are down.
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    # Replaced by ours at the same place, which fetches no list from the internet.
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "splitcart_spiders.middlewares.cookies.CookiesMiddleware": 700,
    # Replaced by ours at the same place, which compares scheme, name and port of each host.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "splitcart_spiders.middlewares.hosts.HostsMiddleware": 50,
    # Replaced by ours at the same place, which names a redirect that leaves the hosts.
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "splitcart_spiders.middlewares.hosts.RedirectMiddleware": 600,
    # A page with a meta refresh is an ordinary page.
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    # First on the way out: once the crawl is over no other middleware handles a request.
    "splitcart_spiders.middlewares.gate.GateMiddleware": 40,
    # Before cookies and slots: what robots.txt forbids costs nothing.
    "splitcart_spiders.middlewares.robots.RobotsMiddleware": 100,
    # Sees an answer after BlocksMiddleware has judged it: a denied request is never retried.
    "splitcart_spiders.middlewares.retry.RetryMiddleware": 550,
    # On the way back after decompression (590) and redirects (600): judges the page that a shopper would see.
    "splitcart_spiders.middlewares.blocks.BlocksMiddleware": 585,
    # The sender: after the cache (900), so that only what leaves waits for its turn.
    "splitcart_spiders.middlewares.host_rate.HostRateMiddleware": 980,
    # Last: everything above sees real URLs, cookies included.
    "splitcart_spiders.middlewares.dev.DevMiddleware": 990,
}
"""The setting DOWNLOADER_MIDDLEWARES: every number with its reason."""

SPIDER_ORDER: dict[str, int | None] = {
    # Must see the first requests.
    "splitcart_spiders.middlewares.hosts.FirstRequestsMiddleware": 100,
}
"""The setting SPIDER_MIDDLEWARES."""


def manners_on(settings: BaseSettings, *, dev: bool) -> bool:
    """Whether robots.txt and HOST_RATE hold: always outside dev, in dev with POLITE=1."""
    return not dev or settings.getbool("POLITE")


def is_dev(spider: Spider | None) -> bool:
    """Whether the spider was started with `-a dev=1`."""
    if isinstance(spider, StorefrontSpider):
        return spider.dev
    return spider is not None and is_yes(vars(spider).get("dev"))  # Scrapy keeps any spider's arguments as attributes


def chain_of(spider: Spider | None) -> str:
    """The slug of the spider's chain; of another spider the first part of its name, `woolworths` of `woolworths_x`."""
    if isinstance(spider, StorefrontSpider):
        return spider.chain.SLUG
    return spider.name.partition("_")[0] if spider is not None else ""


def host_of(request: Request) -> str:
    """The host of a request, with its port unless that is the scheme's own: the key by which manners are kept."""
    parts = urlparse_cached(request)
    return parts.netloc.rpartition("@")[2].casefold().removesuffix(DEFAULT_PORTS.get(parts.scheme, ":"))


def origin(url: str) -> str:
    """Scheme, host and port of a URL, the scheme's own port left out: equal for URLs of one site.

    Empty if they cannot be read. User info is kept, so that it makes another origin.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not (parts.scheme and parts.netloc.isascii()):
        return ""
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ':'))}"
