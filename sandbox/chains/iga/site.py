"""IGA: what www.igashop.com.au and the leaflet's store finder answer."""

import re
from typing import Any
from urllib.parse import unquote

from sandbox.chains.iga import stores
from sandbox.chains.iga.goods import breadcrumb, name_of, pack_grams, truth
from sandbox.chains.iga.records import record
from sandbox.chains.iga.traits import TRAITS
from sandbox.chains.iga.tree import build, tree_json
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.site import Ask, Reply, dump, integer, opaque, ranked, reply_html, reply_json, state_of, thinned
from sandbox.tree import Node

__all__ = ["SWITCHES", "TRAITS", "answer", "build", "pack_grams", "truth"]

SWITCHES = {
    "iga_end_empty": "past the end every category answers empty items",
    "iga_end_repeats": "past the end every category repeats its last page for ever",
    "iga_end_404": "past the end every category answers 404",
    "iga_no_total": "listings have no total",
}
ENDS = ("iga_end_empty", "iga_end_repeats", "iga_end_404")
STORE = re.compile(r"^/api/storefront/stores/([^/]+)/(.+)$")


def answer(ask: Ask) -> Reply:
    """The site's answer to one request."""
    path = ask.path
    if path == "/":
        reply = reply_html("<!DOCTYPE html><html><head><title>IGA Shop Online</title></head><body></body></html>")
        reply.headers.append(("Set-Cookie", "iga-shop.session=1; Path=/"))
        return reply
    if path == "/api/storefront/stores":
        return stores.storefronts(ask)
    if path.startswith("/location/storelocator/"):
        return stores.finder(ask)
    found = STORE.match(path)
    store = ask.world.store("iga", found[1]) if found else None
    if found is None or store is None or not store.is_online:
        return missing("Store not found")
    rest = found[2]
    if rest == "categoryHierarchy":
        ranged = state_of(ask, store).ranged
        return reply_json(tree_json(ask.world.tree("iga"), ranged, ask.tamper.missing))
    if rest == "search":
        return _search(ask, store)
    if rest.startswith("categories/") and rest.endswith("/search"):
        return _category(ask, store, unquote(rest[len("categories/") : -len("/search")]))
    if rest.startswith("products/"):
        return _detail(ask, store, rest.removeprefix("products/"))
    return missing("Not found")


def missing(text: str) -> Reply:
    return reply_json({"statusCode": 404, "message": text}, 404)


def end_of(key: str, switches: frozenset[str]) -> str:
    """How the listing of a category ends: by a switch, else by its identifier."""
    forced = [name for name in ENDS if name in switches]
    return forced[0] if forced else ENDS[int(opaque(f"end:{key}", 4), 16) % 3]


def _listed(ask: Ask, node: Node, state: State) -> list[int]:
    rows = [] if ask.tamper.empty else [index for index in node.lines.tolist() if state.ranged[index]]
    return ranked(ask, "iga:rank", rows)


def _category(ask: Ask, store: Store, key: str) -> Reply:
    path = ask.world.tree("iga").paths.get(key)
    if path is None or key == ask.tamper.missing:
        return missing("Category not found")
    take, skip = integer(ask.query.get("take"), 20), integer(ask.query.get("skip"), 0)
    if take is None or skip is None or not 1 <= take <= 100 or skip < 0:
        return reply_json({"statusCode": 400, "message": "take or skip is invalid"}, 400)
    state = state_of(ask, store)
    day = ask.day_of(store.store_code)
    rows = ask.kept((key, store.store_code, day), lambda: _listed(ask, path[-1], state))
    end = end_of(key, ask.switches)
    if rows and skip >= len(rows):
        if end == "iga_end_404":
            return missing("Page not found")
        if end == "iga_end_repeats":
            skip = (len(rows) - 1) // take * take
    skip = 0 if ask.tamper.page_one else skip

    def render() -> bytes:
        shown = [] if ask.tamper.no_rows else thinned(ask, rows[skip : skip + take])
        lines = ask.world.catalogue("iga").lines
        return _body(ask, store, state, [lines[index] for index in shown], len(rows))

    return Reply(body=ask.cached((key, store.store_code, day, take, skip), render))


def _body(ask: Ask, store: Store, state: State, lines: list[Line], total: int) -> bytes:
    items = [record(line, store, state, breadcrumb(ask.world, line)) for line in lines]
    body: dict[str, Any] = {"items": items, "total": total, "facets": [], "pagination": None}
    if "iga_no_total" in ask.switches:
        del body["total"]
    return dump(body)


def _search(ask: Ask, store: Store) -> Reply:
    words, take, skip = ask.query.get("q", ""), integer(ask.query.get("take"), 20), integer(ask.query.get("skip"), 0)
    if take is None or skip is None or not 1 <= take <= 100 or skip < 0:
        return reply_json({"statusCode": 400, "message": "take or skip is invalid"}, 400)
    state = state_of(ask, store)
    lines = ask.world.catalogue("iga").lines
    found = [
        line
        for line in lines
        if len(words) <= 50 and state.ranged[line.index]
        if all(word in name_of(line).lower() for word in words.lower().split())
    ]
    return reply_json(_body(ask, store, state, found[skip : skip + take], len(found)))


def _detail(ask: Ask, store: Store, sku: str) -> Reply:
    state = state_of(ask, store)
    line = next((line for line in ask.world.catalogue("iga").lines if line.sku == sku), None)
    if line is None or not state.ranged[line.index]:
        return missing("Product not found")
    return reply_json(record(line, store, state, breadcrumb(ask.world, line)))
