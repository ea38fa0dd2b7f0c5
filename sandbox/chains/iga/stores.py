"""IGA's stores: the leaflet's finder names all of them, the shop those that sell online."""

import html
import json
from typing import Any

from sandbox.places.geo import kilometres
from sandbox.places.places import SUBURBS, Store
from sandbox.site import JSON, Ask, Reply, integer, opaque, reply_json

LOCATIONS = 23_001
RADIUS_KM = 200.0


def tag_of(store: Store) -> str:
    """The retailer tag that the finder sends; for some stores it is not the retailerStoreId."""
    return store.store_code if store.index % 3 else f"{store.store_code}R"


def _found(store: Store) -> dict[str, Any]:
    return {
        "storeId": store.locator_id, "storeName": f"IGA {store.name}", "tag": tag_of(store), "address": store.address,
        "suburb": store.suburb.upper() if store.index % 2 else store.suburb, "state": store.state,
        "postcode": store.postcode, "phone": f"(02) {int(opaque(store.store_code, 8), 16) % 10**8:08d}",
        "latitude": f"{store.latitude:.6f}", "longitude": f"{store.longitude:.6f}",
        "hours": 'Mon-Sun: 7am - 8pm "daily"',
    }  # fmt: skip


def finder(ask: Ask) -> Reply:
    """JSONP: HTML in JSON, the stores near the location as escaped JSON in data-storedata attributes."""
    location, most = integer(ask.query.get("locationId"), None), integer(ask.query.get("limit"), 20)
    shown: list[Store] = []
    if location is not None and most is not None and 1 <= location <= LOCATIONS:
        _, _, _, latitude, longitude = SUBURBS[(location - 1) * len(SUBURBS) // LOCATIONS]
        near = sorted((kilometres(store, latitude, longitude), store.index) for store in ask.world.stores("iga"))
        shown = [ask.world.stores("iga")[index] for away, index in near if away <= RADIUS_KM][:most]
    rows = [
        f'<div class="store" data-storedata="{html.escape(json.dumps(_found(store)))}"><h3>IGA {store.name}</h3></div>'
        for store in shown
    ]
    content = f'<html><body><div id="stores">{"".join(rows)}</div></body></html>'
    call = ask.query.get("callback", "cb")
    text = f"{call}({json.dumps({'content': content, 'breadcrumb': ''})})"
    return Reply(body=text.encode(), content_type="application/javascript; charset=utf-8" if call else JSON)


def _item(store: Store) -> dict[str, Any]:
    number = opaque(store.store_code, 32).lower()
    return {
        "id": f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:]}", "status": "Active",
        "type": "Regular", "name": f"IGA {store.name}", "addressLine1": store.address, "addressLine2": "",
        "addressLine3": "", "countyProvinceState": store.state, "postCode": store.postcode, "city": store.suburb,
        "country": "Australia", "phone": None, "retailerStoreId": store.store_code, "timeZone": store.timezone,
        "currency": "AUD", "openingHours": "7am - 8pm",
        "location": {"latitude": store.latitude, "longitude": store.longitude}, "languages": ["en"], "siteId": "1",
        "urls": [], "categoryHierarchyId": "retailer-prod-v3", "shoppingModes": [],
    }  # fmt: skip


def storefronts(ask: Ask) -> Reply:
    """The store of a tag, or no items where it does not sell online."""
    wanted = ask.query.get("RSID", "")
    stores = [store for store in ask.world.stores("iga") if wanted in (tag_of(store), store.store_code)]
    return reply_json({"items": [_item(store) for store in stores if store.is_online]})
