"""ALDI: an open JSON API; a page past the end answers 400."""

from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import aldi
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.trees import Shape
from splitcart_spiders.crawl.walk import Node, Page
from splitcart_spiders.errors import CatalogueError

API = "https://api.aldi.com.au"
HEADERS = {"Accept": "application/json", "Origin": "https://www.aldi.com.au", "Referer": "https://www.aldi.com.au/"}
PAST_THE_END = 400
TREE = Shape(key="key", names=("name",), slug="urlSlugText", children="children")


class AldiSpider(ChainSpider):
    """`scrapy crawl aldi -a store=G452`; nothing in an answer proves which store gave it."""

    name = "aldi"
    chain = aldi
    page_size = 30

    def tree_request(self) -> Request:
        query = urlencode({"serviceType": "walk-in", "servicePoint": self.store_code})
        return self.request(f"{API}/v2/product-category-tree?{query}", self.on_tree, kind="session", headers=HEADERS)

    def tree(self, response: Response) -> list[Node]:
        body = self.decoded(response)
        roots = body.get("data") if isinstance(body, dict) else None
        if not isinstance(roots, list):
            raise CatalogueError(f"{response.url} has no list data")
        return self.read_tree(roots, TREE)

    def page_request(self, node: Node, page: int) -> Request:
        query = {
            "currency": "AUD",
            "serviceType": "walk-in",
            "categoryKey": node.key,
            "limit": self.page_size,
            "offset": (page - 1) * self.page_size,
            "sort": "name_asc",
            "testVariant": "A",
            "servicePoint": self.store_code,
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
        return Page(aldi.records(body), total=self.total(pagination.get("totalCount"), response))
