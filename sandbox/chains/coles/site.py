"""Coles: what www.coles.com.au and its store locator answer."""

from typing import Any

from sandbox.chains.coles.goods import pack_grams, truth
from sandbox.chains.coles.listing import html, page_props, search_results
from sandbox.chains.coles.records import json_ld, product
from sandbox.chains.coles.stores import locator
from sandbox.chains.coles.traits import TRAITS
from sandbox.chains.coles.tree import build, tree_json
from sandbox.pages import IMPERVA_SCRIPT
from sandbox.places.places import Store
from sandbox.site import HTML, Ask, Reply, dump, holds, integer, issue, reply_html, reply_json, state_of
from sandbox.tree import Node

__all__ = ["SWITCHES", "TRAITS", "answer", "build", "pack_grams", "truth"]

COOKIE = "incap_ses_1320_2800108"
SWITCHES = {
    "coles_ignores_store": "the cookie is ignored and store 584 answers",
    "coles_needs_browser": "only a script of the first page sets the session cookie, no header does",
    "coles_stale_500": "the data of an old build answers 500, instead of 404",
    "coles_products_moved": "product pages answer with a redirect to a new address",
    "coles_ads_never_displace": "every page has all its organic rows",
}


def answer(ask: Ask) -> Reply:
    """The site's answer to one request."""
    path = ask.path
    if path == "/digital/colesweb/v1/stores/search":
        return locator(ask)
    if path.startswith("/api/"):
        message = "Access denied due to missing subscription key."
        return reply_json({"statusCode": 401, "message": message}, 401)
    if path in ("/", "/browse"):
        return _entrance(ask)
    if not holds(ask, COOKIE):
        return reply_html(IMPERVA_SCRIPT)
    if path.startswith("/_next/data/"):
        return _data(ask, path.removeprefix("/_next/data/"))
    if path.startswith("/browse/"):
        return _listing(ask, path.removeprefix("/browse/"), as_html=True)
    if path.startswith("/product/"):
        return _product(ask, path.removeprefix("/product/"), as_html=True)
    return _missing()


def _missing() -> Reply:
    return reply_html("<!DOCTYPE html><html><head><title>404 | Coles</title></head><body>Not found</body></html>", 404)


def _entrance(ask: Ask) -> Reply:
    """The pages on which a visit begins; they set the session cookie, by header or by a script."""
    known = holds(ask, COOKIE)
    if "coles_needs_browser" in ask.switches and not known:
        value = issue(ask, COOKIE)
        parts = ",".join(f"'{value[place : place + 7]}'" for place in range(0, len(value), 7))
        script = f"document.cookie='{COOKIE}='+[{parts}].join('')+'; path=/';location.reload();"
        return reply_html(f"<!DOCTYPE html><html><head><script>{script}</script></head><body></body></html>")
    if ask.path == "/":
        reply = reply_html(html("Coles Supermarkets", "/", {}, page_props(ask, None), ask.build))
    else:
        reply = reply_html(html("Browse", "/browse", {}, _browse_props(ask), ask.build))
    if not known:
        reply.headers.append(("Set-Cookie", f"{COOKIE}={issue(ask, COOKIE)}; Path=/"))
        reply.headers.append(("Set-Cookie", "visid_incap_2800108=k3T9; Path=/; Max-Age=31536000"))
    return reply


def _store(ask: Ask) -> Store:
    """The store that answers: that of the cookie, else 584."""
    asked = (ask.cookies.get("fulfillmentStoreId") or "").lstrip("0")
    found = None if "coles_ignores_store" in ask.switches else ask.world.store("coles", asked)
    fallback = ask.world.store("coles", "584")
    if fallback is None:
        raise LookupError("the world has no store 584")
    return found or fallback


def _browse_props(ask: Ask) -> dict[str, Any]:
    store = _store(ask)
    tree = tree_json(ask.world.tree("coles"), state_of(ask, store).ranged, ask.tamper.missing)
    return {**page_props(ask, store), "allProductCategories": tree}


def _data(ask: Ask, rest: str) -> Reply:
    """/_next/data/{build}/[en/]...json"""
    build, _, name = rest.partition("/")
    name = name.removeprefix("en/")
    if build != ask.build and "coles_stale_500" in ask.switches:
        return reply_json({"statusCode": 500, "message": "Internal Server Error"}, 500)
    if build != ask.build or not name.endswith(".json"):
        return _missing()
    name = name.removesuffix(".json")
    if name == "browse":
        return reply_json({"pageProps": _browse_props(ask), "__N_SSP": True})
    if name.startswith("browse/"):
        return _listing(ask, name.removeprefix("browse/"), as_html=False)
    if name.startswith("product/"):
        return _product(ask, name.removeprefix("product/"), as_html=False)
    return _missing()


def _node(ask: Ask, slug: str) -> Node | None:
    for path in ask.world.tree("coles").paths.values():
        if path[-1].slug == slug:
            return None if ask.tamper.missing in (path[0].key, path[0].slug) else path[-1]
    return None


def _listing(ask: Ask, slug: str, *, as_html: bool) -> Reply:
    node = _node(ask, slug)
    if node is None:
        return _missing()
    page = integer(ask.query.get("page"), 1)
    if page is None or page < 1:
        return reply_json({"errors": [{"errorCode": "400", "message": "page is invalid"}]}, 400)
    page = 1 if ask.tamper.page_one else page
    store, sort = _store(ask), ask.query.get("sortBy", "salesDescending")
    key = (slug, store.store_code, ask.day_of(store.store_code), page, sort, as_html and ask.build)

    def render() -> bytes:
        props = {
            **page_props(ask, store),
            "searchResults": search_results(ask, node, store, page, sort),
            "searchSessionId": "0d1a7c66-27f5-4d0e-9a55-0f5b0f6f8c11",
            "sortByValue": sort,
            "isRestricted": node.restricted,
            "aemContentFragment": None,
            "aemBrandFragment": None,
        }
        if not as_html:
            return dump({"pageProps": props, "initialState": {}, "__N_SSP": True})
        query = {"page": str(page), "slug": slug.split("/")}
        return html(node.name, "/browse/[...slug]", query, props, ask.build).encode()

    body = ask.cached(key, render)
    return Reply(body=body, content_type=HTML) if as_html else Reply(body=body)


def _product(ask: Ask, slug: str, *, as_html: bool) -> Reply:
    sku = slug.rpartition("-")[2]
    line = next((line for line in ask.world.catalogue("coles").lines if line.sku == sku), None)
    if line is None:
        return _missing()
    if "coles_products_moved" in ask.switches and not as_html and not slug.startswith("moved-"):
        to = {"__N_REDIRECT": f"/product/moved-{slug}", "__N_REDIRECT_STATUS": 308}
        return reply_json({"pageProps": to, "__N_SSP": True})
    store = _store(ask)
    props = {**page_props(ask, store), "product": product(ask.world, line, state_of(ask, store))}
    if not as_html:
        return reply_json({"pageProps": props, "__N_SSP": True})
    extra = f'<script type="application/ld+json">{json_ld(line)}</script>'
    return reply_html(html(line.good.words, "/product/[slug]", {"slug": slug}, props, ask.build, extra))
