"""IGA's category hierarchy: Grocery, departments, categories, leaves; a store has what it ranges."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.site import opaque, slugify
from sandbox.tree import Node, Tree

if TYPE_CHECKING:
    from sandbox.world import World

DEPARTMENTS = {
    "fruit": ("Fruit_and_Vegetable", "Fruit and Vegetable"),
    "pantry": ("Pantry", "Pantry"),
    "meat": ("Meat_Seafood_and_Deli", "Meat, Seafood and Deli"),
    "dairy": ("Dairy_Eggs_and_Fridge", "Dairy, Eggs and Fridge"),
    "bakery": ("Bakery", "Bakery"),
    "drinks": ("Drinks", "Drinks"),
    "freezer": ("Frozen", "Frozen"),
    "beauty": ("Health_and_Beauty", "Health and Beauty"),
    "pet": ("Pet", "Pet"),
    "baby": ("Baby", "Baby"),
    "liquor": ("Liquor_Food", "Liquor"),
    "household": ("Household", "Household"),
    "other": ("Other", "Other"),
}
HOME = {"world": "pantry", "snacks": "pantry", "deli": "meat", "health": "beauty"}


def _child(parent: Node, name: str) -> Node:
    """Identifiers keep the name's words, `&` and all, and are unique."""
    key = f"{name.replace(' ', '_')}-{opaque(f'{parent.key}/{name}', 4)}"
    return parent.child(name, key, slugify(name))


def build(world: "World") -> Tree:
    """The tree of the chain; each store shows a part of it."""
    roots = {name: Node(key, title, slugify(title)) for name, (key, title) in DEPARTMENTS.items()}
    for line in world.catalogue("iga").lines:
        kind = line.good.kind
        node = _child(roots[HOME.get(kind.department, kind.department)], kind.category)
        if kind.category not in ("Water", "Tea", "Beer", "Wine"):
            node = _child(node, kind.leaf)
        node.own.append(line.index)
    return Tree(list(roots.values()))


def _json(node: Node, ranged: np.ndarray, missing: str) -> dict[str, Any]:
    shown = [
        child
        for child in node.children
        if (ranged[child.lines].any() or int(opaque(child.key, 4), 16) % 5 == 0) and child.key != missing
    ]
    children = [_json(child, ranged, missing) for child in shown]
    return {"identifier": node.key, "displayName": node.name, "children": children}


def tree_json(tree: Tree, ranged: np.ndarray, missing: str) -> dict[str, Any]:
    """The body of categoryHierarchy for a store, with some empty leaves."""
    root = Node("Grocery", "Grocery", "grocery", children=tree.roots)
    shop = "retailer-prod-v3"
    return {"identifier": shop, "displayName": shop, "children": [_json(root, ranged, missing)]}
