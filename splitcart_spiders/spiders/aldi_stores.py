"""The stores of ALDI: service points near the points of a grid, ten a page."""

from collections.abc import Iterator
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import aldi
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.locator_spider import LocatorSpider, cells
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import StoreItem
from splitcart_spiders.spiders.aldi import API, HEADERS, PAST_THE_END

CELL = 1.0
PAGE = 10
MOST_NEAR = 2_000
"""The most stores that are read near one point; the chain has a quarter of that."""


class AldiStoresSpider(LocatorSpider):
    """`scrapy crawl aldi_stores`"""

    name = "aldi_stores"
    chain = aldi

    def first_requests(self) -> Iterator[Request]:
        for latitude, longitude in cells(CELL):
            yield self.near(latitude, longitude, 0)

    def near(self, latitude: float, longitude: float, offset: int) -> Request:
        """Ask for one page of the service points near a point."""
        point = {"latitude": latitude, "longitude": longitude}
        query = point | {
            "serviceType": "walk-in",
            "includeNearbyServicePoints": "true",
            "offset": offset,
            "limit": PAGE,
        }
        return self.ask(
            f"{API}/v2/service-points?{urlencode(query)}",
            self.stores,
            headers=HEADERS,
            cb_kwargs=point | {"offset": offset},
        )

    def stores(
        self, response: Response, latitude: float, longitude: float, offset: int
    ) -> Iterator[StoreItem | Request]:
        """The stores of one page, and the next page if the total promises one."""
        body = self.decoded(response)
        points = body.get("data") if isinstance(body, dict) else None
        if not isinstance(points, list):
            raise CatalogueError(f"{response.url} has no list data")
        for raw in points:
            yield from self.service_point(raw)
        total = fields.whole_number(fields.obj(fields.obj(body.get("meta")).get("pagination")).get("totalCount")) or 0
        reached = offset + len(points)
        if points and reached < min(total, MOST_NEAR) and response.status != PAST_THE_END:
            yield self.near(latitude, longitude, reached)

    def service_point(self, raw: object) -> Iterator[StoreItem]:
        """One service point's address."""
        if not isinstance(raw, dict):
            return
        address = fields.obj(raw.get("address"))
        yield from self.store(
            raw.get("id"),
            locator_id=raw.get("id"),
            store_name=raw.get("name"),
            address_line_1=address.get("address1"),
            suburb=address.get("city"),
            state=address.get("regionIsoCode") or address.get("regionName"),
            postcode=address.get("zipCode"),
            latitude=address.get("latitude"),
            longitude=address.get("longitude"),
        )
