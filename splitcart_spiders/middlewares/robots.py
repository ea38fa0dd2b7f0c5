"""Obeys the robots.txt of every host: it is read before any other request to that host."""

import asyncio
import logging
from typing import Self

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from splitcart.patterns import Pattern
from splitcart_spiders.errors import BlockedError, CertificateRefused, CrawlError, LeftHosts, NetworkDown
from splitcart_spiders.middlewares import ROBOTS_META, host_of, is_dev, manners_on
from splitcart_spiders.middlewares.blocks import block_reason
from splitcart_spiders.middlewares.gate import Gate, GateShut
from splitcart_spiders.middlewares.host_rate import HostRate

logger = logging.getLogger(__name__)

PRIORITY = 1000
MAX_BYTES = 512 * 1024
"""Bytes read of a robots.txt; RFC 9309 asks for 500 KiB at least."""
ABSENT = frozenset({404, 410})
"""No robots.txt: everything is allowed."""

LONG_DELAY = Pattern(r"(?im)^([ \t]*crawl-delay[ \t]*:[ \t]*[0-9]{9})[0-9]+", most=512 * 1024)


class Disallowed(IgnoreRequest):
    """robots.txt disallows the URL. Passed to the errback of the request, whose category has failed."""


class RobotsMiddleware:
    """Refuses what robots.txt disallows for our User-Agent, and passes its Crawl-delay to HostRate.

    A robots.txt that is denied, a block page or unavailable ends the crawl, unless ROBOTS_UNAVAILABLE=allow.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not manners_on(crawler.settings, dev=is_dev(crawler.spider)):
            raise NotConfigured  # in dev without POLITE=1
        self.crawler = crawler
        self.gate = Gate.of(crawler)
        self.rate = HostRate.of(crawler)
        self.allow_unavailable = crawler.settings.get("ROBOTS_UNAVAILABLE") == "allow"
        self.user_agent: str = crawler.settings["USER_AGENT"]
        self._files: dict[str, asyncio.Future[Protego | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises Disallowed, or GateShut when robots.txt ended the crawl."""
        if request.meta.get(ROBOTS_META) or not request.url.startswith("http"):
            return
        rules = await self._rules(request)
        if rules is None or rules.can_fetch(request.url, self.user_agent):
            return
        self._count("disallowed")
        logger.warning("robots.txt of %s disallows %s", host_of(request), request.url)
        raise Disallowed(f"robots.txt of {host_of(request)} disallows {request.url}")

    async def _rules(self, request: Request) -> Protego | None:
        """The host's rules, fetched once; requests wait for them. None: everything is allowed."""
        host = host_of(request)
        if host not in self._files:
            scheme = request.url.partition("://")[0]
            self._files[host] = asyncio.ensure_future(self._fetch(host, f"{scheme}://{host}/robots.txt"))
        return await asyncio.shield(self._files[host])

    async def _fetch(self, host: str, url: str) -> Protego | None:
        meta = {ROBOTS_META: True, "dont_merge_cookies": True, "allow_offsite": True}
        request = Request(url, priority=PRIORITY, meta=meta, callback=NO_CALLBACK)
        assert self.crawler.engine is not None
        try:
            response = await self.crawler.engine.download_async(request)
        except GateShut:
            raise
        except LeftHosts as error:
            self._unavailable(host, f"is elsewhere ({error})", error)
            return None
        except (BlockedError, CertificateRefused, NetworkDown) as error:
            self.gate.shut(error)
            raise GateShut(error) from error
        except Exception as error:  # noqa: BLE001 - whatever came instead of a file, there are no rules
            self._unavailable(host, why(error))
            return None
        return self._read(host, response)

    def _read(self, host: str, response: Response) -> Protego | None:
        self._count(f"status/{response.status}")
        if response.status in ABSENT:
            return None
        owner = block_reason(response.status, response.body)
        if owner is not None or response.status != 200:
            what = f"is denied ({owner}, {response.status})" if owner else f"cannot be had (status {response.status})"
            self._unavailable(host, what)
            return None
        rules = Protego.parse(readable(response.body[:MAX_BYTES].decode("utf-8", "replace")))
        delay = rules.crawl_delay(self.user_agent)
        if delay is not None:
            logger.info("robots.txt of %s asks for %s s between requests", host, delay)
            self.rate.crawl_delay(host, float(delay))
            self.gate.check()
        return rules

    def _unavailable(self, host: str, why: str, error: CrawlError | None = None) -> None:
        """Shut the gate, with `error` if there is one, unless ROBOTS_UNAVAILABLE=allow."""
        self._count("unavailable")
        if self.allow_unavailable:
            logger.warning("robots.txt of %s %s; ROBOTS_UNAVAILABLE=allow crawls nevertheless", host, why)
            return
        error = error or BlockedError(f"robots.txt of {host} {why}. ROBOTS_UNAVAILABLE=allow would crawl nevertheless.")
        self.gate.shut(error)
        raise GateShut(error)

    def _count(self, event: str) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"splitcart/robots/{event}")


def readable(text: str) -> str:
    """The rules, with each Crawl-delay cut to nine digits: the parser ignores one that no float holds."""
    return LONG_DELAY.sub(r"\1", text)


def why(error: Exception) -> str:
    """Why there is no robots.txt, as the end of a sentence about it."""
    if isinstance(error, DownloadCancelledError):
        return "cannot be had (it is larger than DOWNLOAD_MAXSIZE)"
    return f"cannot be had ({type(error).__name__}: {error})"
