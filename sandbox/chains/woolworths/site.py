"""Woolworths: what www.woolworths.com.au answers."""

from typing import Any

from sandbox.chains.woolworths import stores
from sandbox.chains.woolworths.constants import DENIED, HOME
from sandbox.chains.woolworths.goods import display_name, pack_grams, truth
from sandbox.chains.woolworths.listing import FLAGS, bundles_of, listing, page_body
from sandbox.chains.woolworths.records import record
from sandbox.chains.woolworths.traits import TRAITS
from sandbox.chains.woolworths.tree import build, tree_json
from sandbox.places.places import Store
from sandbox.site import Ask, Reply, dump, holds, integer, issue, reply_html, reply_json, state_of

__all__ = ["SWITCHES", "TRAITS", "answer", "build", "denial", "pack_grams", "truth"]

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
        return stores.locator(ask)
    if not holds(ask, COOKIE):
        return denial(path)
    if path == "/apis/ui/PiesCategoriesWithSpecials" and ask.method == "GET":
        tree = ask.world.tree("woolworths")
        return Reply(body=ask.cached(("tree",), lambda: dump(tree_json(tree, ask.tamper.missing))))
    if path == "/apis/ui/browse/category" and ask.method == "POST":
        return _browse(ask)
    if path == "/apis/ui/Search/products":
        return _search(ask)
    for prefix in ("/apis/ui/products/", "/apis/ui/product/detail/", "/api/v3/ui/schemaorg/product/"):
        if path.startswith(prefix):
            return _detail(ask, prefix, path[len(prefix) :])
    if path == "/api/v3/ui/fulfilment/stores":
        return stores.fulfilment(ask)
    return reply_html("<html><body><h1>Page not found</h1></body></html>", 404)


def _store(ask: Ask, asked: Any) -> Store:
    """The store that answers: the one asked for, else 1101."""
    found = None if "woolworths_answers_1101" in ask.switches else ask.world.store("woolworths", str(asked))
    fallback = ask.world.store("woolworths", "1101")
    if fallback is None:
        raise LookupError("the world has no store 1101")
    return found or fallback


def _browse(ask: Ask) -> Reply:
    body = ask.json()
    if not isinstance(body, dict):
        return reply_json({"Message": "The request is invalid."}, 400)
    page, size = integer(body.get("pageNumber"), 1), integer(body.get("pageSize"), 24)
    if page is None or size is None or page < 1 or not 1 <= size <= 36:
        return reply_json({"Message": "The request is invalid."}, 400)
    node = ask.world.tree("woolworths").paths.get(str(body.get("categoryId")))
    if node is None or ask.tamper.missing in (node[0].key, node[0].slug):
        return reply_json(listing(None, [], 0))
    store = _store(ask, body.get("storeId"))
    page = 1 if ask.tamper.page_one else page
    flags = tuple(bool(body.get(flag)) for flag in FLAGS)
    day = ask.day_of(store.store_code)
    key = (node[-1].key, store.store_code, day, page, size, str(body.get("sortType")), flags)
    return Reply(body=ask.cached(key, lambda: page_body(ask, node[-1], body, store, page, size)))


def _search(ask: Ask) -> Reply:
    body = ask.json() if ask.method == "POST" else None
    fields = body if isinstance(body, dict) else dict(ask.query)
    term = str(fields.get("SearchTerm") or fields.get("searchTerm") or "").lower()
    size = integer(fields.get("PageSize") or fields.get("pageSize"), 24)
    page = integer(fields.get("PageNumber") or fields.get("pageNumber"), 1)
    if size is None or page is None or page < 1 or not 1 <= size <= 36:
        return reply_json({"Message": "The request is invalid."}, 400)
    store = _store(ask, fields.get("storeId"))
    state, day = state_of(ask, store), ask.day_of(store.store_code)
    catalogue = ask.world.catalogue("woolworths")
    found = [
        line
        for line in catalogue.lines[: catalogue.main]
        if state.ranged[line.index] and all(word in display_name(line).lower() for word in term.split())
    ]
    rows = [
        record(ask.world, line, state, day, int(store.store_code)) for line in found[(page - 1) * size : page * size]
    ]
    return reply_json({
        "Products": bundles_of(ask, rows, 0), "SearchResultsCount": len(found), "HasTobaccoItems": False,
        "SuggestedTerm": None, "Success": True,
    })  # fmt: skip


def _detail(ask: Ask, prefix: str, codes: str) -> Reply:
    store = _store(ask, None)
    state, day = state_of(ask, store), ask.day_of(store.store_code)
    wanted = set(codes.split(","))
    lines = [line for line in ask.world.catalogue("woolworths").lines if line.sku in wanted]
    rows = [record(ask.world, line, state, day, int(store.store_code)) for line in lines]
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
