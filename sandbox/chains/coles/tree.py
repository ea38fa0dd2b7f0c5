"""Coles' category tree: departments, promotions, tobacco. A node's slug is its full path, `pantry/breakfast`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.site import opaque, slugify
from sandbox.tree import Node, Tree

if TYPE_CHECKING:
    from sandbox.goods.good import Line
    from sandbox.world import World

DEPARTMENTS = {
    "meat": ("7238", "Meat & Seafood", "meat-seafood"),
    "fruit": ("2100", "Fruit & Vegetables", "fruit-vegetables"),
    "dairy": ("1300", "Dairy, Eggs & Fridge", "dairy-eggs-fridge"),
    "bakery": ("8892906", "Bakery", "bakery"),
    "deli": ("8892715", "Deli", "deli"),
    "pantry": ("10302", "Pantry", "pantry"),
    "world": ("674112512", "Dietary & World Foods", "dietary-world-foods"),
    "snacks": ("8916201", "Chips, Chocolates & Snacks", "chips-chocolates-snacks"),
    "drinks": ("11456", "Drinks", "drinks"),
    "freezer": ("85471", "Frozen", "frozen"),
    "household": ("14003", "Household", "household"),
    "health": ("15083", "Health & Beauty", "health-beauty"),
    "baby": ("15603", "Baby", "baby"),
    "pet": ("16427", "Pet", "pet"),
    "liquor": ("85946", "Liquorland", "liquorland"),
}
HOME = {"beauty": "health"}
PROMOTIONS = {
    "8906007": ("Down Down", "down-down", "CATALOG"),
    "853791606": ("Bonus Credit Products", "bonus-credit-products", "CATALOG"),
    "8904801": ("Christmas", "christmas", "SEASONAL"),
}


def place(root: Node, line: "Line", category: str = "") -> None:
    """Puts a line at the leaf of its kind under a root, or under `category` of it."""
    kind = line.good.kind
    node = root
    for name in (category or kind.category, kind.leaf):
        slug = f"{node.slug}/{slugify(name)}"
        node = node.child(name, str(int(opaque(slug, 7), 16)), slug)
    node.own.append(line.index)


def promotions_of(world: "World", line: "Line") -> list[str]:
    """Keys of the promotional roots that list a line; the first may stand before its department in onlineHeirs."""
    if line.section != "main":
        return []
    if line.promo_only:
        return ["8906007"]
    lots = world.dice.uniform("coles:promotion", line.index, np.arange(len(PROMOTIONS)))
    return [key for key, lot in zip(PROMOTIONS, lots.tolist(), strict=True) if lot < 0.07]


def build(world: "World") -> Tree:
    """The tree of a world; it is the same for every store and day."""
    roots = {name: Node(*row) for name, row in DEPARTMENTS.items()}
    promotions = {key: Node(key, name, slug, role="promo") for key, (name, slug, _) in PROMOTIONS.items()}
    tobacco = Node("17490", "Tobacco", "tobacco", role="skip", restricted=True)
    big = Node("772566492", "Big Pack Value", "big-pack-value")
    for line in world.catalogue("coles").lines:
        department = line.good.kind.department
        if line.section == "tobacco":
            place(tobacco, line)
            continue
        if not line.promo_only:
            place(roots[HOME.get(department, department)], line)
            if line.good.amount >= 5000:
                place(big, line)
            if line.abroad:
                place(roots["world"], line, "Imported")
        for key in promotions_of(world, line):
            place(promotions[key], line)
    return Tree([promotions["8906007"], big, promotions["853791606"], *roots.values(), promotions["8904801"], tobacco])


def heirs(world: "World", line: "Line") -> list[dict[str, str]]:
    """onlineHeirs: subCategory is the top, aisle the leaf; a promotional root may come first."""
    paths = [path for path in world.tree("coles").stands.get(line.index, []) if path[0].name != "Big Pack Value"]
    promo = [path for path in paths if path[0].role == "promo"]
    own = [path for path in paths if path[0].role != "promo"]
    first = line.index % 3 != 0
    rows = []
    for top, middle, leaf in [*promo, *own] if first else [*own, *promo]:
        rows.append({
            "subCategory": top.name, "subCategoryId": top.key, "category": middle.name, "categoryId": middle.key,
            "aisle": leaf.name, "aisleId": leaf.key,
        })  # fmt: skip
    return rows


def _json(node: Node, level: int, ranged: np.ndarray) -> dict[str, Any]:
    promotion = PROMOTIONS.get(node.key)
    return {
        "id": node.key,
        "level": level,
        "name": node.name,
        "originalName": f"{node.name} " if int(opaque(node.slug, 4), 16) % 5 == 0 else node.name,
        "productCount": int(ranged[node.lines].sum()),
        "seoToken": node.slug.rpartition("/")[2],
        "type": "CATALOG",
        "subType": promotion[2] if promotion else "CATALOG",
        "catalogGroupView": [_json(child, level + 1, ranged) for child in node.children] or None,
    }


def tree_json(tree: Tree, ranged: np.ndarray, missing: str) -> dict[str, Any]:
    """allProductCategories, without the root `missing` (an id or slug)."""
    shown = [root for root in tree.roots if missing not in (root.key, root.slug)]
    return {"excludedCategoryIds": ["17490"], "catalogGroupView": [_json(root, 1, ranged) for root in shown]}
