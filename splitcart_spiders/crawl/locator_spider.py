"""The base of every locator: it finds a chain's stores, and records which of its requests were not answered."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import fields as fields_of
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from splitcart.cleaning import readable
from splitcart.patterns import Pattern
from splitcart.runs.verdict import EVERY_STORE
from splitcart.timezones import postcode, state_code, state_of, zone_called, zone_for
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.answers import decoded, describe
from splitcart_spiders.errors import CatalogueError, ends_crawl
from splitcart_spiders.items import StoreItem
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.storefront import StorefrontSpider

logger = logging.getLogger(__name__)

# South, north, west, east of where Australians live, in degrees; a locator by coordinates covers these with cells.
LAND = (
    (-44.0, -24.0, 138.0, 154.0),
    (-36.0, -24.0, 113.0, 122.0),
    (-36.0, -30.0, 122.0, 138.0),
    (-24.0, -10.0, 113.0, 154.0),
)
MOST_REQUESTS = 5_000
"""The most requests of one run; the longest makes some 2,000."""
_DEGREES = Pattern(r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,30})?", most=40)


class LocatorSpider(StorefrontSpider):
    """One run finds every store of a chain. It is complete when each of its requests was answered."""

    store_code = EVERY_STORE
    """A locator's requests belong to no store."""

    def __init__(self, dev: str | None = None, clock: str | None = None, **kwargs: Any) -> None:
        super().__init__(dev=dev, clock=clock, **kwargs)
        self.requests = 0
        """Requests made so far."""
        self.unanswered: list[str] = []
        """Failures of requests that were not answered; empty if the run is complete."""

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        settings.set("FEED_EXPORT_FIELDS", [field.name for field in fields_of(StoreItem)], priority="spider")

    def first_requests(self) -> Iterable[Request]:
        """The requests with which the chain's locator begins."""
        raise NotImplementedError(f"{type(self).__name__} must define the first requests of its locator")

    async def start(self) -> AsyncIterator[Request]:
        """Send the first requests."""
        for request in self.first_requests():
            yield request

    def ask(self, url: str, callback: Callable[..., Any], *, expects: str = "json", **kwargs: Any) -> Request:
        """One locator request: its own errback; `callback` may raise CatalogueError for an answer without stores.

        Raises CatalogueError beyond MOST_REQUESTS: no chain has that many stores, but an answer may name them.
        """
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise CatalogueError(f"{self.name} would ask {url} after {MOST_REQUESTS} others: its answers name no end")
        kwargs.setdefault("cb_kwargs", {})
        meta = {"store": self.store_code, "expects": expects, "kind": "session"}
        return Request(
            url,
            callback=self.on_answer,
            errback=self.on_error,
            dont_filter=True,
            meta=meta | {"then": callback},
            **kwargs,
        )

    def on_answer(self, response: Response, **kwargs: Any) -> Iterator[Request | StoreItem]:
        """Pass the answer to its reader; an impossible answer leaves the run incomplete."""
        try:
            yield from response.meta["then"](response, **kwargs)
        except CatalogueError as error:
            self.unanswered.append(str(error))
            logger.error("%s", error)

    def on_error(self, failure: Failure) -> None:
        """Every request's errback."""
        if ends_crawl(failure.value):
            Gate.of(self.crawler).shut(failure.value)
        else:
            self.unanswered.append(describe(failure))

    def decoded(self, response: Response) -> Any:
        """The JSON body; raises CatalogueError for anything else."""
        return decoded(response)

    def store(self, store_code: object, **values: Any) -> Iterator[StoreItem]:
        """The item of one store, if it has an id. An unknown state is derived from the postcode, and the time zone from
        both unless an IANA name is given."""
        known = fields.code(store_code)
        if known is None:
            self.crawler.stats.inc_value("splitcart/locator/no_id")
            return
        columns = {
            name: text(value) for name, value in values.items() if name not in ("latitude", "longitude", "is_online")
        }
        columns.pop("postcode", None)
        code = postcode(values.get("postcode"))
        state = state_code(columns.pop("state", None)) or state_of(code)
        zone = zone_called(columns.pop("timezone", None)) or zone_for(state, code)
        name = columns.pop("store_name", None) or columns.get("suburb") or known
        latitude, longitude = self.place(values.get("latitude"), values.get("longitude"))
        yield StoreItem(
            company=self.chain.COMPANY,
            store_id=known,
            store_name=name,
            state=state,
            postcode=code,
            timezone=zone,
            latitude=latitude,
            longitude=longitude,
            is_online=bool(values.get("is_online", True)),
            **columns,
        )

    def place(self, latitude: object, longitude: object) -> tuple[float | None, float | None]:
        """Latitude and longitude in degrees; (None, None) if they are not a place, counted unless both are null."""
        north, east = degrees(latitude, 90), degrees(longitude, 180)
        if north is not None and east is not None:
            return north, east
        if latitude not in (None, "") or longitude not in (None, ""):
            self.crawler.stats.inc_value("splitcart/locator/no_place")
        return None, None


def text(value: object) -> str | None:
    """A trimmed text of at most 200 characters, without markup; None for an empty one, N/A or null; numbers become
    texts."""
    cleaned = fields.text(readable(value[:2000]), 200) if isinstance(value, str) else fields.code(value)
    return None if cleaned is None or cleaned.casefold() in ("n/a", "null") else cleaned


def degrees(value: object, limit: int) -> float | None:
    """A coordinate in degrees within plus or minus `limit`; locators send numbers and texts. None for anything else."""
    if isinstance(value, str):
        written = value.strip() if len(value) <= _DEGREES.most else ""
        value = float(written) if _DEGREES.fullmatch(written) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:  # nor NaN
        return None
    return float(value)


def cells(size: float) -> Iterator[tuple[float, float]]:
    """The centres (latitude, longitude) of square cells of `size` degrees that cover where Australians live."""
    seen = set()
    for south, north, west, east in LAND:
        for row in range(int(-(-(north - south) // size))):
            for column in range(int(-(-(east - west) // size))):
                centre = (round(south + (row + 0.5) * size, 4), round(west + (column + 0.5) * size, 4))
                if centre not in seen:
                    seen.add(centre)
                    yield centre
