"""ALDI's category tree: two levels, some roots are leaves."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.site import opaque, slugify
from sandbox.tree import Node, Tree

if TYPE_CHECKING:
    from sandbox.world import World

DEPARTMENTS = {
    "fruit": ("950000000", "Fruits & Vegetables"),
    "meat": ("940000000", "Meat & Seafood"),
    "deli": ("930000000", "Deli & Chilled Meats"),
    "dairy": ("960000000", "Dairy, Eggs & Fridge"),
    "pantry": ("970000000", "Pantry"),
    "bakery": ("920000000", "Bakery"),
    "freezer": ("980000000", "Freezer"),
    "drinks": ("1000000000", "Drinks"),
    "beauty": ("1040000000", "Health & Beauty"),
    "baby": ("1030000000", "Baby"),
    "household": ("1050000000", "Cleaning & Household"),
    "pet": ("1020000000", "Pets"),
    "liquor": ("1010000000", "Liquor"),
    "snacks": ("1588161408332087", "Snacks & Confectionery"),
}
HOME = {"world": "pantry", "health": "beauty"}
WHOLE = ("baby", "pet")
"""Departments without children."""
PROMOTIONS = (
    ("1588161425841179", "Lower Prices", 0.06),
    ("1588161407991418", "Super Savers", 0.05),
    ("1588161420755352", "Limited Time Only", 0.0),
    ("1588161408332092", "Front of Store", 0.03),
)


def build(world: "World") -> Tree:
    """The tree of a world; it is the same for every store and day."""
    roots = {name: Node(key, title, slugify(title)) for name, (key, title) in DEPARTMENTS.items()}
    promotions = [Node(key, title, slugify(title), role="promo") for key, title, _ in PROMOTIONS]
    lines = world.catalogue("aldi").lines
    lots = world.dice.uniform("aldi:promotion", np.arange(len(lines))[:, None], np.arange(len(PROMOTIONS))[None, :])
    for line in lines:
        kind = line.good.kind
        if line.promo_only:
            promotions[2].own.append(line.index)
            continue
        home = HOME.get(kind.department, kind.department)
        node = roots[home]
        if home not in WHOLE:
            key = str(int(node.key) + int(opaque(kind.category, 5), 16) % 9_999_999)
            node = node.child(kind.category, key, slugify(kind.category))
        node.own.append(line.index)
        for place, (_, _, share) in enumerate(PROMOTIONS):
            if lots[line.index, place] < share:
                promotions[place].own.append(line.index)
    return Tree([*promotions[:3], *roots.values(), promotions[3]])


def tree_json(roots: list[Node], missing: str) -> list[dict[str, Any]]:
    """data of product-category-tree, without the root `missing` (a key or slug)."""
    return [
        {
            "key": node.key,
            "order": place + 1,
            "thumbnail": None,
            "name": node.name,
            "urlSlugText": node.slug,
            "children": tree_json(node.children, ""),
        }
        for place, node in enumerate(roots)
        if missing not in (node.key, node.slug)
    ]
