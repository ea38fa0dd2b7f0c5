"""Woolworths: what www.woolworths.com.au answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sandbox import woolworths_stores
from sandbox.catalogue import Line
from sandbox.places import Store
from sandbox.pricing import State, scaled
from sandbox.site import Ask, Reply, dump, holds, issue, reply_html, reply_json, whole
from sandbox.tree import Node
from sandbox.woolworths_constants import DENIED, HOME
from sandbox.woolworths_records import display_name, pack_grams, promoted, record, truth
from sandbox.woolworths_tree import tree_json

__all__ = ["SWITCHES", "answer", "denial", "pack_grams", "truth"]

COOKIE = "bm_sz"
SWITCHES = {
    "woolworths_answers_1101": "the site ignores the store asked for and answers for 1101",
    "woolworths_empty_past_end": "a page past the end has no Bundles, instead of advertised rows only",
    "woolworths_total_capped": "TotalRecordCount never exceeds the cap",
    "woolworths_relevance_drifts": "the order by TraderRelevance changes from page to page",
    "woolworths_multi_bundles": "some Bundles hold two products",
    "woolworths_null_bundles": "some pages hold a Bundle whose Products is null",
}


def denial(path: str) -> Reply:
    """Akamai's denial page."""
    return reply_html(DENIED.replace("{path}", path.replace("/", "&#47;")), 403)


def answer(ask: Ask) -> Reply:
    """The site's answer to one request."""
    path = ask.path
    if path == "/" or path.startswith("/shop/"):
        reply = reply_html(HOME)
        reply.headers.append(("Set-Cookie", f"{COOKIE}={issue(ask, COOKIE)}; Path=/; Max-Age=14400"))
        reply.headers.append(("Set-Cookie", "_abck=0~-1~YAAQ; Path=/; Max-Age=31536000"))
        return reply
    if path == "/apis/ui/StoreLocator/Stores":
        return woolworths_stores.locator(ask)
    if not holds(ask, COOKIE):
        return denial(path)
    if path == "/apis/ui/PiesCategoriesWithSpecials" and ask.method == "GET":
        tree = ask.world.woolworths_tree
        return Reply(body=ask.cached(("tree",), lambda: dump(tree_json(tree, ask.tamper.missing))))
    if path == "/apis/ui/browse/category" and ask.method == "POST":
        return _browse(ask)
    if path == "/apis/ui/Search/products":
        return _search(ask)
    for prefix in ("/apis/ui/products/", "/apis/ui/product/detail/", "/api/v3/ui/schemaorg/product/"):
        if path.startswith(prefix):
            return _detail(ask, prefix, path[len(prefix) :])
    if path == "/api/v3/ui/fulfilment/stores":
        return woolworths_stores.fulfilment(ask)
    return reply_html("<html><body><h1>Page not found</h1></body></html>", 404)


def _store(ask: Ask, asked: Any) -> Store:
    """Who answers: the store asked for, or 1101."""
    found = None if "woolworths_answers_1101" in ask.switches else ask.world.store("woolworths", str(asked))
    fallback = ask.world.store("woolworths", "1101")
    if fallback is None:
        raise LookupError("the world has no store 1101")
    return found or fallback


def _state(ask: Ask, store: Store) -> tuple[State, int]:
    day = ask.day_of(store.store_id)
    return scaled(ask.world.state("woolworths", store.store_id, day), ask.tamper.factor), day


def _under(node: Node, state: State) -> np.ndarray:
    """Indices of the lines that a node lists on the day."""
    if not node.rule or node.source is None:
        return node.lines
    if node.source.key:
        lines = node.source.lines
    else:
        lines = np.unique(np.concatenate([child.lines for child in node.source.children]))
    price, was = state.offers.price[lines], state.offers.was[lines]
    if node.rule == "many":
        keep = state.offers.quantity[lines] > 0
    else:
        keep = (was > price) & ((node.rule != "half") | (price * 2 <= was))
    return lines[keep & state.available[lines]]


def _ordered(ask: Ask, lines: Sequence[int], state: State, sort: str, page: int) -> list[int]:
    catalogue = ask.world.catalogue("woolworths")
    if sort == "Name":
        return sorted(lines, key=lambda i: (display_name(catalogue.lines[i]).lower(), catalogue.lines[i].sku))
    if sort in ("PriceAsc", "PriceDesc", "CUPAsc"):
        sign = -1 if sort == "PriceDesc" else 1
        prices = state.offers.price
        return sorted(lines, key=lambda i: (not state.available[i], sign * int(prices[i]), catalogue.lines[i].sku))
    salt = page if "woolworths_relevance_drifts" in ask.switches else 0
    rank = ask.world.dice.uniform("woolworths:relevance", np.array(lines, dtype=np.int64), salt)
    return [lines[place] for place in np.argsort(rank, kind="stable").tolist()]


def _rows(ask: Ask, node: Node, body: dict[str, Any], state: State) -> list[int]:
    lines = ask.world.catalogue("woolworths").lines
    hide_market, hide_gone = body.get("isHideEverydayMarketProducts"), body.get("isHideUnavailableProducts")
    rows = [
        index
        for index in _under(node, state).tolist()
        if (lines[index].section == "market" or state.ranged[index])
        and not (hide_market and lines[index].section == "market")
        and not (hide_gone and not state.available[index])
    ]
    if body.get("isSpecial"):
        rows = [index for index in rows if state.offers.was[index] >= 0 and state.available[index]]
    return rows


def _ads(ask: Ask, node: Node, page: int, pages: int, state: State, hide_market: bool) -> list[Line]:
    """Advertised lines of the department: the same on every page, and never none past the end."""
    world = ask.world
    root = world.woolworths_tree.paths[node.key][0]
    lines = world.catalogue("woolworths").lines
    shown = [
        line
        for line in (lines[index] for index in root.lines.tolist())
        if (state.ranged[line.index] or line.section == "market")
        and state.available[line.index]
        and not (hide_market and line.section == "market")
    ]
    rank = world.dice.uniform("woolworths:ads", np.array([line.index for line in shown], dtype=np.int64))
    chosen = [shown[place] for place in np.argsort(rank)[:8].tolist()]
    if page == pages + 1:
        return chosen[:1]
    lot = float(world.dice.uniform("woolworths:ad-count", page, len(shown)))
    return chosen if page > pages or lot > 0.38 else chosen[: (6, 2, 1, 4, 0)[int(lot / 0.38 * 5)]]


def _bundles(ask: Ask, rows: list[dict[str, Any]], page: int) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    for row in rows:
        pair = "woolworths_multi_bundles" in ask.switches and bundles and len(bundles) % 7 == 3
        if pair and len(bundles[-1]["Products"]) == 1:
            bundles[-1]["Products"].append(row)
        else:
            bundles.append({"Products": [row], "Name": row["Name"], "DisplayName": row["DisplayName"]})
    if "woolworths_null_bundles" in ask.switches and page % 2:
        bundles.insert(len(bundles) // 2, {"Products": None, "Name": "Bundle", "DisplayName": "Bundle"})
    return bundles


def _page(ask: Ask, node: Node, body: dict[str, Any], store: Store, page: int, size: int) -> bytes:
    state, day = _state(ask, store)
    catalogue = ask.world.catalogue("woolworths")
    rows = [] if ask.tamper.empty else _rows(ask, node, body, state)
    total, cap = len(rows), ask.world.woolworths_cap
    pages = -(-min(total, cap) // size)
    ordered = _ordered(ask, rows, state, str(body.get("sortType") or "TraderRelevance"), page)[:cap]
    shown = ordered[(page - 1) * size : page * size]
    shown = [] if ask.tamper.no_rows else _thinned(ask, shown)
    ads: list[Line] = []
    if total and not ask.tamper.no_rows and not (page > pages and "woolworths_empty_past_end" in ask.switches):
        ads = _ads(ask, node, page, pages, state, bool(body.get("isHideEverydayMarketProducts")))
    by = int(store.store_id)
    records = [record(ask.world, catalogue.lines[index], state, day, by) for index in shown]
    for place, line in enumerate(ads):
        ad = promoted(record(ask.world, line, state, day, by), place + 1)
        records.insert(min(place * 4, len(records)), ad)
    capped = min(total, cap) if "woolworths_total_capped" in ask.switches else total
    return dump(_listing(node, _bundles(ask, records, page), capped))


def _thinned(ask: Ask, rows: list[int]) -> list[int]:
    if not ask.tamper.gone:
        return rows
    rank = ask.world.dice.uniform("gone", np.array(rows, dtype=np.int64))
    return [row for row, lot in zip(rows, rank.tolist(), strict=True) if lot >= ask.tamper.gone]


def _listing(node: Node | None, bundles: list[dict[str, Any]], total: int) -> dict[str, Any]:
    title = node.name if node else ""
    return {
        "SeoMetaTags": {"Title": title, "MetaDescription": f"Shop {title} online.", "Groups": []},
        "Bundles": bundles,
        "TotalRecordCount": total,
        "UpperDynamicContent": None,
        "LowerDynamicContent": None,
        "RichRelevancePlacement": {
            "placement_name": "", "message": "", "Products": [], "Items": [], "StockcodesForDiscover": [],
        },
        "Aggregations": [],
        "HasRewardsCard": False,
        "HasTobaccoItems": any(row["IsTobacco"] for bundle in bundles for row in bundle["Products"] or []),
        "Success": True,
        "PersonalizedViewTypes": None,
    }  # fmt: skip


def _browse(ask: Ask) -> Reply:
    body = ask.json()
    if not isinstance(body, dict):
        return reply_json({"Message": "The request is invalid."}, 400)
    page, size = whole(body.get("pageNumber"), 1), whole(body.get("pageSize"), 24)
    if page is None or size is None or page < 1 or not 1 <= size <= 36:
        return reply_json({"Message": "The request is invalid."}, 400)
    node = ask.world.woolworths_tree.paths.get(str(body.get("categoryId")))
    if node is None or ask.tamper.missing in (node[0].key, node[0].slug):
        return reply_json(_listing(None, [], 0))
    store = _store(ask, body.get("storeId"))
    page = 1 if ask.tamper.page_one else page
    flags = tuple(
        bool(body.get(key)) for key in ("isHideEverydayMarketProducts", "isHideUnavailableProducts", "isSpecial")
    )
    day = ask.day_of(store.store_id)
    key = (node[-1].key, store.store_id, day, page, size, str(body.get("sortType")), flags)
    return Reply(body=ask.cached(key, lambda: _page(ask, node[-1], body, store, page, size)))


def _search(ask: Ask) -> Reply:
    body = ask.json() if ask.method == "POST" else None
    fields = body if isinstance(body, dict) else dict(ask.query)
    term = str(fields.get("SearchTerm") or fields.get("searchTerm") or "").lower()
    size = whole(fields.get("PageSize") or fields.get("pageSize"), 24)
    page = whole(fields.get("PageNumber") or fields.get("pageNumber"), 1)
    if size is None or page is None or page < 1 or not 1 <= size <= 36:
        return reply_json({"Message": "The request is invalid."}, 400)
    store = _store(ask, fields.get("storeId"))
    state, day = _state(ask, store)
    catalogue = ask.world.catalogue("woolworths")
    found = [
        line
        for line in catalogue.lines[: catalogue.main]
        if state.ranged[line.index] and all(word in display_name(line).lower() for word in term.split())
    ]
    rows = [record(ask.world, line, state, day, int(store.store_id)) for line in found[(page - 1) * size : page * size]]
    return reply_json({
        "Products": _bundles(ask, rows, 0), "SearchResultsCount": len(found), "HasTobaccoItems": False,
        "SuggestedTerm": None, "Success": True,
    })  # fmt: skip


def _detail(ask: Ask, prefix: str, codes: str) -> Reply:
    store = _store(ask, None)
    state, day = _state(ask, store)
    wanted = set(codes.split(","))
    lines = [line for line in ask.world.catalogue("woolworths").lines if line.sku in wanted]
    rows = [record(ask.world, line, state, day, int(store.store_id)) for line in lines]
    if prefix == "/apis/ui/products/":
        return reply_json(rows)
    if not rows:
        return reply_html("<html><body><h1>Page not found</h1></body></html>", 404)
    row = rows[0]
    if prefix == "/apis/ui/product/detail/":
        return reply_json({"Product": row})
    return reply_json({
        "@context": "https://schema.org", "@type": "Product", "name": row["DisplayName"], "sku": row["Stockcode"],
        "description": row["Description"], "image": row["LargeImageFile"], "brand": {"name": row["Brand"]},
        "gtin13": row["Barcode"],
        "offers": {"price": row["Price"], "priceCurrency": "AUD", "availability": "InStock"}, "review": None,
    })  # fmt: skip
