"""ALDI: what api.aldi.com.au answers."""

from typing import Any

import numpy as np

from sandbox.chains.aldi import stores
from sandbox.chains.aldi.goods import (
    brand_sent,
    categories_of,
    lot_of,
    name_of,
    pack_grams,
    prices_of,
    sends_kilo_price,
    shelf_of,
    size_text,
    truth,
    unpriced,
)
from sandbox.chains.aldi.traits import TRAITS
from sandbox.chains.aldi.tree import build, tree_json
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.site import Ask, Reply, dump, integer, opaque, ranked, reply_json, slugify, state_of, thinned

__all__ = ["SWITCHES", "TRAITS", "answer", "build", "pack_grams", "truth"]

SWITCHES = {"aldi_empty_past_end": "an offset past the end answers an empty data, instead of 400"}
LIMITS = (12, 24, 30)
SORTS = ("relevance", "name_asc", "name_desc", "price_asc", "price_desc")


def answer(ask: Ask) -> Reply:
    """The site's answer to one request; no session, no cookies."""
    if ask.path == "/v2/service-points":
        return stores.locator(ask)
    detail = ask.path.startswith("/v2/products/")
    if ask.path not in ("/v2/product-category-tree", "/v3/product-search") and not detail:
        return refused(404, "NOT_FOUND", "No such resource")
    store = ask.world.store("aldi", ask.query.get("servicePoint", ""))
    if store is None or ask.query.get("serviceType", "walk-in") not in ("walk-in", "pickup"):
        return refused(400, "INVALID_SERVICE_POINT", "servicePoint or serviceType is invalid")
    if detail:
        return _detail(ask, store, ask.path.removeprefix("/v2/products/"))
    if ask.path == "/v3/product-search":
        return _search(ask, store)
    reply = reply_json({"data": tree_json(ask.world.tree("aldi").roots, ask.tamper.missing)})
    reply.headers.append(("Cache-Control", "public, max-age=900"))
    return reply


def refused(status: int, code: str, text: str) -> Reply:
    return reply_json({"errors": [{"code": code, "message": text}]}, status)


def _money(cents: int | None) -> str | None:
    return None if cents is None else f"${cents / 100:,.2f}"


def _price(line: Line, state: State) -> dict[str, Any] | None:
    if unpriced(line, state):
        return None
    now, was = prices_of(line, state)
    shelf = shelf_of(line, now, state)
    amount = int(state.offers.price[line.index]) if sends_kilo_price(line) else now
    comparison = int(shelf[0].number * 100) if shelf else None
    return {
        "amount": amount, "amountRelevant": amount, "amountRelevantDisplay": _money(amount), "bottleDeposit": 0,
        "bottleDepositDisplay": "$0.00", "comparison": comparison,
        "comparisonDisplay": f"{_money(comparison)} per {shelf[1]}" if shelf else None, "currencyCode": "AUD",
        "currencySymbol": "$", "perUnit": None, "perUnitDisplay": None, "wasPriceDisplay": _money(was),
        "additionalInfo": None, "bottleDepositType": None, "feeText": None,
    }  # fmt: skip


def _record(ask: Ask, line: Line, state: State) -> dict[str, Any]:
    brand, name = brand_sent(line), name_of(line)
    slug = slugify(f"{brand or 'no brand'} {name}")
    image = (
        f"https://dm.apac.cms.aldi.cx/is/image/aldiprodapac/product/jpg/scaleWidth/{{width}}/{opaque(line.sku, 12)}/"
    )
    picture = {
        "url": image + "{slug}", "maxWidth": 1500, "maxHeight": 1500, "mimeType": "image/*", "assetType": "FR01",
        "alt": None, "displayName": None,
    }  # fmt: skip
    liquor = line.good.kind.department == "liquor"
    return {
        "sku": line.sku, "name": name, "brandName": brand, "urlSlugText": slug,
        "ageRestriction": 18 if liquor else None,
        "alcohol": {"percentage": "4.5"} if liquor else None,
        "discontinued": not state.available[line.index] and not unpriced(line, state), "discontinuedNote": None,
        "notForSale": True, "notForSaleReason": None, "quantityMin": 1, "quantityMax": 99, "quantityInterval": 1,
        "quantityDefault": 1, "quantityUnit": "ea", "weightType": "0", "sellingSize": size_text(line),
        "energyClass": None, "onSaleDateDisplay": "Wed 3 Jun" if line.promo_only else None,
        "price": _price(line, state), "countryExtensions": None,
        "categories": [
            {"id": key, "name": label, "urlSlugText": slugify(label)} for key, label in categories_of(ask.world, line)
        ],
        "assets": [picture, {**picture, "assetType": "NU01"}] if lot_of(line) % 40 else [], "badges": [],
        "isAbstract": False, "abstractSku": None, "urlSlugTextAlternatives": [],
    }  # fmt: skip


def _rows(ask: Ask, state: State) -> list[int]:
    """Indices of the lines that a query lists, unordered."""
    catalogue, query = ask.world.catalogue("aldi"), ask.query
    rows = np.flatnonzero(state.ranged[: catalogue.main]).tolist()
    if "categoryKey" in query:
        path = ask.world.tree("aldi").paths.get(query["categoryKey"])
        gone = path is None or ask.tamper.missing in (path[0].key, path[0].slug)
        listed = set() if path is None or gone else set(path[-1].lines.tolist())
        rows = [index for index in rows if index in listed]
    words = query.get("q", "").lower().split()
    found = [index for index in rows if all(word in name_of(catalogue.lines[index]).lower() for word in words)]
    return [] if ask.tamper.empty else found


def _ordered(ask: Ask, rows: list[int], state: State, sort: str) -> list[int]:
    lines = ask.world.catalogue("aldi").lines
    down = sort.endswith("_desc")
    if sort.startswith("name"):
        return sorted(rows, key=lambda index: (name_of(lines[index]), lines[index].sku), reverse=down)
    if sort.startswith("price"):
        return sorted(rows, key=lambda index: (int(state.offers.price[index]), lines[index].sku), reverse=down)
    return ranked(ask, "aldi:rank", rows)


def _search(ask: Ask, store: Store) -> Reply:
    query = ask.query
    limit, offset = integer(query.get("limit"), 12), integer(query.get("offset"), 0)
    sort = query.get("sort", "relevance")
    if limit not in LIMITS or offset is None or offset < 0 or sort not in SORTS:
        return refused(400, "INVALID_PARAMETER", "limit, offset or sort is invalid")
    state = state_of(ask, store)
    key = (query.get("categoryKey"), query.get("q"), store.store_code, ask.day_of(store.store_code), sort)
    rows = ask.kept(key, lambda: _ordered(ask, _rows(ask, state), state, sort))
    if offset >= max(len(rows), 1) and "aldi_empty_past_end" not in ask.switches:
        return refused(400, "INVALID_OFFSET", "offset is beyond the result")
    offset = 0 if ask.tamper.page_one else offset

    def render() -> bytes:
        shown = rows[offset : offset + limit]
        shown = [] if ask.tamper.no_rows else thinned(ask, shown)
        lines = ask.world.catalogue("aldi").lines
        meta = {
            "spellingSuggestion": None, "pinned": [], "keywordRedirect": None,
            "pagination": {"offset": offset, "limit": limit, "totalCount": len(rows)}, "debug": None, "facets": [],
            "sort": list(SORTS),
        }  # fmt: skip
        return dump({"meta": meta, "data": [_record(ask, lines[index], state) for index in shown]})

    return Reply(body=ask.cached((*key, limit, offset), render))


def _detail(ask: Ask, store: Store, sku: str) -> Reply:
    line = next((line for line in ask.world.catalogue("aldi").lines if line.sku == sku), None)
    state = state_of(ask, store)
    if line is None or not state.ranged[line.index]:
        return refused(404, "NOT_FOUND", "No such product")
    more = {
        "description": f"<p>{line.good.words}</p>", "storageInstructions": None, "countryOrigin": "Australia",
        "ingredients": f"{line.good.kind.noun}, Water, Salt.", "allergens": None, "warnings": None,
    }  # fmt: skip
    return reply_json({"data": {**_record(ask, line, state), **more}})
