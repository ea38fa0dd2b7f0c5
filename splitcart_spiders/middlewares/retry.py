"""Retries requests with growing delays, and raises what went wrong after the last retry."""

import logging
import random
from collections.abc import Callable
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object
from twisted.internet.error import ConnectError

from splitcart_spiders.errors import BlockedError, CatalogueError, CrawlError, NetworkDown
from splitcart_spiders.middlewares import ROBOTS_META, host_of
from splitcart_spiders.middlewares.blocks import is_html
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.middlewares.host_rate import HostRate

logger = logging.getLogger(__name__)

LONGEST_BACKOFF = 60.0
"""Seconds before the jitter, which adds up to a half."""
REACHED = "splitcart_reached"
"""Meta key: a byte came from the host in one of the tries of a request."""
NOT_CONNECTED = (CannotResolveHostError, DownloadConnectionRefusedError, ConnectError)
"""Errors of a host that was not reached: its name was not resolved, or no connection was made."""


class RetryMiddleware:
    """Retries server errors, throttling, timeouts, broken connections and pages where JSON is due.

    After RETRY_TIMES the errback receives NetworkDown (gate shut) if no try of the request got a byte from the host,
    BlockedError (gate shut) for 429, CatalogueError for everything else. A host that lets a request time out but has
    answered others does not mean that the network is down.
    """

    def __init__(self, crawler: Crawler, clock: Clock | None = None, draw: Callable[[], float] = random.random) -> None:
        self.crawler = crawler
        self.gate = Gate.of(crawler)
        self.rate = HostRate.of(crawler)
        self.clock = clock or self.rate.clock
        self.draw = draw
        self.backoff = crawler.settings.getfloat("RETRY_BACKOFF", 2.0)
        self.codes = {int(code) for code in crawler.settings.getlist("RETRY_HTTP_CODES")}
        self.exceptions = exceptions_of(crawler.settings)
        self._answered: set[str] = set()
        crawler.signals.connect(self.reached, signal=signals.headers_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def reached(self, request: Request) -> None:
        """Note that the head of a response came, even if its body fails."""
        request.meta[REACHED] = True

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """The response, or a later try; raises the error that remains."""
        request.meta[REACHED] = True
        self._answered.add(host_of(request))
        why = self._wrong(request, response)
        if why is None or request.meta.get("dont_retry"):
            # A spider may send the request again: that one has retries of its own.
            request.meta.pop("retry_times", None)
            request.meta.pop(REACHED)
            return response
        again = await self._again(request, why, pause_host=response.status == 429)
        if again is not None:
            return again
        if request.meta.get(ROBOTS_META):
            return response
        error = self._end(request, BlockedError if response.status == 429 else CatalogueError, why)
        if isinstance(error, CatalogueError) and response.status in self.codes:
            error.status = response.status
        raise error

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """A later try, or None for an exception that is not retried; raises the error that remains."""
        if not isinstance(exception, self.exceptions) or request.meta.get("dont_retry"):
            return None
        again = await self._again(request, type(exception).__name__)
        if again is not None:
            return again
        if request.meta.get(ROBOTS_META) and not isinstance(exception, NOT_CONNECTED):
            return None
        kind = NetworkDown if self._silent(request, exception) else CatalogueError
        raise self._end(request, kind, f"failed ({type(exception).__name__}: {exception})") from exception

    def _silent(self, request: Request, exception: Exception) -> bool:
        if request.meta.get(REACHED) or isinstance(exception, ResponseDataLossError):
            return False
        return not (isinstance(exception, DownloadTimeoutError) and host_of(request) in self._answered)

    def _wrong(self, request: Request, response: Response) -> str | None:
        if response.status in self.codes:
            return f"answered {response.status}"
        if request.meta.get(ROBOTS_META) or request.meta.get("expects") != "json" or response.status != 200:
            return None
        return "answered with a page where JSON is due" if is_html(response.body) else None

    async def _again(self, request: Request, why: str, *, pause_host: bool = False) -> Request | None:
        """The next try, after its back-off; None after the last one. Raises GateShut when the crawl has ended."""
        assert self.crawler.spider is not None
        again = get_retry_request(
            request,
            spider=self.crawler.spider,
            reason=why,
            # Before other requests: whether the network is down should be known soon.
            priority_adjust=1,
            logger=logger,
            stats_base_key="splitcart/retry",
        )
        if again is None:
            return None
        wait = self.wait(again.meta["retry_times"])
        if pause_host:
            self.rate.pause(host_of(request), wait)
        await self.gate.sleep(self.clock, wait)
        return again

    def wait(self, retry: int) -> float:
        """Seconds before retry 1, 2, ...: RETRY_BACKOFF, doubled each time, at most 60, and up to a half more."""
        return min(self.backoff * 2 ** (retry - 1), LONGEST_BACKOFF) * (1 + self.draw() / 2)

    def _end(self, request: Request, kind: type[CrawlError], why: str) -> CrawlError:
        tries = request.meta.get("retry_times", 0) + 1
        error = kind(f"{request.method} {request.url} {why}; tried {tries} times.")
        if kind is not CatalogueError:
            self.gate.shut(error)
        return error


def exceptions_of(settings: BaseSettings) -> tuple[type[Exception], ...]:
    """RETRY_EXCEPTIONS as classes."""
    return tuple(load_object(each) if isinstance(each, str) else each for each in settings.getlist("RETRY_EXCEPTIONS"))
