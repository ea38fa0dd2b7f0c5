"""Distances, and numbers in queries."""

import math

from sandbox.places.places import Store


def kilometres(store: Store, latitude: float, longitude: float) -> float:
    """Distance over the ground, good enough to sort by."""
    east = (store.longitude - longitude) * math.cos(math.radians(latitude))
    return 111.2 * math.hypot(store.latitude - latitude, east)


def number(text: str | None) -> float | None:
    try:
        return None if text in (None, "") else float(text)
    except ValueError:
        return None
