"""Woolworths: a cookie warm-up, one tree request, then 36 products a page by POST."""

import json
from datetime import datetime

from scrapy import Request
from scrapy.http import Response

from splitcart_spiders.chains import woolworths
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.crawl.trees import Shape
from splitcart_spiders.crawl.walk import Node, Page
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import Drop, ProductItem

SITE = "https://www.woolworths.com.au"
HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Content-Type": "application/json",
    "Origin": SITE,
    "Referer": f"{SITE}/shop/browse",
}
TREE = Shape(
    key="NodeId",
    names=("Description", "UrlFriendlyName"),
    slug="UrlFriendlyName",
    children="Children",
    is_promo=lambda raw: raw.get("IsSpecial") is True,
    drops_promos=True,
)


class WoolworthsSpider(ChainSpider):
    """`scrapy crawl woolworths -a store=1147`"""

    name = "woolworths"
    chain = woolworths
    page_size = 36
    cap = 10_000

    def session_request(self) -> Request:
        return self.request(f"{SITE}/", self.on_session, kind="session", meta={"expects": "html"})

    def tree_request(self) -> Request:
        url = f"{SITE}/apis/ui/PiesCategoriesWithSpecials"
        return self.request(url, self.on_tree, kind="session", headers=HEADERS)

    def tree(self, response: Response) -> list[Node]:
        body = self.decoded(response)
        roots = body.get("Categories") if isinstance(body, dict) else None
        if not isinstance(roots, list):
            raise CatalogueError(f"{response.url} has no list Categories")
        return self.read_tree(roots, TREE)

    def page_request(self, node: Node, page: int) -> Request:
        location = f"/shop/browse/{node.slug}?pageNumber={page}&sortBy=Name"
        body = {
            "categoryId": node.key,
            "pageNumber": page,
            "pageSize": self.page_size,
            "sortType": "Name",
            "url": location,
            "location": location,
            "formatObject": json.dumps({"name": node.path[-1]}),
            "isSpecial": False,
            "isBundle": False,
            "isMobile": False,
            "filters": [],
            "token": "",
            "gpBoost": 0,
            "isHideUnavailableProducts": False,
            "isHideEverydayMarketProducts": not self.keeps_marketplace,
            "isRegisteredRewardCardPromotion": False,
            "enableAdReRanking": False,
            "groupEdmVariants": False,
            "categoryVersion": "v2",
            "storeId": self.store_code,
        }
        url = f"{SITE}/apis/ui/browse/category"
        return self.listing(url, node, page, method="POST", body=json.dumps(body), headers=HEADERS)

    @property
    def keeps_marketplace(self) -> bool:
        """The setting KEEP_MARKETPLACE: whether rows of other sellers are wanted too."""
        return self.settings.getbool("KEEP_MARKETPLACE")

    def to_item(self, record: object, node: Node, now: datetime) -> ProductItem | Drop:
        keep = self.keeps_marketplace
        return woolworths.to_item(
            record, store_id=self.store_code, category_path=node.path, now=now, keep_marketplace=keep
        )

    def page(self, response: Response) -> Page:
        body = self.decoded(response)
        if not isinstance(body, dict) or body.get("Success") is False:
            raise CatalogueError(f"{response.url} did not answer with a listing")
        records = woolworths.records(body)
        for record in records:
            self.check_answer(woolworths.answered_for(record))
        return Page(records, total=self.total(body.get("TotalRecordCount"), response))
