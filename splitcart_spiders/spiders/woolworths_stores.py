"""The stores of Woolworths: one request gives them all."""

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import woolworths
from splitcart_spiders.crawl.locator_spider import LocatorSpider
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import StoreItem

LOCATOR = (
    "https://www.woolworths.com.au/apis/ui/StoreLocator/Stores?Max=10000&Division=SUPERMARKETS&Facility=&postcode=*"
)


class WoolworthsStoresSpider(LocatorSpider):
    """`scrapy crawl woolworths_stores`"""

    name = "woolworths_stores"
    chain = woolworths

    def first_requests(self) -> Iterator[Request]:
        yield self.ask("https://www.woolworths.com.au/", self.begun, expects="html")

    def begun(self, response: Response) -> Iterator[Request]:
        """Request the API, which refuses requests without the cookies of a first page."""
        yield self.ask(LOCATOR, self.stores, headers={"Accept": "application/json"})

    def stores(self, response: Response) -> Iterator[StoreItem]:
        """Supermarkets only; fuel shops are other divisions."""
        body = self.decoded(response)
        rows = body.get("Stores") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not rows:
            raise CatalogueError(f"{response.url} names no store")
        for raw in rows:
            if isinstance(raw, dict) and raw.get("Division", "SUPERMARKETS") == "SUPERMARKETS":
                yield from self.store(
                    raw.get("StoreNo"),
                    locator_id=raw.get("StoreNo"),
                    store_name=raw.get("Name"),
                    address_line_1=raw.get("AddressLine1"),
                    suburb=raw.get("Suburb"),
                    state=raw.get("State"),
                    postcode=raw.get("Postcode"),
                    latitude=raw.get("Latitude"),
                    longitude=raw.get("Longitude"),
                )
