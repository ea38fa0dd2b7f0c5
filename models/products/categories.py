"""The rows of `categories` for the category paths of listings."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from models.database import bulk
from models.database.dialect import is_one_of
from models.staging.rows import SeenSku, path_text
from models.tables import categories, product_categories

_NAMES = ("company_id", "path", "name", "parent_id", "key", "is_promo")


def category_ids(connection: Connection, company_id: int, seen: Iterable[SeenSku]) -> dict[str | None, int | None]:
    """Category ids by path (JSON text; None for None). Adds missing categories, parents before children."""
    leaves: dict[str, SeenSku] = {}
    for one in seen:  # the smallest sku of a path gives the key, so that the order of the skus does not matter
        if (path := one.category_path) and (path not in leaves or one.sku < leaves[path].sku):
            leaves[path] = one
    names = {text: part for path in leaves for text, part in _prefixes(tuple(json.loads(path)))}
    known = _known(connection, company_id, set(names)) if names else {}
    missing = sorted(names.keys() - known.keys())
    for depth in sorted({len(names[path]) for path in missing}):
        level = [path for path in missing if len(names[path]) == depth]
        rows = [_row(company_id, path, names[path], leaves.get(path), known) for path in level]
        bulk.insert(connection, categories, _NAMES, rows)
        known |= _known(connection, company_id, set(level))
    return {None: None} | {path: known[path] for path in leaves}


def _row(
    company_id: int, path: str, names: tuple[str, ...], leaf: SeenSku | None, known: dict[str, int]
) -> tuple[Any, ...]:
    parent = path_text(names[:-1])
    key, is_promo = (leaf.category_key, int(bool(leaf.is_promo))) if leaf else (None, 0)
    return (company_id, path, names[-1], known[parent] if parent else None, key, is_promo)


def _prefixes(names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The paths from the root down to this one, each as (text, names)."""
    parts = (names[:n] for n in range(1, len(names) + 1))
    return ((text, part) for part in parts if (text := path_text(part)) is not None)


def _known(connection: Connection, company_id: int, paths: set[str]) -> dict[str, int]:
    same_path = (categories.c.company_id == company_id, is_one_of(connection, categories.c.path, sorted(paths)))
    rows = connection.execute(select(categories.c.path, categories.c.id).where(*same_path))
    return {path: int(category_id) for path, category_id in rows}


def add_to_categories(connection: Connection, pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Adds (product_id, category_id) pairs to product_categories. Returns those that were not there."""
    products = sorted({product for product, _ in pairs})
    of_products = is_one_of(connection, product_categories.c.product_id, products)
    known = connection.execute(select(product_categories).where(of_products))
    there = {(row.product_id, row.category_id) for row in known}
    bulk.insert(connection, product_categories, ("product_id", "category_id"), sorted(pairs - there))
    return pairs - there
