"""Coles: a session that begins in a real browser, the tree from a page, listings from the site's data addresses."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from splitcart_spiders.arguments import count
from splitcart_spiders.chains import coles
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.answers import request_of, status_of
from splitcart_spiders.crawl.trees import Shape
from splitcart_spiders.crawl.walk import Node, Page
from splitcart_spiders.crawl.walker import PageOutput
from splitcart_spiders.errors import CatalogueError
from splitcart_spiders.items import BarcodeItem, Drop, ProductItem
from splitcart_spiders.sessions.shopper import ShopperSpider

SITE = "https://www.coles.com.au"
HEADERS = {"Accept": "application/json, text/plain, */*", "Accept-Language": "en-AU,en;q=0.9", "Referer": f"{SITE}/"}
GONE = 404
MOST_HOPS = 3
"""Redirects that are followed from one product page to another."""
LONGEST_BUILD = 200
TREE = Shape(
    key="seoToken",
    names=("name", "originalName"),
    children="catalogGroupView",
    keys_are_paths=True,
    is_promo=lambda raw: raw.get("subType") == "SEASONAL",
    only_roots_are_marked=True,
)
# Times that one crawl reads a new build id; a site whose servers disagree for longer cannot be crawled truthfully.
MOST_BUILDS = 10


class ColesSpider(ShopperSpider):
    """`scrapy crawl coles -a store=357`"""

    name = "coles"
    chain = coles
    first_page = f"{SITE}/"
    store_cookies = frozenset({"fulfillmentStoreId", "shopping-method"})
    page_size = 48
    asks_barcodes = True
    # 104 pages of 48 are all that a query gives.
    cap = 104 * 48 + 1

    def __init__(self, gtins: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build: str | None = None
        self.rebuilt = 0
        self.waiting: list[tuple[Callable[[], Request], Callable[[], list[BarcodeItem]]]] = []
        """For each request that the old build refused: how to make it again, and how to fail it."""
        self.most_lookups = count(gtins, "gtins")
        self.looked_up: set[str] = set()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by which a page answers for a store."""
        return {"fulfillmentStoreId": self.store_code, "shopping-method": "clickAndCollect"}

    def tree_request(self) -> Request:
        return self.browse(self.on_tree)

    def browse(self, callback: Callable[..., Any], **kwargs: Any) -> Request:
        """The page that names the build and every category."""
        meta = {"expects": "html"}
        return self.request(f"{SITE}/browse", callback, kind="session", cookies=self.cookies, meta=meta, **kwargs)

    def tree(self, response: Response) -> list[Node]:
        page = fields.obj(fields.obj(self.next_data(response).get("props")).get("pageProps"))
        roots = fields.obj(page.get("allProductCategories")).get("catalogGroupView")
        if not isinstance(roots, list):
            raise CatalogueError(f"{response.url} has no list catalogGroupView")
        return self.read_tree(roots, TREE)

    def next_data(self, response: Response) -> dict[str, Any]:
        """The page's own data; sets the build id that the data addresses contain."""
        data = fields.obj(coles.next_data(getattr(response, "text", None)))
        build = fields.text(data.get("buildId"), LONGEST_BUILD)
        if not build:
            raise CatalogueError(f"{response.url} carries no __NEXT_DATA__ with a buildId")
        self.build = build
        return data

    def page_request(self, node: Node, page: int) -> Request:
        query = urlencode([*(("slug", part) for part in node.key.split("/")), ("page", page)])
        url = f"{SITE}/_next/data/{quote(self.build or '', safe='')}/en/browse/{quote(node.key)}.json?{query}"
        return self.listing(url, node, page, headers=HEADERS, cookies=self.cookies, meta={"build": self.build})

    def page(self, response: Response) -> Page:
        body = self.decoded(response)
        props = body.get("pageProps") if isinstance(body, dict) else None
        results = props.get("searchResults") if isinstance(props, dict) else None
        if not isinstance(results, dict):
            raise CatalogueError(f"{response.url} did not answer with a listing")
        self.check_answer(coles.answered_for(props))
        return Page(coles.records(body), total=self.total(results.get("noOfResults"), response))

    def is_listed(self, record: object, item: ProductItem | Drop, node: Node) -> bool:
        """Advertised rows replace rows of the listing, so one counts as listed if it has a shelf in the category."""
        if isinstance(item, Drop):
            return False
        return not item.sponsored or coles.is_shelved(record, node.path)

    def refused(self, status: int, request: Request, node: Node, page: int) -> list[Request] | None:
        """A 404 or 5xx may mean a stale build: read the new one and ask again; under the same build it fails."""

        def fail() -> list[BarcodeItem]:
            self.walker.fail(node, f"page {page} of {node.key} answered {status}")
            return []

        return self.under_a_new_build(status, request, partial(self.page_request, node, page), fail)

    def under_a_new_build(
        self, status: int, request: Request, again: Callable[[], Request], fail: Callable[[], list[BarcodeItem]]
    ) -> list[Request] | None:
        """The requests to send instead of one that an old build may have refused; None if that is not the cause."""
        if (status != GONE and status < 500) or self.rebuilt >= MOST_BUILDS:
            return None
        if request.meta.get("build") != self.build:
            return [again()]
        self.waiting.append((again, fail))
        if len(self.waiting) > 1:
            return []
        self.rebuilt += 1
        self.count("listing/stale_build")
        return [self.browse(self.on_new_build, errback=self.on_no_build)]

    def on_new_build(self, response: Response) -> PageOutput:
        """Repeat every request that the old build refused; if the build is the same, fail them."""
        before, waiting, self.waiting = self.build, self.waiting, []
        try:
            self.next_data(response)
        except CatalogueError as error:
            self.fail_tree(str(error))
            return
        for again, fail in waiting:
            yield from fail() if self.build == before else [again()]
        yield from self.walker.promos_at_last()

    def on_no_build(self, failure: Failure) -> PageOutput:
        """Fail every waiting request, since the page of the new build cannot be read either; the crawl continues."""
        if self.is_over(failure):
            return
        waiting, self.waiting = self.waiting, []
        for _, fail in waiting:
            yield from fail()
        yield from self.walker.promos_at_last()

    # Barcodes --------------------------------------------------------------------------------------------------

    def on_page(self, response: Response, node: Node, number: int) -> PageOutput:
        """A listing page; then the product page of each listing whose barcode was not looked up lately."""
        for each in super().on_page(response, node, number):
            yield each
            if isinstance(each, ProductItem) and self.wants_barcode(each):
                self.looked_up.add(each.sku)
                yield self.product_request(each.sku, str(each.url).rpartition("/")[2])

    def wants_barcode(self, item: ProductItem) -> bool:
        """Whether to request this listing's barcode; `-a gtins=500` limits how many a run requests."""
        is_spent = self.most_lookups is not None and len(self.looked_up) >= self.most_lookups
        is_known = item.gtin or not item.url or item.sku in self.barcodes_known or item.sku in self.looked_up
        return not (is_spent or is_known or self.probe)

    def product_request(self, sku: str, slug: str, hops: int = 0) -> Request:
        """The request for the data of one product page; `hops`: how many redirects led here."""
        build, query = quote(self.build or "", safe=""), urlencode({"slug": slug})
        return self.request(
            f"{SITE}/_next/data/{build}/en/product/{quote(slug)}.json?{query}",
            self.on_product,
            kind="barcode",
            errback=self.on_product_error,
            headers=HEADERS,
            cookies=self.cookies,
            cb_kwargs={"sku": sku, "slug": slug, "hops": hops},
            meta={"build": self.build},
        )

    def on_product(self, response: Response, sku: str, slug: str, hops: int = 0) -> Iterator[BarcodeItem | Request]:
        """The barcode, or that there is none; after a response without this product the barcode remains unknown."""
        try:
            body = self.decoded(response)
        except CatalogueError:
            self.count("barcodes/unreadable")
            return
        if coles.shows_product(body, sku):
            gtin = coles.gtin_from_product(body, sku)
            self.count("barcodes/found" if gtin else "barcodes/none")
            yield self.barcode(sku, gtin)
        elif hops < MOST_HOPS and (there := coles.redirect(body, sku)) not in (None, slug):
            self.count("barcodes/redirected")
            yield self.product_request(sku, there, hops + 1)
        else:
            self.count("barcodes/not_answered")

    def barcode(self, sku: str, gtin: str | None) -> BarcodeItem:
        """The item that records a look-up."""
        self.walker.yielded += 1
        return BarcodeItem(company=coles.COMPANY, store_id=self.store_code, sku=sku, gtin=gtin)

    def on_product_error(self, failure: Failure) -> Iterator[Request | BarcodeItem]:
        """Record a product page that does not exist as looked up; nothing here fails a category."""
        if self.is_over(failure):
            return
        self.count("barcodes/failed")
        status = status_of(failure.value)
        if status is not None:
            request = request_of(failure)
            kwargs = request.cb_kwargs

            def fail() -> list[BarcodeItem]:
                return [self.barcode(kwargs["sku"], None)] if status == GONE else []

            instead = self.under_a_new_build(status, request, partial(self.product_request, **kwargs), fail)
            yield from fail() if instead is None else instead
