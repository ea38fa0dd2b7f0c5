"""The stores of IGA: a leaflet finder lists them, the shop knows which of them sell online, and their ids there."""

import html
import json
from collections.abc import Iterator
from urllib.parse import quote

from scrapy import Request
from scrapy.http import Response

from splitcart.patterns import Pattern
from splitcart_spiders.arguments import count, names
from splitcart_spiders.chains import iga
from splitcart_spiders.crawl.locator_spider import LocatorSpider, text
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import StoreItem
from splitcart_spiders.spiders.iga import HEADERS, SITE

FINDER = "https://embed.salefinder.com.au/location/storelocator/183/?format=json&saleGroup=0&limit=1500&locationId={}"
# The finder answers with the stores near a location; its location ids run to 23,001.
LOCATIONS = range(1, 23_002, 250)
CALLBACK = Pattern(r"[\w.$]*", most=100)
# Each search begins after the attribute before, so the work grows with the answer, which DOWNLOAD_MAXSIZE bounds.
STORE_DATA = Pattern(r"""data-storedata\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')""", most=16 * 1024 * 1024)


class IgaStoresSpider(LocatorSpider):
    """`scrapy crawl iga_stores`; `-a locations=1,500` asks the finder about these locations only."""

    name = "iga_stores"
    chain = iga
    hosts = frozenset({"www.igashop.com.au"})

    def __init__(self, locations: str | None = None, **kwargs: str) -> None:
        super().__init__(**kwargs)
        asked = {count(one, "locations", least=1) for one in names(locations, "locations")}
        self.locations = sorted(number for number in asked if number) or list(LOCATIONS)
        self.asked: set[str] = set()

    def first_requests(self) -> Iterator[Request]:
        for location in self.locations:
            yield self.ask(FINDER.format(location), self.finder, expects="any")

    def finder(self, response: Response) -> Iterator[Request]:
        """Request the shop's record of each store of one finder answer that was not requested before."""
        for raw in self.named(response):
            tag = text(raw.get("tag"))
            if tag and tag not in self.asked:
                self.asked.add(tag)
                url = f"{SITE}/api/storefront/stores?RSID={quote(tag, safe='')}&take=1"
                yield self.ask(url, self.shop, headers=HEADERS, cb_kwargs={"raw": raw})

    def named(self, response: Response) -> list[dict[str, object]]:
        """The stores in a JSONP answer: JSON in an attribute of HTML in JSON in a call."""
        try:
            content = json.loads(called_with(getattr(response, "text", "")))["content"]
            data = [match[1] or match[2] or "" for match in STORE_DATA.finditer(content)]
            rows = [json.loads(html.unescape(attribute)) for attribute in data]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CatalogueError(f"{response.url} did not answer with stores") from None
        flat = [row for value in rows for row in (value if isinstance(value, list) else [value])]
        return [row for row in flat if isinstance(row, dict)]

    def shop(self, response: Response, raw: dict[str, object]) -> Iterator[StoreItem]:
        """The shop's own record; a store without one does not sell online, and its tag is its id."""
        body = self.decoded(response)
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise CatalogueError(f"{response.url} has no list items")
        own = items[0] if items and isinstance(items[0], dict) else {}
        location = own.get("location")
        place = location if isinstance(location, dict) else {}
        yield from self.store(
            own.get("retailerStoreId") or raw.get("tag"),
            locator_id=raw.get("storeId"),
            store_name=own.get("name") or raw.get("storeName"),
            address_line_1=own.get("addressLine1") or raw.get("address"),
            suburb=own.get("city") or raw.get("suburb"),
            state=own.get("countyProvinceState") or raw.get("state"),
            postcode=own.get("postCode") or raw.get("postcode"),
            timezone=own.get("timeZone"),
            latitude=place.get("latitude") or raw.get("latitude"),
            longitude=place.get("longitude") or raw.get("longitude"),
            is_online=bool(own.get("retailerStoreId")) and own.get("status", "Active") == "Active",
        )


def called_with(script: str) -> str:
    """The argument of a call (`cb({..});`); the text itself if it is not a call."""
    name, bracket, _ = script.partition("(")
    call = script.rstrip("; \t\r\n")
    if not bracket or not call.endswith(")") or not CALLBACK.fullmatch(name.strip()):
        return script
    return call[len(name) + 1 : -1]
