"""Woolworths' listings: which rows stand on a page, in which order, between which advertisements."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sandbox.chains.woolworths.goods import display_name
from sandbox.chains.woolworths.records import promoted, record
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.site import Ask, dump, ranked, state_of, thinned
from sandbox.tree import Node


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


def _ordered(ask: Ask, lines: Sequence[int], state: State, sort: str, salt: int) -> list[int]:
    catalogue = ask.world.catalogue("woolworths")
    if sort == "Name":
        return sorted(lines, key=lambda i: (display_name(catalogue.lines[i]).lower(), catalogue.lines[i].sku))
    if sort in ("PriceAsc", "PriceDesc", "CUPAsc"):
        sign = -1 if sort == "PriceDesc" else 1
        prices = state.offers.price
        return sorted(lines, key=lambda i: (not state.available[i], sign * int(prices[i]), catalogue.lines[i].sku))
    return ranked(ask, "woolworths:relevance", lines, salt)


FLAGS = ("isHideEverydayMarketProducts", "isHideUnavailableProducts", "isSpecial")


def listed(ask: Ask, node: Node, body: dict[str, Any], store: Store, page: int) -> list[int]:
    """Indices of the lines that a category lists, in the order asked for."""
    sort = str(body.get("sortType") or "TraderRelevance")
    salt = page if "woolworths_relevance_drifts" in ask.switches else 0
    state, day = state_of(ask, store), ask.day_of(store.store_code)

    def make() -> list[int]:
        return [] if ask.tamper.empty else _ordered(ask, _rows(ask, node, body, state), state, sort, salt)

    return ask.kept((node.key, store.store_code, day, sort, salt, *(bool(body.get(flag)) for flag in FLAGS)), make)


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


def _ads(ask: Ask, node: Node, store: Store, page: int, pages: int, hide_market: bool) -> list[Line]:
    """Advertised lines of the department: the same on every page, and at least one past the end."""
    world = ask.world
    root = world.tree("woolworths").paths[node.key][0]
    lines = world.catalogue("woolworths").lines
    state, day = state_of(ask, store), ask.day_of(store.store_code)

    def choose() -> list[int]:
        shown = [
            index
            for index in root.lines.tolist()
            if state.available[index]
            and (not hide_market if lines[index].section == "market" else bool(state.ranged[index]))
        ]
        rank = world.dice.uniform("woolworths:ads", np.array(shown, dtype=np.int64))
        return [shown[place] for place in np.argsort(rank)[:8].tolist()]

    chosen = [lines[index] for index in ask.kept(("ads", root.key, store.store_code, day, hide_market), choose)]
    if page == pages + 1:
        return chosen[:1]
    lot = float(world.dice.uniform("woolworths:ad-count", page, len(root.lines)))
    return chosen if page > pages or lot > 0.38 else chosen[: (6, 2, 1, 4, 0)[int(lot / 0.38 * 5)]]


def bundles_of(ask: Ask, rows: list[dict[str, Any]], page: int) -> list[dict[str, Any]]:
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


def page_body(ask: Ask, node: Node, body: dict[str, Any], store: Store, page: int, size: int) -> bytes:
    state, day = state_of(ask, store), ask.day_of(store.store_code)
    catalogue = ask.world.catalogue("woolworths")
    rows = listed(ask, node, body, store, page)
    total, cap = len(rows), ask.world.woolworths_cap
    pages = -(-min(total, cap) // size)
    shown = rows[:cap][(page - 1) * size : page * size]
    shown = [] if ask.tamper.no_rows else thinned(ask, shown)
    ads: list[Line] = []
    if total and not ask.tamper.no_rows and not (page > pages and "woolworths_empty_past_end" in ask.switches):
        ads = _ads(ask, node, store, page, pages, bool(body.get("isHideEverydayMarketProducts")))
    by = int(store.store_code)
    records = [record(ask.world, catalogue.lines[index], state, day, by) for index in shown]
    for place, line in enumerate(ads):
        ad = promoted(record(ask.world, line, state, day, by), place + 1)
        records.insert(min(place * 4, len(records)), ad)
    capped = min(total, cap) if "woolworths_total_capped" in ask.switches else total
    return dump(listing(node, bundles_of(ask, records, page), capped))


def listing(node: Node | None, bundles: list[dict[str, Any]], total: int) -> dict[str, Any]:
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
