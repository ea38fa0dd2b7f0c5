"""Coles' store locator."""

from typing import Any

from sandbox.places.geo import kilometres, number
from sandbox.places.places import Store
from sandbox.site import Ask, Reply, integer, opaque, reply_json

BRANDS = {1: "Coles Express", 2: "Coles Supermarkets", 3: "Liquorland", 4: "First Choice Liquor", 5: "Vintage Cellars"}


def _row(store: Store, brand: int) -> dict[str, Any]:
    number_ = store.store_code if brand == 2 else str(10_000 + brand * 1000 + store.index)
    prefix = "Coles" if brand == 2 else BRANDS[brand]
    return {
        "storeId": number_,
        "storeName": f"{prefix} {store.name}",
        "brandId": brand,
        "brandName": BRANDS[brand],
        "address": store.address,
        "suburb": store.suburb.upper() if store.index % 2 else store.suburb,
        "state": store.state,
        "postcode": store.postcode,
        "latitude": store.latitude,
        "longitude": store.longitude,
        "phone": f"(02) {int(opaque(store.store_code, 8), 16) % 10**8:08d}",
        "status": "OPEN",
        "tradingHours": [{"daysOfWeek": "Monday - Sunday", "storeTime": "6:00 AM - 10:00 PM"}],
    }


def locator(ask: Ask) -> Reply:
    """The `numberOfStores` nearest of the brands asked for."""
    latitude, longitude = number(ask.query.get("latitude")), number(ask.query.get("longitude"))
    most = integer(ask.query.get("numberOfStores"), 15)
    if latitude is None or longitude is None or most is None or most < 1:
        return reply_json({"statusCode": 400, "message": "Bad Request"}, 400)
    wanted = {integer(text, None) for text in ask.query.get("brandIds", "1,2,3,4,5").split(",")}
    found = []
    for store in ask.world.stores("coles"):
        away = kilometres(store, latitude, longitude)
        brands = (2, (1, 3, 4, 5)[store.index % 4]) if store.index % 2 else (2,)
        found += [(away + 0.1 * (brand != 2), store.index, brand) for brand in brands if brand in wanted]
    stores = ask.world.stores("coles")
    return reply_json({"stores": [_row(stores[index], brand) for _, index, brand in sorted(found)[:most]]})
