"""Woolworths' store locator."""

from typing import Any

from sandbox.places.geo import kilometres, number
from sandbox.places.places import OFFSETS, Store
from sandbox.site import Ask, Reply, integer, opaque, reply_json


def _row(store: Store, division: str, distance: float) -> dict[str, Any]:
    unnamed = store.index % 11 == 5
    return {
        "Division": division,
        "StoreNo": store.store_code if division == "SUPERMARKETS" else f"7{store.store_code}",
        "Name": "N/A" if unnamed else store.name,
        "AddressLine1": store.address,
        "AddressLine2": None,
        "Suburb": store.suburb.upper() if store.index % 2 else store.suburb,
        "State": store.state,
        "Postcode": store.postcode,
        "Latitude": f"{store.latitude:.6f}",
        "Longitude": f"{store.longitude:.6f}",
        "GeoLevel": "Street",
        "Distance": f"{distance:.2f}",
        "Phone": f"(02) {int(opaque(store.store_code, 8), 16) % 10**8:08d}",
        "GMTZone": OFFSETS.get(store.state, "8:0"),
        "IsOpen": True,
        "PartnerUrl": None,
        "TradingHours": [{"Day": "Today", "OpenHour": "7:00 AM - 10:00 PM", "TradingHourForDisplay": "7am - 10pm"}],
        "Facilities": ["Delicatessen", "Bakery"],
        "CategorisedFacilities": [],
        "NearbyPartners": None,
    }


def locator(ask: Ask) -> Reply:
    """StoreLocator/Stores: by postcode (`*` is all) or nearest first; fuel stations have their own divisions."""
    query = ask.query
    most = integer(query.get("Max"), 30)
    if most is None:
        return reply_json({"Message": "The request is invalid."}, 400)
    latitude, longitude = number(query.get("latitude")), number(query.get("longitude"))
    divisions = [name.strip() for name in query.get("Division", "SUPERMARKETS").split(",")]
    postcode = query.get("postcode")
    rows = []
    for store in ask.world.stores("woolworths"):
        if postcode not in (None, "", "*") and store.postcode != postcode:
            continue
        near = kilometres(store, latitude, longitude) if latitude is not None and longitude is not None else 0.0
        if "SUPERMARKETS" in divisions:
            rows.append((near, _row(store, "SUPERMARKETS", near)))
        if store.index % 3 == 0:
            rows += [(near + 0.3, _row(store, name, near + 0.3)) for name in ("EG", "AMPOL") if name in divisions]
    rows.sort(key=lambda pair: pair[0])
    return reply_json({"Stores": [row for _, row in rows[:most]]})


def fulfilment(ask: Ask) -> Reply:
    """The locator's older shape."""
    return reply_json([
        {
            "FulfilmentStoreId": int(store.store_code), "Description": store.name, "Street1": store.address,
            "Street2": "", "Suburb": store.suburb, "Postcode": store.postcode,
            "FulfilmentDeliveryMethods": ["Pickup", "DirectToBoot"],
        }
        for store in ask.world.stores("woolworths")
    ])  # fmt: skip
