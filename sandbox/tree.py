"""Category trees: nodes, and which lines stand under them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(eq=False)
class Node:
    key: str
    name: str
    slug: str
    children: list["Node"] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    """Indices of lines that stand at this node itself."""
    role: str = "real"
    """real, promo, or skip (another seller's market, tobacco)."""
    rule: str = ""
    """special, half or many: the lines of `source` with such an offer on the day."""
    source: "Node | None" = None
    restricted: bool = False

    @cached_property
    def lines(self) -> np.ndarray:
        """Sorted indices of the lines here and below; skipped children do not count."""
        found = set(self.own)
        for child in self.children:
            if not child.rule and (child.role == self.role or child.role == "real"):
                found.update(child.lines.tolist())
        return np.array(sorted(found), dtype=np.int64)

    def walk(self, path: tuple["Node", ...] = ()) -> Iterator[tuple["Node", ...]]:
        """This node and every node under it, each as the path of nodes that leads to it."""
        here = (*path, self)
        yield here
        for child in self.children:
            yield from child.walk(here)

    def child(self, name: str, key: str, slug: str) -> "Node":
        """The child of that name; it is made where there is none."""
        for node in self.children:
            if node.name == name:
                return node
        node = Node(key, name, slug, role=self.role)
        self.children.append(node)
        return node


class Tree:
    """The roots of one chain, and the paths that lead to each line."""

    def __init__(self, roots: list[Node]) -> None:
        self.roots = roots
        self.paths: dict[str, tuple[Node, ...]] = {}
        for root in roots:
            for path in root.walk():
                self.paths[path[-1].key] = path

    @cached_property
    def stands(self) -> dict[int, list[tuple[Node, ...]]]:
        """Line -> every path of nodes at whose end it stands."""
        found: dict[int, list[tuple[Node, ...]]] = {}
        for path in self.paths.values():
            for index in path[-1].own:
                found.setdefault(index, []).append(path)
        return found

    def best_nodes(self, index: int) -> tuple[Node, ...]:
        """The first of the paths under a real root, else of the promotional ones."""
        paths = self.stands.get(index, [])
        return next((path for path in paths if path[0].role == "real"), paths[0] if paths else ())

    @cached_property
    def leads(self) -> dict[int, list[tuple[str, ...]]]:
        """Line -> every path of names that lists it: real roots, or promotional ones where no real one does."""
        found: dict[str, dict[int, list[tuple[str, ...]]]] = {"real": {}, "promo": {}, "skip": {}}
        for path in self.paths.values():
            node = path[-1]
            if node.rule or node.role != path[0].role:
                continue
            names = tuple(step.name for step in path)
            for index in node.lines.tolist():
                found[node.role].setdefault(index, []).append(names)
        return {**found["promo"], **found["real"]}

    def best(self, index: int) -> tuple[str, ...]:
        """The deepest of the paths, the first of those."""
        return max(self.leads.get(index, [()]), key=len)
