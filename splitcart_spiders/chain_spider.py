"""The base of every product spider: how a store is crawled. A spider says where, the mapping which field."""

import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.exceptions import UsageError
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from splitcart.periods import Flip
from splitcart_spiders.errors import CatalogueError, CrawlError, StoreMismatch
from splitcart_spiders.items import CategoryItem, Drop, ProductItem
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.walk import CategoryWalk, Node, Page, find

logger = logging.getLogger(__name__)

BODY_RETRIES = 2
CHAIN_PRIORITY = {"session": 30, "department": 0, "promo": -10}


class ChainSpider(Spider):
    """A crawl of one store: session, category tree, then every category page by page, each with its proof."""

    chain: ModuleType
    """The mapping, splitcart_spiders.chains.<name>."""
    flip: ClassVar[Flip] = Flip()
    """When the company's weekly specials change, in the store's own time."""
    timezone: ClassVar[str] = "Australia/Sydney"
    """Of a store that no locator has told of yet."""
    page_size: ClassVar[int]
    cap: ClassVar[int | None] = None
    """The most products that one query gives."""
    walks_leaves: ClassVar[bool] = False
    """Whether only leaves of the tree list products."""

    def __init__(
        self,
        store: str | None = None,
        dev: str | None = None,
        categories: str | None = None,
        probe: str | None = None,
        resume: str | None = None,
        wait: str | None = None,
        accept_fulfilment: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not store or not str(store).strip():
            raise UsageError(f"Say which store: scrapy crawl {self.name} -a store=ID", print_help=False)
        self.store_id = str(store).strip()
        self.dev = truth(dev)
        self.resume = truth(resume)
        self.wait = truth(wait)
        self.wanted = {name.strip().casefold() for name in (categories or "").split(",") if name.strip()}
        self.probe = count(probe, "probe")
        self.walks: dict[str, CategoryWalk] = {}
        self.open: set[str] = set()
        """Keys of the categories whose walk goes on."""
        self.promos: list[Node] = []
        """Promotional roots, which wait until every department is walked."""
        self.answered_for: str | None = None
        self.fulfilled_by: str | None = None
        """Another store that may answer for this one; set by the run extension from the stores row."""
        self.accept_fulfilment = truth(accept_fulfilment)
        self.skipped_roots: list[str] = []
        self.proven_before: frozenset[str] = frozenset()
        """Keys of categories that an adopted run had proven; not walked again."""
        self.known_sizes: dict[str, int] = {}
        """Products by category key when last crawled; steers probes only."""

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        agent = (
            f"{settings['BOT_NAME']}/{settings['BOT_VERSION']} (grocery price research; contact: {settings['CONTACT']})"
        )
        settings.set("USER_AGENT", agent, priority="project")

    # What a chain says -----------------------------------------------------------------------------------------

    def session_request(self) -> Request | None:
        """The request that begins a session, if the chain needs one; its answer reaches `begin`."""
        return None

    def begin(self, response: Response) -> None:
        """Hook: take from the session's answer what later requests need."""

    def tree_request(self) -> Request:
        """The request for the category tree."""
        raise NotImplementedError(f"{type(self).__name__} must say where its category tree is")

    def tree(self, response: Response) -> list[Node]:
        """Every root of the tree, also those that are not crawled."""
        raise NotImplementedError(f"{type(self).__name__} must read its category tree")

    def page_request(self, node: Node, page: int) -> Request:
        """The request for page `page`, counted from 1, of a category."""
        raise NotImplementedError(f"{type(self).__name__} must say where its listings are")

    def page(self, response: Response) -> Page:
        """One listing answer; raises CatalogueError where it is impossible."""
        raise NotImplementedError(f"{type(self).__name__} must read its listings")

    def refused(self, response: Response, node: Node, page: int) -> Iterator[Request]:
        """Hook: what to ask instead where a listing request was answered by an error status."""
        yield from ()

    # How it is crawled -----------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        """Begin the session, else go straight to the tree."""
        yield self.session_request() or self.tree_request()

    def request(self, url: str, callback: Callable[..., Any], *, kind: str = "department", **kwargs: Any) -> Request:
        """A request of this store: its own cookie jar and fingerprint, an errback, the body it expects in meta."""
        meta = {"store": self.store_id, "cookiejar": self.store_id, "expects": "json", "kind": kind}
        meta |= kwargs.pop("meta", {})
        kwargs.setdefault("errback", self.on_error)
        priority = CHAIN_PRIORITY.get(kind, 0)
        return Request(url, callback=callback, meta=meta, priority=priority, dont_filter=True, **kwargs)

    def on_session(self, response: Response) -> Iterator[Request]:
        """The session has begun."""
        self.begin(response)
        yield self.tree_request()

    def on_tree(self, response: Response) -> Iterator[Request | CategoryItem]:
        """Choose the categories to walk and ask for the first page of each."""
        try:
            roots = self.tree(response)
        except CatalogueError as error:
            return self.fail_tree(str(error))
        if not roots:
            return self.fail_tree(f"{response.url} names no category")
        return self.walk_tree(roots)

    def walk_tree(self, roots: list[Node]) -> Iterator[Request | CategoryItem]:
        kept = [root for root in roots if not self.is_root(root, self.chain.SKIP_ROOTS)]
        self.skipped_roots = [root.path[-1] for root in roots if self.is_root(root, self.chain.SKIP_ROOTS)]
        nodes = find(kept, self.wanted) if self.wanted else kept
        if self.wanted and not nodes:
            self.fail_tree(f"no category is called {', '.join(sorted(self.wanted))}")
        if self.walks_leaves:
            nodes = [leaf for node in nodes for leaf in leaves(node)]
        if self.probe:
            yield from self.probe_pages(nodes)
            return
        self.promos = [node for node in nodes if node.is_promo]
        for node in nodes:
            if not node.is_promo:
                yield from self.walk(node)
        yield from self.promos_at_last()

    def promos_at_last(self) -> Iterator[Request | CategoryItem]:
        """Begin the promotional roots once no department is open: what they show has its category by then."""
        if not self.open:
            waiting, self.promos = self.promos, []
            for node in waiting:
                yield from self.walk(node)

    def is_root(self, root: Node, names: frozenset[str]) -> bool:
        """Whether a root is one of the chain's SKIP_ROOTS or PROMO_ROOTS, by key, slug or name."""
        return bool({root.key.casefold(), root.slug.casefold(), root.path[-1].casefold() if root.path else ""} & names)

    def fail_tree(self, why: str) -> Iterator[Request]:
        self.gate.shut(CatalogueError(f"The category tree of {self.name} store {self.store_id} cannot be read: {why}"))
        return iter(())

    def walk(self, node: Node, parent: CategoryWalk | None = None) -> Iterator[Request | CategoryItem]:
        if node.key in self.walks or node.key in self.proven_before:
            return
        walk = CategoryWalk(node, page_size=self.page_size, cap=self.cap)
        self.walks[node.key] = walk
        self.open.add(node.key)
        if parent:
            parent.children = (*parent.children, walk)
        yield CategoryItem(
            company=self.chain.COMPANY, store_id=self.store_id, key=node.key, path=node.path, is_promo=node.is_promo
        )
        yield self.ask(node, 1)

    def ask(self, node: Node, page: int) -> Request:
        return self.page_request(node, page)

    def listing(self, url: str, node: Node, page: int, **kwargs: Any) -> Request:
        """A listing request; the spider gives its url and body."""
        kind = "promo" if node.is_promo else "department"
        return self.request(url, self.on_page, kind=kind, cb_kwargs={"node": node, "number": page}, **kwargs)

    def on_page(self, response: Response, node: Node, number: int) -> Iterator[Any]:
        """One listing page: its items, then the next page or the children, at last the promotional roots."""
        yield from self.read_page(response, node, number)
        yield from self.promos_at_last()

    def read_page(self, response: Response, node: Node, number: int) -> Iterator[Any]:
        try:
            page = self.page(response)
        except StoreMismatch as error:
            self.gate.shut(error)
            return
        except CatalogueError as error:
            yield from self.again_or_fail(response, node, str(error))
            return
        walk = self.walks[node.key]
        organic: list[str] = []
        yield from self.items(page, node, organic)
        if walk.take(page, organic) and not self.probe and not walk.must_split():
            yield self.ask(node, number + 1)
            return
        if walk.must_split() and not self.probe:
            walk.split = True
            for child in node.children:
                yield from self.walk(child, walk)
        self.open.discard(node.key)
        if walk.failed:
            logger.warning("Category %s of store %s is not proven: %s", node.key, self.store_id, walk.failed)

    def items(self, page: Page, node: Node, organic: list[str]) -> Iterator[ProductItem]:
        """The items of a page; adds the skus of its organic rows, dropped ones too, to `organic`."""
        now = datetime.now(UTC)
        for record in page.records:
            item = self.chain.to_item(record, store_id=self.store_id, category_path=node.path, now=now)
            if isinstance(item, Drop):
                self.crawler.stats.inc_value(f"splitcart/mapping/{item.reason}")
                if item.sku:
                    organic.append(item.sku)
                continue
            if not item.sponsored:
                organic.append(item.sku)
            item.category_key = node.key
            yield item

    def again_or_fail(self, response: Response, node: Node, why: str) -> Iterator[Request]:
        """Ask a broken page again, at most BODY_RETRIES times; then the category has failed."""
        tries = response.meta.get("body_tries", 0)
        if tries < BODY_RETRIES:
            self.crawler.stats.inc_value("splitcart/listing/asked_again")
            assert response.request is not None
            request = response.request.replace(dont_filter=True)
            request.meta["body_tries"] = tries + 1
            yield request
            return
        self.fail_walk(node.key, f"{CatalogueError.reason}: {why}")

    def fail_walk(self, key: str, why: str) -> None:
        self.walks[key].failed = why
        self.open.discard(key)
        self.crawler.stats.inc_value("splitcart/listing/failed")
        logger.error("Category %s of store %s failed: %s", key, self.store_id, why)

    def on_error(self, failure: Failure) -> Iterator[Request | CategoryItem]:
        """Every request's errback: an error of ours shuts the gate, any other fails its category."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.gate.error:
            return
        error = failure.value
        if isinstance(error, CrawlError) and not isinstance(error, CatalogueError):
            self.gate.shut(error)
            return
        node = request.cb_kwargs.get("node")
        if isinstance(error, HttpError) and node is not None:
            instead = list(self.refused(error.response, node, request.cb_kwargs["number"]))
            if instead:
                yield from instead
                return
        why = describe(failure, request)
        if node is not None:
            self.fail_walk(node.key, why)
            yield from self.promos_at_last()
        elif not self.gate.error:
            self.fail_tree(why)

    @property
    def gate(self) -> Gate:
        """What every part of this crawl shuts when it must end."""
        return Gate.of(self.crawler)

    def check_answer(self, answered: str | None) -> None:
        """Record which store answered; raises StoreMismatch for another than asked, or than its fulfilment store."""
        if answered is None:
            return
        self.answered_for = self.answered_for or answered
        if answered in (self.store_id, self.fulfilled_by) or (self.accept_fulfilment and answered == self.answered_for):
            return
        raise StoreMismatch(f"{self.chain.COMPANY} answered for store {answered} when store {self.store_id} was asked")

    def probe_pages(self, nodes: list[Node]) -> Iterator[Request | CategoryItem]:
        """`probe` pages drawn at random over the departments, weighted by their last size; other ones each day."""
        draw = random.Random(f"{self.name}/{self.store_id}/{datetime.now(UTC).date()}")
        departments = [node for node in nodes if not node.is_promo] or nodes
        pages = [
            (node, page)
            for node in departments
            for page in range(1, 1 + max(1, -(-self.known_sizes.get(node.key, 1) // self.page_size)))
        ]
        for node, page in draw.sample(pages, min(self.probe, len(pages))):
            self.walks.setdefault(node.key, CategoryWalk(node, page_size=self.page_size, cap=self.cap))
            yield self.ask(node, page)

    def decoded(self, response: Response) -> Any:
        """The JSON body; raises CatalogueError, which asks the page again, for anything else."""
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError):
            raise CatalogueError(f"{response.url} sent {len(response.body)} bytes that are not JSON") from None


def leaves(node: Node) -> Iterator[Node]:
    """The nodes below, or the node itself, that have no children."""
    if not node.children:
        yield node
    for child in node.children:
        yield from leaves(child)


def describe(failure: Failure, request: Request) -> str:
    """One line for the run row: what failed, where."""
    error = failure.value
    if isinstance(error, HttpError):
        return f"{request.url} answered {error.response.status}"
    return f"{request.url}: {error or type(error).__name__}"


def truth(argument: str | None) -> bool:
    """Whether a spider argument says yes."""
    return str(argument or "").casefold() in {"1", "true", "yes", "on"}


def count(argument: str | None, name: str) -> int:
    """A spider argument that is a whole number, 0 where absent."""
    if argument in (None, ""):
        return 0
    if not str(argument).isdigit():
        raise UsageError(f"-a {name}={argument}: a whole number is wanted, for example -a {name}=8", print_help=False)
    return int(str(argument))
