"""Category trees as the chains send them: one reader for all, within bounds, however odd the JSON."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.walk import Node, is_promo_root
from splitcart_spiders.errors import CatalogueError

MOST_NODES = 20_000
"""The largest tree seen has 2,265."""
DEEPEST = 20
"""Levels; the deepest tree seen has 5."""
LONGEST_KEY = 300
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which fields of a node hold what."""

    key: str
    names: tuple[str, ...]
    """The first that is a text is the name; else the key."""
    children: str
    slug: str | None = None
    keys_are_paths: bool = False
    """Whether a node's key is its own key after those of all nodes above it, joined by slashes."""
    is_promo: Callable[[dict], bool] = lambda raw: False
    """Whether a node is marked as a campaign's."""
    only_roots_are_marked: bool = False
    """Whether that mark counts at roots only."""
    drops_promos: bool = False
    """Whether a campaign within a department is left out."""


class TreeReader:
    """Reads one answer's tree. A node that is not an object or has no id is left out with all below it, and counted."""

    def __init__(self, shape: Shape, promo_roots: Set[str]) -> None:
        self.shape = shape
        self.promo_roots = promo_roots
        self.read = 0
        self.odd = 0
        """Nodes that were left out."""

    def roots(self, value: object) -> list[Node]:
        """Every root. Raises CatalogueError for anything but a list, and beyond MOST_NODES or DEEPEST."""
        return [node for raw in self.listed(value, "the roots") if (node := self._node(raw, None, ()))]

    def listed(self, value: object, what: str) -> list[object]:
        """A list of nodes; empty if it is null. Raises CatalogueError for anything else, and for too many nodes."""
        if value is None:
            return []
        if not isinstance(value, list):
            raise CatalogueError(f"{what} are {fields.shown(value)}: a list is expected")
        self.read += len(value)
        if self.read > MOST_NODES:
            raise CatalogueError(f"the tree has more than {MOST_NODES} nodes")
        return value

    def _node(self, raw: object, parent: Node | None, path: tuple[str, ...]) -> Node | None:
        shape = self.shape
        own = _key(raw.get(shape.key)) if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or own is None:
            self.odd += 1
            return None
        if len(path) >= DEEPEST:
            raise CatalogueError(f"the tree is deeper than {DEEPEST} levels")
        key = f"{parent.key}/{own}" if parent and shape.keys_are_paths else own
        slug = own if shape.slug is None else _name(raw.get(shape.slug)) or ""
        names = (*(_name(raw.get(name)) for name in shape.names), _name(own), own)
        path = (*path, next(name for name in names if name))
        node = Node(key, path, self._is_promo(raw, Node(own, path, slug=slug), parent), slug=slug)
        children = self.listed(raw.get(shape.children), f"{shape.children} of {fields.shown(own)}")
        below = [child for each in children if (child := self._node(each, node, path))]
        kept = [child for child in below if node.is_promo or not (shape.drops_promos and child.is_promo)]
        return Node(key, path, node.is_promo, tuple(kept), slug)

    def _is_promo(self, raw: dict, own: Node, parent: Node | None) -> bool:
        if parent is None:
            return self.shape.is_promo(raw) or is_promo_root(own, self.promo_roots)
        return parent.is_promo or (not self.shape.only_roots_are_marked and self.shape.is_promo(raw))


def _key(value: object) -> str | None:
    """An id as it is sent; whether a database accepts it is checked later, for all categories that are walked."""
    if not isinstance(value, str):
        return fields.code(value)
    if len(value) > LONGEST_KEY:
        raise CatalogueError(f"a category has an id of {len(value)} characters: at most {LONGEST_KEY} are expected")
    return value or None


def _name(value: object) -> str | None:
    return fields.text(value, LONGEST_NAME)
