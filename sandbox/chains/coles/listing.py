"""Coles' pages of a category: 48 slots of the listing, advertisements, tiles and cross-sells between them."""

import json
from typing import Any

import numpy as np

from sandbox.chains.coles.goods import displaced
from sandbox.chains.coles.records import ASSETS, associated, featured, record, tile
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.site import Ask, ranked, state_of, thinned
from sandbox.tree import Node

SIZE = 48


def page_props(ask: Ask, store: Store | None) -> dict[str, Any]:
    """What every page has: initStoreId is padded to 4 digits, null on the home page."""
    return {
        "initStoreId": store.store_code.zfill(4) if store else None,
        "serverSideOutageConfig": {"isOutage": False},
        "assetsUrl": ASSETS,
        "isMobile": False,
    }


def _ordered(ask: Ask, rows: list[int], state: State, sort: str) -> list[int]:
    lines = ask.world.catalogue("coles").lines
    if sort in ("priceAscending", "priceDescending", "unitPriceAscending"):
        sign = -1 if sort == "priceDescending" else 1
        return sorted(rows, key=lambda index: (sign * int(state.offers.price[index]), lines[index].sku))
    if sort in ("brandAscending", "brandDescending"):
        down = sort == "brandDescending"
        return sorted(rows, key=lambda index: (lines[index].brand or "", lines[index].sku), reverse=down)
    return ranked(ask, "coles:rank", rows)


def _advertised(ask: Ask, node: Node, page: int, state: State) -> list[int]:
    """Lines advertised on a page: most of the department, two of others."""
    world = ask.world
    root = world.tree("coles").paths[node.key][0]
    every = np.arange(world.catalogue("coles").main)
    found: list[int] = []
    for name, pool, count in (("own", root.lines, 8), ("other", every, 2)):
        pool = pool[pool < len(every)]
        pool = pool[state.ranged[pool] & state.available[pool]]
        rank = world.dice.uniform(f"coles:ads:{name}", pool, page)
        found += pool[np.argsort(rank)[:count]].tolist()
    return found


def _extras(ask: Ask, node: Node, page: int, organic: list[dict[str, Any]], state: State) -> list[dict[str, Any]]:
    world, lines = ask.world, ask.world.catalogue("coles").lines
    lots = world.dice.uniform("coles:extras", page, len(node.slug), np.arange(4))
    ads = _advertised(ask, node, page, state)
    extras = [featured(record(world, lines[index], state)) for index in ads]
    extras += [tile(page * 10 + number) for number in range(int(lots[0] * 5 * lots[1]))]
    if organic and lots[2] < 0.18:
        extras.append(associated(record(world, lines[ads[-1]], state), organic[0]["id"]))
    if lots[3] < 0.02:
        extras.append({"_type": "CONTENT_ASSOCIATION", "adId": f"content_{page}", "adSource": "Dfp"})
    if organic and lots[3] > 0.97:
        shown = [record(world, lines[index], state) for index in ads[:2]]
        extras.append(
            {"_type": "SHOPPABLE_BANNER", "adId": f"banner_{page}", "adSource": "Dfp", "shoppableProducts": shown}
        )
    return extras


def _results(ask: Ask, node: Node, shown: list[int], page: int, state: State) -> list[dict[str, Any]]:
    world, lines = ask.world, ask.world.catalogue("coles").lines
    displace = "coles_ads_never_displace" not in ask.switches
    rows, organic = [], []
    for index in shown:
        row = record(world, lines[index], state)
        if displace and displaced(lines[index]):
            row = featured(row)
        else:
            organic.append(row)
        rows.append(row)
    for place, extra in enumerate(_extras(ask, node, page, organic, state)):
        rows.insert(min(place * 5, len(rows)), extra)
    return rows


def search_results(ask: Ask, node: Node, store: Store, page: int, sort: str) -> dict[str, Any]:
    """searchResults of one page; past the end, or the cap, `results` is empty and the total stays."""
    state = state_of(ask, store)
    lines = ask.world.catalogue("coles").lines

    def make() -> list[int]:
        found = [index for index in node.lines.tolist() if state.ranged[index] or lines[index].section != "main"]
        return _ordered(ask, [] if ask.tamper.empty else found, state, sort)

    rows = ask.kept((node.slug, store.store_code, ask.day_of(store.store_code), sort), make)
    shown = rows[(page - 1) * SIZE : page * SIZE] if page <= ask.world.coles_page_cap else []
    shown = [] if ask.tamper.no_rows else thinned(ask, shown)
    return {
        "didYouMean": None,
        "noOfResults": len(rows),
        "start": page - 1,
        "pageSize": SIZE,
        "keyword": None,
        "resultType": 1,
        "searchUid": "5f0c7b1a",
        "alternateResult": False,
        "filters": [{"name": "Brand", "values": []}, {"name": "Special", "values": []}],
        "banners": [],
        "pageRestrictions": {"tobaccoProducts": node.restricted, "restrictedByOrganisationProducts": False},
        "results": _results(ask, node, shown, page, state) if shown else [],
        "catalogGroupView": [],
        "excludedCatalogGroupView": {"productCount": 0},
    }


def html(title: str, page: str, query: dict[str, Any], props: dict[str, Any], build: str, extra: str = "") -> str:
    """A page as the browser gets it, with its __NEXT_DATA__."""
    data: dict[str, Any] = {
        "props": {"pageProps": props, "__N_SSP": True},
        "page": page,
        "query": query,
        "buildId": build,
    }
    data.update(isFallback=False, gssp=True, scriptLoader=[])
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title} | Coles</title>{extra}</head><body>'
        f'<div id="__next"><h1>{title}</h1></div>'
        f'<script id="__NEXT_DATA__" type="application/json">{text}</script></body></html>'
    )
