"""Walks the categories of one store: departments page by page, capped ones by their children, promotions last."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import ClassVar, Protocol

from scrapy import Request
from scrapy.http import Response

from splitcart.runs.verdict import DEFAULT_GATES, Gates
from splitcart.scheduling.probes import Plan, draw
from splitcart_spiders.crawl.walk import CategoryWalk, Node, Page, below, find, is_named, leaves, odd_key
from splitcart_spiders.errors import CatalogueError, UnknownCategory
from splitcart_spiders.items import BarcodeItem, CategoryItem, Drop, ProductItem
from splitcart_spiders.storefront import Mapping

logger = logging.getLogger(__name__)

BODY_RETRIES = 2
WalkOutput = Iterator[Request | CategoryItem]
"""What the beginning of a walk yields."""
PageOutput = Iterator[Request | CategoryItem | ProductItem | BarcodeItem]
"""What a page of a listing, or of a product, yields."""


class Chain(Protocol):
    """The part of a spider that the walker uses."""

    name: str
    chain: Mapping
    store_code: str
    probe: int | None
    page_size: ClassVar[int]
    cap: ClassVar[int | None]
    walks_leaves: ClassVar[bool]

    def page_request(self, node: Node, page: int) -> Request:
        """The request for page `page`, counted from 1, of a category."""

    def to_item(self, record: object, node: Node, now: datetime) -> ProductItem | Drop:
        """What the mapping makes of one record."""

    def is_listed(self, record: object, item: ProductItem | Drop, node: Node) -> bool:
        """Whether the category's total counts the record."""

    def count(self, event: str, times: int = 1) -> None:
        """Count `splitcart/<stage>/<event>`."""


class Walker:
    """Every category walk of one crawl. The spider defines requests and pages; the walker decides which one is next."""

    def __init__(self, spider: Chain) -> None:
        self.spider = spider
        self.walks: dict[str, CategoryWalk] = {}
        self.unfinished: set[str] = set()
        """Keys of the categories whose walk has not ended."""
        self.promos: list[Node] = []
        """Promotional roots, which wait until every department is walked."""
        self.skipped_roots: list[str] = []
        self.yielded = 0
        """Items handed to the pipelines so far."""
        self.proven_before: frozenset[str] = frozenset()
        """Keys of categories that the resumed walk had proven; they are not walked again."""
        self.known_sizes: dict[str, int] = {}
        """Products by category key when last crawled, from which the time left is estimated."""
        self.plan = Plan()
        """What weights the pages of a probe."""
        self.day: date = datetime.now(UTC).date()
        """The seed of a probe's draw: the date by the run's clock, which a rehearsal sets ahead."""
        self.gates: Gates = DEFAULT_GATES
        """The gates of the run's verdict."""

    def begin(self, roots: list[Node], wanted: set[str], probe: int | None) -> WalkOutput:
        """Request the first page of every category to walk. Raises CatalogueError if there is none, UnknownCategory if
        one of the wanted is not in the tree."""
        skip = self.spider.chain.SKIP_ROOTS
        self.skipped_roots = [root.path[-1] for root in roots if is_named(root, skip)]
        kept = [root for root in roots if not is_named(root, skip)]
        if not kept:
            raise CatalogueError("no category to crawl")
        if odd := odd_key(kept):
            raise CatalogueError(f"a category has the impossible id {odd!r:.80}")
        if unknown := sorted(name for name in wanted if not find(kept, {name})):
            names = ", ".join(root.path[-1] for root in kept)
            raise UnknownCategory(f"no category that is crawled is called {', '.join(unknown)}; the roots are {names}")
        nodes = find(kept, wanted) if wanted else kept
        if self.spider.walks_leaves:
            nodes = [leaf for node in nodes for leaf in leaves(node)]
        return self._probe(nodes, probe) if probe else self._departments(nodes)

    def _departments(self, nodes: list[Node]) -> WalkOutput:
        self.promos = [node for node in nodes if node.is_promo]
        for node in nodes:
            if not node.is_promo:
                yield from self.walk(node)
        yield from self.promos_at_last()

    def promos_at_last(self) -> WalkOutput:
        """Begin the promotional roots once every department is walked: by then their products have a category."""
        if not self.unfinished:
            waiting, self.promos = self.promos, []
            for node in waiting:
                yield from self.walk(node)

    def walk(self, node: Node) -> WalkOutput:
        """Begin a category, unless it is walked already or the resumed walk had proven it."""
        if node.key in self.walks or node.key in self.proven_before:
            return
        self._add_walk(node)
        self.yielded += 1
        company, store = self.spider.chain.COMPANY, self.spider.store_code
        yield CategoryItem(company=company, store_id=store, key=node.key, path=node.path, is_promo=node.is_promo)
        yield self.spider.page_request(node, 1)

    def _add_walk(self, node: Node) -> None:
        if node.key not in self.walks:
            size, cap = self.spider.page_size, self.spider.cap
            self.walks[node.key] = CategoryWalk(node, page_size=size, cap=cap, gates=self.gates)
            self.unfinished.add(node.key)

    def page(self, page: Page, node: Node, number: int) -> PageOutput:
        """The items of one page, then the request for the next one, or the walks of the children."""
        walk = self.walks[node.key]
        organic: list[str] = []
        yield from self._items(page, node, organic)
        more = walk.take(page, organic)
        if walk.must_split() and not self.spider.probe:
            walk.split, walk.children = True, tuple(child.key for child in node.children)
            for child in node.children:
                yield from self.walk(child)
        elif more and not self.spider.probe:
            yield self.spider.page_request(node, number + 1)
            return
        self.unfinished.discard(node.key)
        if walk.failed:
            logger.warning("Category %s of store %s: %s", node.key, self.spider.store_code, walk.failed)

    def _items(self, page: Page, node: Node, organic: list[str]) -> Iterator[ProductItem]:
        """The items of a page; adds the skus of its organic rows, dropped ones too, to `organic`."""
        now = datetime.now(UTC)
        for record in page.records:
            item = self.spider.to_item(record, node, now)
            if item.sku and self.spider.is_listed(record, item, node):
                organic.append(item.sku)
            if isinstance(item, Drop):
                self.spider.count(f"mapping/{item.reason}")
                continue
            if item.is_unreadable:  # it is listed nevertheless
                self.spider.count(f"mapping/unreadable_{'price' if item.name else 'name'}")
            item.category_key = node.key
            self.yielded += 1
            yield item

    def again_or_fail(self, response: Response, node: Node, why: str) -> Iterator[Request]:
        """Request a broken page again, at most BODY_RETRIES times; then the category has failed."""
        tries = response.meta.get("body_tries", 0)
        if tries >= BODY_RETRIES:
            self.fail(node, f"{CatalogueError.reason}: {why}")
            return
        self.spider.count("listing/asked_again")
        assert response.request is not None
        request = response.request.replace(dont_filter=True)
        request.meta["body_tries"] = tries + 1
        yield request

    def fail(self, node: Node, why: str) -> None:
        """End the walk of a category as failed; what was seen of it stays."""
        self._add_walk(node)
        self.walks[node.key].failed = why
        self.unfinished.discard(node.key)
        self.spider.count("listing/failed")
        logger.error("Category %s of store %s failed: %s", node.key, self.spider.store_code, why)

    def _probe(self, nodes: list[Node], probe: int) -> WalkOutput:
        """Request `probe` pages of the departments, chosen by the plan, different ones each day."""
        spider = self.spider
        departments = {node.key: node for node in nodes if not node.is_promo} or {node.key: node for node in nodes}
        keys = {key: tuple(below(node)) for key, node in departments.items()}
        seed = f"{spider.name}/{spider.store_code}/{self.day}"
        for key, page in draw(self.plan, keys, spider.page_size, probe, seed):
            self._add_walk(departments[key])
            yield spider.page_request(departments[key], page)
