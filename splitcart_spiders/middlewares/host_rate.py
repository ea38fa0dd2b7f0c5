"""The sender: when a request may leave for its host."""

import asyncio
import logging
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.settings import BaseSettings

from splitcart.patterns import Pattern
from splitcart_spiders.errors import BlockedError
from splitcart_spiders.middlewares import host_of, is_dev, manners_on
from splitcart_spiders.middlewares.clock import Clock
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.shared import Shared

logger = logging.getLogger(__name__)

LONGEST_WAIT = 120.0
"""The most seconds that a site may ask us to wait; a longer wait ends the run as blocked."""
MOST_SECONDS = 366 * 86400.0
"""The longest wait, in seconds, that is computed with; a number of any size would not fit into a date."""
SECONDS = Pattern(r"[0-9]+(\.[0-9]*)?", most=20_000)
LATER_YEAR = Pattern(r"\b[A-Z][a-z]{2} [0-9]{5,} [0-9]{2}:", most=20_000)
"""Part of an HTTP date: a year after datetime.max."""
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
HOST_META = "splitcart_host"
"""Meta key of a request under way: the host whose turn it took."""


@dataclass
class Host:
    """The state of one host; times on the monotonic clock."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_sent: float = -math.inf
    not_before: float = -math.inf
    crawl_delay: float = 0.0
    under_way: int = 0
    answered: bool = False
    freed: asyncio.Event = field(default_factory=asyncio.Event)


class HostRate:
    """Spaces the requests of a crawl, host by host. One per crawler: `HostRate.of(crawler)`.

    `rate` is in requests a second and host for the whole fleet, `share` this run's part of it. Without a rate (in dev)
    requests are not spaced, and Crawl-delay and Retry-After are ignored; the limit of requests under way still holds.
    """

    def __init__(self, gate: Gate, rate: float | None, limit: int, clock: Clock | None = None) -> None:
        self.gate = gate
        self.rate = rate
        self.limit = limit
        """Requests that may be under way to a host at once."""
        self.clock = clock or Clock()
        self._share = 1.0
        self._held_until = -math.inf
        self._hosts: dict[str, Host] = {}

    @classmethod
    def of(cls, crawler: Crawler) -> "HostRate":
        """The crawler's own, made from its settings on first use."""
        return Shared.of(crawler).one(cls, lambda: cls._made(crawler))

    @classmethod
    def _made(cls, crawler: Crawler) -> "HostRate":
        polite = manners_on(crawler.settings, dev=is_dev(crawler.spider))
        fleet = rate_of(crawler.settings)
        return cls(Gate.of(crawler), fleet if polite else None, limit_of(crawler.settings))

    @property
    def share(self) -> float:
        """This run's part of the fleet's rate, above 0 and at most 1; heartbeats set it."""
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}: a part of the fleet's rate lies above 0 and at most at 1")
        self._share = share

    def delay(self, host: str) -> float:
        """Seconds between two requests of this run to a host: the larger of HOST_RATE's and the Crawl-delay."""
        if self.rate is None:
            return 0.0
        return max(1 / self.rate, self._of(host).crawl_delay) / self._share

    def crawl_delay(self, host: str, seconds: float) -> None:
        """Obey a Crawl-delay. One longer than 120 s shuts the gate."""
        if seconds > LONGEST_WAIT:
            why = f"robots.txt of {host} asks for {seconds:g} s between requests, more than {LONGEST_WAIT:g} s."
            self.gate.shut(BlockedError(why))
        elif self.rate is not None:
            self._of(host).crawl_delay = max(0.0, seconds)

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to a host for some seconds. More than 120 shut the gate, with an error that names the time."""
        if self.rate is None or seconds <= 0:
            return
        if seconds > LONGEST_WAIT:
            until = self.clock.now() + timedelta(seconds=min(seconds, MOST_SECONDS))
            self.gate.shut(BlockedError(f"{host} asks to be left alone until {until:%Y-%m-%dT%H:%M:%SZ}."))
            return
        logger.info("%s asks for a pause of %.0f s", host, seconds)
        state = self._of(host)
        state.not_before = max(state.not_before, self.clock.monotonic() + seconds)

    def hold(self, seconds: float) -> None:
        """Send nothing to any host for some seconds, so that the fleet makes room for this run."""
        if self.rate is not None:
            self._held_until = self.clock.monotonic() + seconds

    async def take_turn(self, host: str) -> None:
        """Return when a request may leave, in order of arrival; raises GateShut when the crawl has ended."""
        state = self._of(host)
        async with state.turn:
            while (wait := self._wait(host)) > 0 or state.under_way >= self._room(state):
                if wait > 0:
                    await self.gate.sleep(self.clock, wait)
                else:
                    state.freed.clear()
                    await state.freed.wait()
            self.gate.check()
            state.last_sent = self.clock.monotonic()
            state.under_way += 1

    def give_back(self, host: str) -> None:
        """Note that a request that took its turn has been answered or has failed."""
        state = self._of(host)
        state.under_way -= 1
        if not state.answered:
            # Opening the connection delayed the first request: the delay counts from its answer.
            state.answered = True
            state.last_sent = self.clock.monotonic()
        state.freed.set()

    def _wait(self, host: str) -> float:
        state = self._of(host)
        ready = max(state.last_sent + self.delay(host), state.not_before, self._held_until)
        return ready - self.clock.monotonic()

    def _room(self, state: Host) -> int:
        return self.limit if state.answered or self.rate is None else 1

    def _of(self, host: str) -> Host:
        return self._hosts.setdefault(host, Host())


class HostRateMiddleware:
    """Holds each request until its turn has come, and obeys Retry-After of 429 and 503."""

    def __init__(self, rate: HostRate) -> None:
        self.rate = rate

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(HostRate.of(crawler))

    async def process_request(self, request: Request) -> None:
        """Wait for the turn; raises GateShut when the crawl has ended meanwhile."""
        host = host_of(request)
        await self.rate.take_turn(host)
        request.meta[HOST_META] = host
        # Scrapy's own slots are by host too, also in dev and after a redirect, and add no wait.
        request.meta["download_slot"] = host

    def process_response(self, request: Request, response: Response) -> Response:
        """The response as it came."""
        host = self._give_back(request)
        if host and response.status in (429, 503):
            seconds = retry_after(response, self.rate.clock.now())
            if seconds is not None:
                self.rate.pause(host, seconds)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """End the turn of a request that failed."""
        self._give_back(request)

    def _give_back(self, request: Request) -> str | None:
        host: str | None = request.meta.pop(HOST_META, None)
        if host is not None:
            self.rate.give_back(host)
        return host


def retry_after(response: Response, now: datetime) -> float | None:
    """Seconds that Retry-After asks to wait, from seconds or an HTTP date; None if it cannot be read.

    At most MOST_SECONDS; the longest if there are several. A date is compared with the answer's own Date if it has one:
    the site's clock need not agree with ours.
    """
    answered = http_date((response.headers.get("Date") or b"").decode("latin-1")) or now
    waits = [_seconds(value.decode("latin-1").strip(), answered) for value in response.headers.getlist("Retry-After")]
    return max((min(seconds, MOST_SECONDS) for seconds in waits if seconds is not None), default=None)


def _seconds(text: str, answered: datetime) -> float | None:
    if SECONDS.fullmatch(text):
        return float(text)
    until = http_date(text)
    return None if until is None else (until - answered).total_seconds()


def http_date(text: str) -> datetime | None:
    """An HTTP date in UTC, None for anything else; LAST_MOMENT for a later date."""
    try:
        when = parsedate_to_datetime(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:
        return LAST_MOMENT
    except (ValueError, TypeError, IndexError):
        return LAST_MOMENT if LATER_YEAR.search(text) else None


def rate_of(settings: BaseSettings) -> float:
    """HOST_RATE; raises ValueError unless it is a number above 0."""
    rate = settings.getfloat("HOST_RATE", 1.0)
    if not 0 < rate < math.inf:
        raise ValueError(f"HOST_RATE is {rate}: a number of requests a second above 0 is wanted, for example 1")
    return rate


def limit_of(settings: BaseSettings) -> int:
    """Requests under way to a host at once: HOST_IN_FLIGHT, or less if Scrapy's own limits are lower."""
    names = ("CONCURRENT_REQUESTS_PER_DOMAIN", "CONCURRENT_REQUESTS_PER_IP")
    limits = [settings.getint(name) for name in names if settings.getint(name) > 0]
    return max(1, min([settings.getint("HOST_IN_FLIGHT", 2), *limits]))
