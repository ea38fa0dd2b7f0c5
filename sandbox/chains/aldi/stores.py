"""ALDI's service points."""

from typing import Any

from sandbox.places.geo import kilometres, number
from sandbox.places.places import REGIONS, Store
from sandbox.site import Ask, Reply, integer, reply_json

PAGE = 10
RADIUS_KM = 100.0


def _row(store: Store, away: float) -> dict[str, Any]:
    return {
        "name": f"ALDI {store.name}",
        "id": store.store_code,
        "alcoholAvailability": ["Beer", "Wine"] if store.state in ("NSW", "VIC", "WA", "ACT") else [],
        "publicPhoneNumber": None,
        "facilities": [],
        "address": {
            "countryName": "Australia",
            "countryIsoCode": "AU",
            "regionName": REGIONS[store.state],
            "regionIsoCode": store.state,
            "address1": store.address,
            "address2": "",
            "address3": "",
            "city": store.suburb,
            "zipCode": store.postcode,
            "district": "",
            "latitude": f"{store.latitude:.14f}",
            "longitude": f"{store.longitude:.14f}",
        },
        "availableCustomerServiceTypes": ["pickup", "walk-in"] if store.index % 3 == 0 else ["walk-in"],
        "distance": f"{away:.1f} km",
        "geofencing": None,
        "isOpenNow": True,
    }


def locator(ask: Ask) -> Reply:
    """The service points near a point, nearest first, ten a page."""
    latitude, longitude = number(ask.query.get("latitude")), number(ask.query.get("longitude"))
    offset, limit = integer(ask.query.get("offset"), 0), integer(ask.query.get("limit"), PAGE)
    if latitude is None or longitude is None or offset is None or offset < 0 or limit is None or limit < 1:
        return reply_json({"errors": [{"code": "INVALID_PARAMETER", "message": "a parameter is invalid"}]}, 400)
    limit = min(limit, PAGE)
    pickup = ask.query.get("serviceType") == "pickup"
    near = sorted(
        (kilometres(store, latitude, longitude), store.store_code, store.index)
        for store in ask.world.stores("aldi")
        if not pickup or store.index % 3 == 0
    )
    near = [row for row in near if row[0] <= RADIUS_KM]
    stores = ask.world.stores("aldi")
    pagination = {"offset": offset, "limit": limit, "totalCount": len(near)}
    shown = [_row(stores[index], away) for away, _, index in near[offset : offset + limit]]
    return reply_json({"data": shown, "meta": {"pagination": pagination}})
