"""The stores of Coles: the nearest ones to the points of a grid, which is made finer where a response is full."""

from collections.abc import Iterator
from math import cos, hypot, radians
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import coles
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.locator_spider import LocatorSpider, cells, degrees
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import StoreItem

LOCATOR = "https://apigw.coles.com.au/digital/colesweb/v1/stores/search"
SUPERMARKET = 2
NEAREST = 15
CELL = 2.0
SMALLEST = 0.02


class ColesStoresSpider(LocatorSpider):
    """`scrapy crawl coles_stores`"""

    name = "coles_stores"
    chain = coles

    def first_requests(self) -> Iterator[Request]:
        for latitude, longitude in cells(CELL):
            yield self.near(latitude, longitude, CELL)

    def near(self, latitude: float, longitude: float, size: float) -> Request:
        """Ask for the stores nearest to the centre of a cell of `size` degrees."""
        point = {"latitude": latitude, "longitude": longitude, "brandIds": "1,2,3,4,5", "numberOfStores": NEAREST}
        cell = {"latitude": latitude, "longitude": longitude, "size": size}
        return self.ask(f"{LOCATOR}?{urlencode(point)}", self.stores, cb_kwargs=cell)

    def stores(
        self, response: Response, latitude: float, longitude: float, size: float
    ) -> Iterator[StoreItem | Request]:
        """The supermarkets of one answer; four smaller cells if the answer does not reach the corners of this one."""
        body = self.decoded(response)
        rows = body.get("stores") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise CatalogueError(f"{response.url} has no list stores")
        reach = 0.0
        for raw in rows:
            if not isinstance(raw, dict):
                continue
            reach = max(reach, self.distance(raw, latitude, longitude))
            if raw.get("brandId") in (SUPERMARKET, str(SUPERMARKET)):
                yield from self.supermarket(raw)
        corner = hypot(size / 2, size / 2)
        if len(rows) >= NEAREST and reach < corner and size > SMALLEST:
            half = size / 4
            for north in (-half, half):
                for east in (-half, half):
                    yield self.near(round(latitude + north, 5), round(longitude + east, 5), size / 2)

    def distance(self, raw: dict[str, object], latitude: float, longitude: float) -> float:
        """Degrees of latitude from the point; 0, which leads to smaller cells, if the store has no coordinates."""
        north, east = degrees(raw.get("latitude"), 90), degrees(raw.get("longitude"), 180)
        if north is None or east is None:
            return 0.0
        return hypot(north - latitude, (east - longitude) * cos(radians(latitude)))

    def supermarket(self, raw: dict[str, object]) -> Iterator[StoreItem]:
        """The item of one supermarket. Ids may be padded with zeros; storefront paths and cookies use the number."""
        store_code = (fields.code(raw.get("storeId")) or "").lstrip("0")
        yield from self.store(
            store_code,
            locator_id=raw.get("storeId"),
            store_name=raw.get("storeName"),
            address_line_1=raw.get("address"),
            suburb=raw.get("suburb"),
            state=raw.get("state"),
            postcode=raw.get("postcode"),
            latitude=raw.get("latitude"),
            longitude=raw.get("longitude"),
        )
