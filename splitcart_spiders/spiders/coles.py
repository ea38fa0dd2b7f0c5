"""Coles: a session begun in a real browser, the tree from a page, listings from the site's own data door."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chain_spider import ChainSpider
from splitcart_spiders.chains import coles
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.walk import Node, Page, is_named

SITE = "https://www.coles.com.au"
HEADERS = {"Accept": "application/json, text/plain, */*", "Accept-Language": "en-AU,en;q=0.9", "Referer": f"{SITE}/"}
STALE = 404
# Times that one crawl reads a new build id; a site whose servers disagree for longer is not crawled truthfully.
MOST_BUILDS = 10


class ColesSpider(ChainSpider):
    """`scrapy crawl coles -a store=357`"""

    name = "coles"
    chain = coles
    page_size = 48
    # 104 pages of 48 are all that a query gives.
    cap = 104 * 48 + 1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build: str | None = None
        self.rebuilt = 0
        self.waiting: list[tuple[Node, int]] = []

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by which a page answers for a store."""
        return {"fulfillmentStoreId": self.store_id, "shopping-method": "clickAndCollect"}

    def tree_request(self) -> Request:
        return self.browse(self.on_tree)

    def browse(self, callback: Any) -> Request:
        """The page that names the build and every category."""
        meta = {"expects": "html"}
        return self.request(f"{SITE}/browse", callback, kind="session", cookies=self.cookies, meta=meta)

    def tree(self, response: Response) -> list[Node]:
        data = self.next_data(response)
        page = (data.get("props") or {}).get("pageProps") or {}
        found = (page.get("allProductCategories") or {}).get("catalogGroupView")
        if not isinstance(found, list):
            raise CatalogueError(f"{response.url} has no list catalogGroupView")
        return [node for raw in found if (node := self.node(raw, (), (), False))]

    def next_data(self, response: Response) -> dict[str, Any]:
        """The page's own data; remembers the build id that the data door wants."""
        data = self.chain.next_data(response.text)
        if not isinstance(data, dict) or not data.get("buildId"):
            raise CatalogueError(f"{response.url} carries no __NEXT_DATA__ with a buildId")
        self.build = str(data["buildId"])
        return data

    def node(self, raw: Any, above: tuple[str, ...], slugs: tuple[str, ...], promo: bool) -> Node | None:
        if not isinstance(raw, dict) or not raw.get("seoToken"):
            return None
        token = str(raw["seoToken"])
        path = (*above, str(raw.get("name") or raw.get("originalName") or token).strip())
        slug = "/".join((*slugs, token))
        promo = promo or (not above and is_named(Node(slug, path, slug=token), self.chain.PROMO_ROOTS))
        children = (self.node(child, path, (*slugs, token), promo) for child in raw.get("catalogGroupView") or [])
        return Node(slug, path, promo, tuple(child for child in children if child), token)

    def page_request(self, node: Node, page: int) -> Request:
        query = urlencode([*(("slug", part) for part in node.key.split("/")), ("page", page)])
        url = f"{SITE}/_next/data/{quote(self.build or '', safe='')}/en/browse/{quote(node.key)}.json?{query}"
        return self.listing(url, node, page, headers=HEADERS, cookies=self.cookies, meta={"build": self.build})

    def page(self, response: Response) -> Page:
        body = self.decoded(response)
        props = body.get("pageProps") if isinstance(body, dict) else None
        found = props.get("searchResults") if isinstance(props, dict) else None
        if not isinstance(found, dict):
            raise CatalogueError(f"{response.url} did not answer with a listing")
        self.check_answer(self.chain.answered_for(props))
        total = found.get("noOfResults")
        if isinstance(total, bool) or not isinstance(total, int):
            raise CatalogueError(f"{response.url} gives no noOfResults")
        return Page(self.chain.records(body), total=total)

    def refused(self, response: Response, node: Node, page: int) -> list[Request] | None:
        """A 404 means a stale build first: read the new one once, then ask again; a second 404 is the category's."""
        asked_with = str(response.meta.get("build"))
        if response.status != STALE:
            return None
        if asked_with != self.build:
            return [self.page_request(node, page)]
        if self.rebuilt >= MOST_BUILDS:
            return None
        self.waiting.append((node, page))
        if len(self.waiting) > 1:
            return []
        self.rebuilt += 1
        self.count("listing/stale_build")
        return [self.browse(self.on_new_build)]

    def on_new_build(self, response: Response) -> Iterator[Request]:
        """Ask again for every page that the old build refused; with the same build those categories have failed."""
        before, waiting, self.waiting = self.build, self.waiting, []
        try:
            self.next_data(response)
        except CatalogueError as error:
            self.fail_tree(str(error))
            return
        for node, page in waiting:
            if self.build == before:
                self.walker.fail(node, f"page {page} of {node.key} answered {STALE}")
            else:
                yield self.page_request(node, page)
