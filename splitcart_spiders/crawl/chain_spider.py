"""The base of every product spider: how a store is crawled. A spider states the addresses, its mapping the fields."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from splitcart_spiders.arguments import count, lease_of, names, store_code, truth
from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.answers import decoded, describe, request_of, status_of
from splitcart_spiders.crawl.trees import Shape, TreeReader
from splitcart_spiders.crawl.walk import Node, Page
from splitcart_spiders.crawl.walker import PageOutput, Walker
from splitcart_spiders.errors import CatalogueError, StoreMismatch, UnknownCategory, UnreadableTree, ends_crawl
from splitcart_spiders.items import CategoryItem, Drop, ProductItem
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.storefront import StorefrontSpider

MOST_PRODUCTS = 1_000_000
"""More than any category of any store lists."""
PRIORITY = {"session": 30, "department": 0, "promo": -10, "barcode": -20}


class ChainSpider(StorefrontSpider):
    """A crawl of one store: session, category tree, then every category page by page, each with its proof."""

    page_size: ClassVar[int]
    cap: ClassVar[int | None] = None
    """The most products that one query gives."""
    walks_leaves: ClassVar[bool] = False
    """Whether only leaves of the tree list products."""
    asks_barcodes: ClassVar[bool] = False
    """Whether barcodes are read from product pages, so that the run extension sets `barcodes_known`."""

    def __init__(
        self,
        store: str | None = None,
        dev: str | None = None,
        categories: str | None = None,
        probe: str | None = None,
        resume: str | None = None,
        wait: str | None = None,
        clock: str | None = None,
        lease: str | None = None,
        unlisted: str | None = None,
        accept_fulfilment: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dev=dev, clock=clock, **kwargs)
        self.store_code = store_code(store, self.name)
        self.resume = truth(resume, "resume")
        self.wait = truth(wait, "wait")
        self.lease = lease_of(lease)
        """The token of the lease that a scheduler took for this crawl."""
        self.unlisted = truth(unlisted, "unlisted")
        """Whether the store is crawled though the chain's locator does not list it."""
        self.accept_fulfilment = truth(accept_fulfilment, "accept_fulfilment")
        self.wanted = names(categories, "categories")
        self.probe = count(probe, "probe", least=1)
        self.answered_for: str | None = None
        self.fulfilled_by: str | None = None
        """Another store that may answer for this one; set by the run extension from the stores row."""
        self.barcodes_known: frozenset[str] = frozenset()
        """Skus whose barcode is known or was looked up lately; set by the run extension if `asks_barcodes`."""
        self.odd_nodes = 0
        """Nodes of the tree that were left out, because they are not objects or have no id."""
        self.walker = Walker(self)

    # What a chain defines -----------------------------------------------------------------------------------------

    def session_request(self) -> Request | None:
        """The request that begins a session, if the chain needs one; its answer reaches `begin`."""
        return None

    def begin(self, response: Response) -> None:
        """Hook: take from the session's answer what later requests need."""

    def tree_request(self) -> Request:
        """The request for the category tree."""
        raise NotImplementedError(f"{type(self).__name__} must define the request for its category tree")

    def tree(self, response: Response) -> list[Node]:
        """Every root of the tree, also those that are not crawled."""
        raise NotImplementedError(f"{type(self).__name__} must read its category tree")

    def page_request(self, node: Node, page: int) -> Request:
        """The request for page `page`, counted from 1, of a category."""
        raise NotImplementedError(f"{type(self).__name__} must define the requests for its listings")

    def page(self, response: Response) -> Page:
        """One listing answer; raises CatalogueError if it is impossible."""
        raise NotImplementedError(f"{type(self).__name__} must read its listings")

    def refused(self, status: int, request: Request, node: Node, page: int) -> list[Request] | None:
        """Hook: the requests to send instead of a listing request whose last try was answered by an error status;
        None: it has failed."""
        return None

    # How it is crawled -----------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        """Begin the session, else go straight to the tree."""
        yield self.session_request() or self.tree_request()

    def request(self, url: str, callback: Callable[..., Any], *, kind: str = "department", **kwargs: Any) -> Request:
        """A request of this store: its own cookie jar and fingerprint, an errback, the body it expects in meta."""
        meta = {"store": self.store_code, "cookiejar": self.store_code, "expects": "json", "kind": kind}
        meta |= kwargs.pop("meta", {})
        kwargs.setdefault("errback", self.on_error)
        return Request(url, callback=callback, meta=meta, priority=PRIORITY[kind], dont_filter=True, **kwargs)

    def listing(self, url: str, node: Node, page: int, **kwargs: Any) -> Request:
        """A listing request; the spider gives its url and body."""
        kind = "promo" if node.is_promo else "department"
        return self.request(url, self.on_page, kind=kind, cb_kwargs={"node": node, "number": page}, **kwargs)

    def on_session(self, response: Response) -> Iterator[Request]:
        """Request the tree, once the session has begun."""
        self.begin(response)
        yield self.tree_request()

    def on_tree(self, response: Response) -> Iterator[Request | CategoryItem]:
        """Choose the categories to walk and ask for the first page of each."""
        try:
            roots = self.tree(response)
            if self.odd_nodes:
                self.count("tree/odd_node", self.odd_nodes)
            yield from self.walker.begin(roots, self.wanted, self.probe)
        except UnknownCategory as error:
            self.gate.shut(error)
        except CatalogueError as error:
            self.fail_tree(str(error))

    def fail_tree(self, why: str) -> None:
        """End the crawl: without its categories nothing can be crawled."""
        error = UnreadableTree(f"The category tree of {self.name} store {self.store_code} cannot be read: {why}")
        self.gate.shut(error)

    def on_page(self, response: Response, node: Node, number: int) -> PageOutput:
        """One listing page: its items, then the next page or the children, at last the promotional roots."""
        try:
            page = self.page(response)
        except StoreMismatch as error:
            self.gate.shut(error)
            return
        except CatalogueError as error:
            yield from self.walker.again_or_fail(response, node, str(error))
        else:
            yield from self.walker.page(page, node, number)
        yield from self.walker.promos_at_last()

    def to_item(self, record: object, node: Node, now: datetime) -> ProductItem | Drop:
        """What the mapping makes of one record that was seen in a category."""
        return self.chain.to_item(record, store_id=self.store_code, category_path=node.path, now=now)

    def is_listed(self, record: object, item: ProductItem | Drop, node: Node) -> bool:
        """Whether the category's total counts a row: it does not count advertisements."""
        return not item.sponsored

    def on_error(self, failure: Failure) -> Iterator[Request | CategoryItem]:
        """Every request's errback: an error that ends the crawl shuts the gate, any other fails its category."""
        if self.is_over(failure):
            return
        request = request_of(failure)
        node = request.cb_kwargs.get("node")
        if node is None:
            self.fail_tree(describe(failure))
            return
        status = status_of(failure.value)
        if status is not None:
            instead = self.refused(status, request, node, request.cb_kwargs["number"])
            if instead is not None:
                yield from instead
                return
        self.walker.fail(node, describe(failure))
        yield from self.walker.promos_at_last()

    def is_over(self, failure: Failure) -> bool:
        """Whether the crawl has ended, with this failure or before it."""
        if self.gate.error is None and ends_crawl(failure.value):
            self.gate.shut(failure.value)
        return self.gate.error is not None

    @property
    def gate(self) -> Gate:
        """The gate of this crawl."""
        return Gate.of(self.crawler)

    def count(self, event: str, times: int = 1) -> None:
        """Count `splitcart/<stage>/<event>`."""
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"splitcart/{event}", times)

    def check_answer(self, answered: str | None) -> None:
        """Record which store answered; raises StoreMismatch if it is neither the one asked nor its fulfilment store."""
        if answered is None:
            return
        self.answered_for = self.answered_for or answered
        asked, accepted = self.store_code, self.accept_fulfilment and answered == self.answered_for
        if not accepted and answered not in (asked, self.fulfilled_by):
            raise StoreMismatch(f"{self.chain.COMPANY} answered for store {answered} when store {asked} was asked")

    def total(self, value: object, response: Response) -> int:
        """A listing's own total of its products; raises CatalogueError for a value that cannot be one."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_PRODUCTS:
            shown = fields.shown(value)
            raise CatalogueError(f"{response.url} has {shown} as its total: 0 to {MOST_PRODUCTS} is expected")
        return value

    def read_tree(self, raw: object, shape: Shape) -> list[Node]:
        """The roots of a tree that the chain sends as a list. Raises CatalogueError if it is not a list, or is too
        large."""
        reader = TreeReader(shape, self.chain.PROMO_ROOTS)
        roots = reader.roots(raw)
        self.odd_nodes = reader.odd
        return roots

    def decoded(self, response: Response) -> Any:
        """The JSON body; raises CatalogueError for anything else, so that the page is requested again."""
        return decoded(response)
