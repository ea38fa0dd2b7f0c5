"""ALDI: an open JSON API; a page past the end answers 400."""

from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chain_spider import ChainSpider
from splitcart_spiders.chains import aldi
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.walk import Node, Page, is_promo_root

API = "https://api.aldi.com.au"
HEADERS = {"Accept": "application/json", "Origin": "https://www.aldi.com.au", "Referer": "https://www.aldi.com.au/"}
PAST_THE_END = 400


class AldiSpider(ChainSpider):
    """`scrapy crawl aldi -a store=G452`; nothing in an answer proves which store gave it."""

    name = "aldi"
    chain = aldi
    page_size = 30

    def tree_request(self) -> Request:
        query = urlencode({"serviceType": "walk-in", "servicePoint": self.store_id})
        return self.request(f"{API}/v2/product-category-tree?{query}", self.on_tree, kind="session", headers=HEADERS)

    def tree(self, response: Response) -> list[Node]:
        body = self.decoded(response)
        found = body.get("data") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise CatalogueError(f"{response.url} has no list data")
        return [node for raw in found if (node := self.node(raw, (), False))]

    def node(self, raw: Any, above: tuple[str, ...], promo: bool) -> Node | None:
        if not isinstance(raw, dict) or not raw.get("key"):
            return None
        key, slug = str(raw["key"]), str(raw.get("urlSlugText") or "")
        path = (*above, str(raw.get("name") or key).strip())
        promo = promo or (not above and is_promo_root(Node(key, path, slug=slug), self.chain.PROMO_ROOTS))
        children = (self.node(child, path, promo) for child in raw.get("children") or [])
        return Node(key, path, promo, tuple(child for child in children if child), slug)

    def page_request(self, node: Node, page: int) -> Request:
        query = {
            "currency": "AUD",
            "serviceType": "walk-in",
            "categoryKey": node.key,
            "limit": self.page_size,
            "offset": (page - 1) * self.page_size,
            "sort": "name_asc",
            "testVariant": "A",
            "servicePoint": self.store_id,
        }
        past_the_end = {"handle_httpstatus_list": [PAST_THE_END]} if page > 1 else {}
        return self.listing(
            f"{API}/v3/product-search?{urlencode(query)}", node, page, headers=HEADERS, meta=past_the_end
        )

    def page(self, response: Response) -> Page:
        if response.status == PAST_THE_END:
            return Page([], ended=True)
        body = self.decoded(response)
        meta = body.get("meta") if isinstance(body, dict) else None
        pagination = meta.get("pagination") if isinstance(meta, dict) else None
        if not isinstance(pagination, dict) or not isinstance(body.get("data"), list):
            raise CatalogueError(f"{response.url} did not answer with a listing")
        return Page(self.chain.records(body), total=self.total(pagination.get("totalCount"), response))
