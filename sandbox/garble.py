"""Wrong skus, prices or names in some rows of a listing; the rest of the answer stays as it is."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sandbox.site import Reply, dump, lot

Row = dict[str, Any]

PRICES: dict[str, Any] = {"text": "see in store", "zero": 0, "negative": -3, "object": {"amount": 3}}
"""The value in place of a price, by the fault's `form`; without a form each row gets one of them."""
BASIS = "basis"
"""The form that makes a price of IGA's loose goods neither a piece's nor a kilogram's."""
NAMES: tuple[Any, ...] = ("", 7, {"en": "Milk"}, "\u0000 ", None)
KINDS = ("renumbered", "unreadable_prices", "unreadable_names")
NEW = 70_000_000
"""Added to the skus that are numbers."""


def garbled(chain: str, reply: Reply, kind: str, value: float | None, form: str) -> Reply:
    """The answer with the fault `kind` in the share `value` of its rows; without rows it is returned as it is."""
    if kind not in KINDS or reply.status != 200 or not reply.content_type.startswith("application/json"):
        return reply
    body = json.loads(reply.body)
    for row in _ROWS[chain](body):
        if is_struck(kind, sku_of(chain, row), _SHARES[kind] if value is None else float(value)):
            _ACTS[kind](chain, row, form)
    return replace(reply, body=dump(body))


def is_struck(kind: str, sku: str, value: float) -> bool:
    """Whether the fault acts on a row of that sku."""
    return lot(kind, sku) < 1000 * value


def renumbered(chain: str, sku: str) -> str:
    """The sku that stands in place of another."""
    if chain in ("woolworths", "coles"):
        return str(int(sku) + NEW)
    return f"7{sku[1:]}" if chain == "aldi" else f"7{sku}"


def sku_of(chain: str, row: Row) -> str:
    """A row's sku as text."""
    return str(row[{"woolworths": "Stockcode", "coles": "id", "aldi": "sku", "iga": "productId"}[chain]])


def _objects(*values: Any) -> Iterator[Row]:
    for value in values:
        yield from (row for row in value or () if isinstance(row, dict)) if isinstance(value, list) else ()


def _woolworths(body: Any) -> Iterator[Row]:
    for bundle in _objects(body.get("Bundles")) if isinstance(body, dict) else ():
        yield from (row for row in _objects(bundle.get("Products")) if not row.get("IsMarketProduct"))


def _coles(body: Any) -> Iterator[Row]:
    results = (body.get("pageProps") or {}).get("searchResults") or {} if isinstance(body, dict) else {}
    yield from (row for row in _objects(results.get("results")) if row.get("_type") == "PRODUCT")


def _aldi(body: Any) -> Iterator[Row]:
    yield from (row for row in _objects(body.get("data")) if "sku" in row) if isinstance(body, dict) else ()


def _iga(body: Any) -> Iterator[Row]:
    yield from (row for row in _objects(body.get("items")) if "productId" in row) if isinstance(body, dict) else ()


_ROWS: dict[str, Callable[[Any], Iterator[Row]]] = {
    "woolworths": _woolworths,
    "coles": _coles,
    "aldi": _aldi,
    "iga": _iga,
}


def _renumber(chain: str, row: Row, form: str) -> None:
    new = renumbered(chain, sku_of(chain, row))
    named = {"woolworths": ("Stockcode",), "coles": ("id",), "aldi": ("sku",), "iga": ("productId", "sku")}[chain]
    row.update(dict.fromkeys(named, int(new) if chain in ("woolworths", "coles") else new))


def _spoil_price(chain: str, row: Row, form: str) -> None:
    """Replaces the price of a row; a row without a price stays without one."""
    if form == BASIS:
        _lose_basis(chain, row)
        return
    wrong = PRICES[form] if form else [*PRICES.values()][lot("form", sku_of(chain, row)) % len(PRICES)]
    if chain == "woolworths" and row["Price"] is not None:
        row["Price"] = wrong
    elif chain == "coles" and row["pricing"] is not None:
        row["pricing"]["now"] = wrong
    elif chain == "aldi" and row["price"] is not None:
        row["price"]["amount"] = wrong
    elif chain == "iga":
        row.update(wholePrice=wrong, priceNumeric=wrong, price=wrong, tprPrice=[])


def _lose_basis(chain: str, row: Row) -> None:
    if chain == "iga" and row["sellBy"] == "EachUnit":
        wrong = round(row["priceNumeric"] * 1.37 + 0.11, 2)
        row.update(wholePrice=wrong, priceNumeric=wrong, price=f"${wrong:.2f}", tprPrice=[])


def _spoil_name(chain: str, row: Row, form: str) -> None:
    wrong = NAMES[lot("name", sku_of(chain, row)) % len(NAMES)]
    row.update(dict.fromkeys(("DisplayName", "Name") if chain == "woolworths" else ("name",), wrong))


_ACTS: dict[str, Callable[[str, Row, str], None]] = {
    "renumbered": _renumber,
    "unreadable_prices": _spoil_price,
    "unreadable_names": _spoil_name,
}
_SHARES = {"renumbered": 1.0, "unreadable_prices": 0.03, "unreadable_names": 0.03}
