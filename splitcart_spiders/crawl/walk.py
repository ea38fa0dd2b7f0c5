"""The walk of one category: the pages seen so far, and the proof that all of it was seen."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from splitcart import cleaning
from splitcart.runs.verdict import DEFAULT_GATES, Category, Gates
from splitcart_spiders.crawl.fields import is_campaign

# Pages requested beyond those of the total before a walk gives up (products move between pages during a walk).
EXTRA_PAGES = 1
# The most pages that one walk requests, whatever the total is.
MAX_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class Node:
    """One category of a chain's tree, as the spider asks for it."""

    key: str
    """The chain's id of the category; unique within the tree."""
    path: tuple[str, ...]
    """Names from the root to this node."""
    is_promo: bool = False
    children: tuple["Node", ...] = ()
    slug: str = ""
    """Its name in the chain's URLs, if that is not the key."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing request."""

    records: list[object]
    """Raw records, advertised ones too, in the chain's order."""
    total: int | None = None
    """How many organic products the category holds, if the chain sends that."""
    ended: bool = False
    """The chain's documented end of a listing."""


@dataclass(slots=True)
class CategoryWalk:
    """The state of one category's walk; the spider's only memory of it."""

    node: Node
    page_size: int
    cap: int | None = None
    gates: Gates = DEFAULT_GATES
    """Those of the run's verdict: a repeated page fails the walk only if the verdict would not accept it."""
    expected: int | None = None
    total: int | None = None
    skus: set[str] = field(default_factory=set)
    latest: set[str] = field(default_factory=set)
    """Those of the latest page."""
    pages: int = 0
    ended: bool = False
    failed: str | None = None
    split: bool = False
    """Walked by its children: it has more than the cap, or its answer is empty and it has children."""
    children: tuple[str, ...] = ()
    """Keys of the categories that are walked instead."""

    def take(self, page: Page, organic: Iterable[str]) -> bool:
        """Count one page's organic skus; True if another page must be requested."""
        on_page = set(organic)
        fresh = on_page - self.skus
        self.pages += 1
        if self.pages == 1 and page.total is not None and page.total >= len(on_page):
            self.expected = page.total  # a total that its own page exceeds proves nothing; then only the end does
        self.total = page.total if page.total is not None else self.total
        self.skus |= on_page
        if page.ended or not fresh:
            self.ended = True
            self._judge_end(on_page)
            return False
        self.latest = on_page
        return self._wants_more()

    def _judge_end(self, on_page: set[str]) -> None:
        if self.expected and not self.skus:
            self.failed = f"catalogue_error: total {self.expected}, but no rows"
        elif on_page and self.expected is not None and len(self.skus) < self.expected - self.gates.slack(self.expected):
            self.failed = (
                f"catalogue_error: page {self.pages} came again with {len(self.skus)} of {self.expected} products seen"
            )
        elif on_page and self.expected is None and not self.latest <= on_page:
            self.failed = f"catalogue_error: page {self.pages} is an earlier page again, not the last one"

    def _wants_more(self) -> bool:
        if self.pages >= MAX_PAGES:
            self.failed = f"catalogue_error: no end within {MAX_PAGES} pages"
            return False
        if self.expected is None or self.total is None:
            return True
        if len(self.skus) >= self.total:
            self.ended = True
            return False
        promised = -(-max(self.total, self.expected) // self.page_size)
        return self.pages < promised + EXTRA_PAGES

    @property
    def capped(self) -> bool:
        """Whether the chain does not list all of this category."""
        return self.cap is not None and (self.expected or 0) >= self.cap

    def must_split(self) -> bool:
        """Whether the children must be walked instead: it is capped, or has children and lists nothing itself."""
        return bool(self.node.children) and (self.capped or (self.ended and not self.skus and not self.expected))

    def category(self) -> Category:
        """The category as the verdict judges it."""
        failed = self.failed
        if self.capped and not self.split:
            failed = (
                failed or f"catalogue_error: {self.expected} products reach the cap of {self.cap}, without children"
            )
        return Category(
            key=self.node.key,
            expected=self.expected,
            seen=len(self.skus),
            ended=self.ended,
            failed=failed,
            capped=self.split,
            children=self.children or tuple(below(self.node)),
            held=not self.node.is_promo,
        )


def is_named(node: Node, names: Set[str]) -> bool:
    """Whether one of `names`, all casefolded, is the node's key, slug or name."""
    own = {node.key.casefold(), node.slug.casefold(), node.path[-1].casefold() if node.path else ""}
    return not own.isdisjoint(names)


def is_promo_root(node: Node, names: Set[str]) -> bool:
    """Whether a root is a campaign's: one of `names`, or named after a season."""
    return is_named(node, names) or any(is_campaign(name, names) for name in (node.key, node.slug, *node.path[-1:]))


def find(nodes: Iterable[Node], wanted: Set[str]) -> list[Node]:
    """The highest nodes that `wanted` names."""
    named: list[Node] = []
    for node in nodes:
        named.extend([node] if is_named(node, wanted) else find(node.children, wanted))
    return named


def odd_key(roots: Iterable[Node]) -> str | None:
    """A key of the tree that no database stores unchanged (a control character, a lone surrogate), if there is one."""
    keys = (key for root in roots for key in (root.key, *below(root)))
    return next((key for key in keys if cleaning.clean(key) != key), None)


def below(node: Node) -> Iterator[str]:
    """The keys of every node below, each once."""
    pending, keys = list(node.children), set[str]()
    while pending:
        child = pending.pop()
        if child.key not in keys:
            keys.add(child.key)
            yield child.key
        pending.extend(child.children)


def leaves(node: Node) -> Iterator[Node]:
    """The nodes below, or the node itself, that have no children."""
    if not node.children:
        yield node
    for child in node.children:
        yield from leaves(child)
