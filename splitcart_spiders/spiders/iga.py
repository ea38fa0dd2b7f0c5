"""IGA: the store is part of every path; only leaves of the tree list products."""

from urllib.parse import quote, urlencode

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import iga
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.trees import Shape
from splitcart_spiders.crawl.walk import Node, Page
from splitcart_spiders.errors import CatalogueError

SITE = "https://www.igashop.com.au"
HEADERS = {"Accept": "application/json", "x-shopping-mode": "11111111-1111-1111-1111-111111111111"}
GONE = 404
TREE = Shape(key="identifier", names=("displayName",), children="children")


class IgaSpider(ChainSpider):
    """`scrapy crawl iga -a store=32600`, the retailerStoreId."""

    name = "iga"
    chain = iga
    page_size = 36
    walks_leaves = True

    @property
    def store_url(self) -> str:
        """The beginning of every URL of this store."""
        return f"{SITE}/api/storefront/stores/{quote(self.store_code, safe='')}"

    @property
    def cookie(self) -> dict[str, str]:
        """The cookie by which the shop remembers the store."""
        return {"iga-shop.retailerStoreId": self.store_code}

    def tree_request(self) -> Request:
        url = f"{self.store_url}/categoryHierarchy"
        return self.request(url, self.on_tree, kind="session", headers=HEADERS, cookies=self.cookie)

    def tree(self, response: Response) -> list[Node]:
        body = self.decoded(response)
        shops = body.get("children") if isinstance(body, dict) else None
        if not isinstance(shops, list):
            raise CatalogueError(f"{response.url} has no list children")
        departments: list[object] = []
        for shop in shops:
            shelves = fields.obj(shop).get("children")
            if not isinstance(shelves, list | None):
                raise CatalogueError(f"{response.url} has {fields.shown(shelves)} for departments: a list is expected")
            departments += shelves or []
        return self.read_tree(departments, TREE)

    def page_request(self, node: Node, page: int) -> Request:
        query = urlencode({"take": self.page_size, "skip": (page - 1) * self.page_size})
        url = f"{self.store_url}/categories/{quote(node.key, safe='')}/search?{query}"
        past_the_end = {"handle_httpstatus_list": [GONE]} if page > 1 else {}
        return self.listing(url, node, page, headers=HEADERS, meta=past_the_end)

    def page(self, response: Response) -> Page:
        if response.status == GONE:
            return Page([], ended=True)
        body = self.decoded(response)
        if not isinstance(body, dict) or not isinstance(body.get("items"), list):
            shown = fields.shown(fields.obj(body).get("items", body))
            raise CatalogueError(f"{response.url} answered {shown}: a list of items is expected")
        total = body.get("total")
        self.check_answer(self.store_code)
        return Page(iga.records(body), total=None if total is None else self.total(total, response))
