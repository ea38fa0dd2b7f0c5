"""The rooms of the tree: who may import whom, and how many modules a room holds."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from tests.support import tree

LAYERS: Mapping[str, tuple[str, ...]] = {
    "splitcart": (
        "patterns", "printing", "bits", "money", "cleaning", "gtin", "periods", "timezones",
        "sizes", "offers", "identity", "runs", "observed", "grouping", "scheduling", "cart",
    ),
    "models": (
        "errors", "tables", "database", "lines", "stores", "runs", "clocks", "staging", "products", "groups", "prices",
        "publishing", "scheduling", "slots", "checks", "migrations",
    ),
    "splitcart_spiders": (
        "errors", "arguments", "items", "limits", "item_processor", "advice", "shared", "storefront", "middlewares",
        "downloads", "crawl", "exporters", "interrupts", "sessions", "chains", "spiders", "extensions", "console",
        "commands", "settings",
    ),
    "sandbox": (
        "dice", "tree", "goods", "places", "pricing", "shelf", "sites", "world", "site", "garble", "faults", "pages",
        "chains", "control", "server",
    ),
}  # fmt: skip
"""The modules and folders of each package in import order: each imports only those before it and its own folder."""
FOUND_LATER = {("sandbox.sites", "sandbox.chains")}
"""Looks into the folder of a higher room when it is asked, and imports what it finds there."""
MODULES = 16
"""The most that one folder holds."""


def _edges() -> Iterator[tuple[str, str]]:
    """(module, module that it imports), annotations and functions counted."""
    known = {module.name for module in tree.code()}
    for module in tree.code():
        for _, name in module.imports():
            found = name if name in known else name.rpartition(".")[0]
            if found in known and found != module.name:
                yield module.name, found


def test_a_room_imports_nothing_from_a_higher_one():
    wrong = []
    for one, other in _edges():
        top, _, rest = one.partition(".")
        there, _, far = other.partition(".")
        if top == there and top in LAYERS and rest and far:
            place, at = (LAYERS[top].index(name.partition(".")[0]) for name in (rest, far))
            if at > place and (one, other) not in FOUND_LATER:
                wrong.append(f"{one} imports {other}")
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    imports: dict[str, set[str]] = {}
    for one, other in _edges():
        imports.setdefault(one, set()).add(other)
    while True:  # what imports nothing that is left, and what nothing left imports, is in no circle
        used = {name for found in imports.values() for name in found}
        kept = {name: found for name, found in imports.items() if name in used and found & imports.keys()}
        if len(kept) == len(imports):
            break
        imports = kept
    assert {name: sorted(found & imports.keys()) for name, found in imports.items()} == {}


def test_scripts_import_nothing_from_tests():
    doors = {"scripts/chaos.py"}  # thin: what it runs are tests
    wrong = [
        f"{module.path} imports {name}"
        for module in tree.code()
        if module.top == "scripts" and module.path.as_posix() not in doors
        for _, name in module.imports()
        if name.partition(".")[0] == "tests"
    ]
    assert wrong == []


def _named(module: tree.Module) -> Iterator[str]:
    """All that a module imports, and its texts that name tests: code for another process may be in them."""
    yield from (name for _, name in module.imports())
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "tests." in node.value:
            yield node.value


def test_what_tests_share_lies_in_their_support_and_no_test_file_is_imported():
    files = [module.name for module in tree.tests() if module.path.name.startswith("test_")]
    wrong = [
        f"{module.path} names {file}"
        for module in tree.modules()
        for name in _named(module)
        for file in files
        if file in name
    ]
    assert wrong == []


def test_no_room_is_a_heap():
    held = Counter(module.path.parent for module in tree.code() if module.path.name != "__init__.py")
    full = {
        str(folder): count for folder, count in held.items() if count > MODULES and folder.parts[0] in tree.PACKAGES
    }
    assert full == {}
