"""How an item becomes a row of staged_items: plain values in the table's order, for COPY and executemany alike."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from models.tables import staged_items
from models.tables.types import utc_text
from splitcart.identity.matching import normalized_key

COLUMNS = tuple(column.name for column in staged_items.columns)
"""Of an item, unit_price (dollars) becomes unit_price_e4, and a normalized_key that it lacks is computed.

Flags are written as texts, as COPY wants them; SQLite's columns make them numbers.
"""


class SeenSku(NamedTuple):
    """What a run reports of one sku, without its offer."""

    sku: str
    listing_id: int | None
    name: str
    brand: str | None
    gtin: str | None
    size: str | None
    url: str | None
    image_url: str | None
    normalized_key: str | None
    category_path: str | None
    category_key: str | None
    is_promo: bool


@lru_cache(maxsize=4096)
def path_text(path: tuple[str, ...]) -> str | None:
    """The category path as a JSON array in text; None for an empty path."""
    return json.dumps(list(path), ensure_ascii=False) if path else None


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r} in a staged row: pass an aware one")
    return utc_text(value)


def staged_row(run_id: int, seq: int, row: Mapping[str, Any]) -> Sequence[Any]:
    """The values of COLUMNS for a row of StagingWriter. Raises KeyError, ValueError or TypeError for any other."""
    get = row.get
    unit_price, path, until, scraped = get("unit_price"), get("category_path"), get("offer_until"), get("scraped_at")
    head = (run_id, seq, row["sku"], row["name"])
    return (
        *head,
        get("brand"),
        get("gtin"),
        get("size"),
        get("price_cents"),
        get("was_price_cents"),
        get("price_basis") or "each",
        get("typical_grams"),
        "1" if get("is_estimated") else "0",
        None if unit_price is None else round(unit_price * 10_000),
        get("unit_of_measure"),
        "1" if get("is_on_special") else "0",
        get("offer_id"),
        get("offer_kind"),
        get("multibuy_quantity"),
        get("multibuy_total_cents"),
        get("member_price_cents"),
        get("member_multibuy_quantity"),
        get("member_multibuy_total_cents"),
        get("channel"),
        None if until is None else _time(until),
        "1" if get("is_available", True) else "0",
        "1" if get("is_ranged", True) else "0",
        path_text(tuple(path)) if path else None,
        get("category_key"),
        "1" if get("is_promo") else "0",
        get("url"),
        get("image_url"),
        "1" if get("sponsored") else "0",
        None if scraped is None else _time(scraped),
        get("normalized_key") or (row["name"] and normalized_key(get("brand"), row["name"], get("size"))),
        "1" if get("is_unreadable") else "0",
    )
