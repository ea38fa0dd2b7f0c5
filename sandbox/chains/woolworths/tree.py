"""Woolworths' category tree: departments, specials, promotions, the market, tobacco."""

from typing import TYPE_CHECKING, Any

from sandbox.site import opaque, slugify
from sandbox.tree import Node, Tree

if TYPE_CHECKING:
    from sandbox.world import World

DEPARTMENTS = {
    "fruit": ("1-E5BEE36E", "Fruit & Veg", "fruit-veg"),
    "meat": ("1_D5A2236", "Poultry, Meat & Seafood", "poultry-meat-seafood"),
    "deli": ("1_3151F6F", "Deli", "deli"),
    "dairy": ("1_6E4F4E4", "Dairy, Eggs & Fridge", "dairy-eggs-fridge"),
    "bakery": ("1_DEB537E", "Bakery", "bakery"),
    "freezer": ("1_ACA2FC2", "Freezer", "freezer"),
    "snacks": ("1_717445A", "Snacks & Confectionery", "snacks-confectionery"),
    "pantry": ("1_39FD49C", "Pantry", "pantry"),
    "world": ("1_F229FBE", "International Foods", "international-foods"),
    "drinks": ("1_5AF3A0A", "Drinks", "drinks"),
    "liquor": ("1_8E4DA6F", "Beer, Wine & Spirits", "beer-wine-spirits"),
    "beauty": ("1_894D0A8", "Personal Care", "personal-care"),
    "health": ("1_9851658", "Health & Wellness", "health-wellness"),
    "household": ("1_2432B58", "Cleaning & Maintenance", "cleaning-maintenance"),
    "baby": ("1_717A94B", "Baby", "baby"),
    "pet": ("1_61D6FEB", "Pet", "pet"),
}
PROMOTIONS = {
    "1_31C28BC": ("Big Night In", "big-night-in", ("snacks", "drinks", "freezer")),
    "1_23CF4F6": ("Cookware Bonus Credits", "cookware-bonus-credits", ("pantry", "household")),
    "1_8AD6702": ("Dinner", "dinner", ("meat", "pantry", "fruit")),
    "1_9E92C35": ("Lunch Box", "lunch-box", ("snacks", "dairy", "bakery")),
    "1_B63CF9E": ("Front of Store", "front-of-store", ("snacks", "drinks")),
}


def _key(parent: str, name: str) -> str:
    """An opaque id, with a dash for a few and an underscore for most."""
    digits = opaque(f"{parent}/{name}", 8)
    return f"1-{digits}" if digits[0] in "012" else f"1_{digits[:7]}"


def _place(root: Node, category: str, leaf: str) -> Node:
    middle = root.child(category, _key(root.key, category), slugify(category))
    return middle.child(leaf, _key(middle.key, leaf), slugify(leaf))


def _specials(node: Node) -> Node:
    key = f"{node.key}_SPECIALS"
    return Node(key, f"{node.name} Specials", f"{node.slug}-specials", role="promo", rule="special", source=node)


def _market(world: "World", roots: dict[str, Node]) -> list[Node]:
    """Everyday Market, and departments in which rows of the market stand beside Woolworths' own."""
    market = Node("1_A363395", "Everyday Market", "everyday-market", role="skip")
    electronics = Node("1_B863F57", "Electronics", "electronics")
    home = Node("1_DEA3ED5", "Home & Lifestyle", "home-lifestyle")
    for line in world.catalogue("woolworths").lines:
        kind = line.good.kind
        if line.section == "market":
            _place(market, kind.category, kind.leaf).own.append(line.index)
            _place(electronics if kind.category == "Electronics" else home, kind.category, kind.leaf).own.append(
                line.index
            )
            if line.index % 3 == 0:
                _place(roots["household"], kind.category, kind.leaf).own.append(line.index)
        elif kind.category == "Wraps & Bags" and not line.promo_only and line.section == "main":
            _place(home, "Kitchen", kind.leaf).own.append(line.index)
    return [market, electronics, home]


def _promotions(world: "World") -> list[Node]:
    roots = []
    lines = world.catalogue("woolworths").lines
    for place, (key, (name, slug, departments)) in enumerate(PROMOTIONS.items()):
        root = Node(key, name, slug, role="promo", restricted=slug == "front-of-store")
        drawn = world.dice.uniform("woolworths:promotion", place, range(len(lines))) < 0.12
        for line in lines:
            stays = line.promo_only and slug == "dinner"
            if line.section == "main" and (stays or (drawn[line.index] and line.good.kind.department in departments)):
                noun = line.good.kind.category
                root.child(noun, _key(key, noun), slugify(noun)).own.append(line.index)
        roots.append(root)
    tobacco = Node(_key("1_B63CF9E", "tobacco"), "Cigarettes & Tobacco", "cigarettes-tobacco", role="skip")
    for line in lines:
        if line.section == "tobacco":
            leaf = line.good.kind.leaf
            tobacco.child(leaf, _key(tobacco.key, leaf), slugify(leaf)).own.append(line.index)
    for path in tobacco.walk():
        path[-1].restricted = True
    roots[-1].children.append(tobacco)
    return roots


def build(world: "World") -> Tree:
    """The tree of a world; it is the same for every store and day."""
    roots = {name: Node(*row) for name, row in DEPARTMENTS.items()}
    for line in world.catalogue("woolworths").lines:
        kind = line.good.kind
        if line.section == "main" and not line.promo_only:
            _place(roots[kind.department], kind.category, kind.leaf).own.append(line.index)
            if line.abroad:
                _place(roots["world"], "Pantry Imports", kind.noun).own.append(line.index)
    market = _market(world, roots)
    for root in (*roots.values(), *market[1:]):
        root.children.insert(0, _specials(root))
    every = Node("", "", "", children=[*roots.values()])
    group = Node("specialsgroup", "Specials", "specials", role="promo", rule="special", source=every)
    group.children = [
        Node("specialsgroup.3676", "Half Price", "half-price", role="promo", rule="half", source=every),
        Node("specialsgroup.onlineonly", "Online Only", "online-only", role="promo"),
        Node("specialsgroup.-2", "Buy More Save More", "buy-more-save-more", role="promo", rule="many", source=every),
    ]
    promotions = _promotions(world)
    return Tree([group, market[0], *promotions[:2], *roots.values(), *promotions[2:4], *market[1:], promotions[4]])


def _json(node: Node, parent: str | None, level: int, order: int) -> dict[str, Any]:
    children = []
    for place, child in enumerate(node.children):
        repeats = level == 2 and place % 5 == 4
        children.append(_json(child, node.key, level if repeats else level + 1, place + 1))
    return {
        "NodeId": node.key,
        "Description": node.name,
        "NodeLevel": level,
        "ParentNodeId": parent,
        "DisplayOrder": order,
        "IsRestricted": node.restricted,
        "ProductCount": len(node.lines) if len(node.key) % 23 == 0 else 0,
        "IsSortEnabled": True,
        "IsPaginationEnabled": True,
        "UrlFriendlyName": node.slug,
        "Children": children,
        "IsSpecial": bool(node.rule),
        "RichRelevanceId": None,
        "IsBundle": False,
        "IsUntraceable": False,
    }


def tree_json(tree: Tree, missing: str) -> dict[str, Any]:
    """The body of PiesCategoriesWithSpecials, without the root `missing` (a key or slug)."""
    return {
        "Categories": [
            _json(root, None if root.rule else "1-4A3B264C", 1, place + 1)
            for place, root in enumerate(tree.roots)
            if missing not in (root.key, root.slug)
        ]
    }
