"""Rows of categories for the paths that listings are found under."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from models import bulk
from models.dialect import among, listed
from models.staged_rows import path_text
from models.tables import categories, product_categories

if TYPE_CHECKING:
    from sqlalchemy import Row

    from models.staged_texts import Staged

_NAMES = ("company_id", "path", "name", "parent_id", "key", "is_promo")


def category_ids(
    connection: Connection, company_id: int, staged: Iterable["Row[Any] | Staged"]
) -> dict[str | None, int | None]:
    """The category's id by path (JSON text; None for None). Adds what is missing, parents before children."""
    told: dict[str, Row[Any] | Staged] = {}
    for one in staged:  # of several rows with one path the least sku tells its key: the order must not matter
        if one.path and (one.path not in told or one.sku < told[one.path].sku):
            told[one.path] = one
    names = {text: part for path in told for text, part in _prefixes(tuple(json.loads(path)))}
    known = _known(connection, company_id, set(names)) if names else {}
    missing = sorted(names.keys() - known.keys())
    for depth in sorted({len(names[path]) for path in missing}):
        level = [path for path in missing if len(names[path]) == depth]
        rows = [_row(company_id, path, names[path], told.get(path), known) for path in level]
        bulk.insert(connection, categories, _NAMES, rows)
        known |= _known(connection, company_id, set(level))
    return {None: None} | {path: known[path] for path in told}


def _row(
    company_id: int, path: str, names: tuple[str, ...], leaf: "Row[Any] | Staged | None", known: dict[str, int]
) -> tuple[Any, ...]:
    parent = path_text(names[:-1])
    told = (leaf.category_key, int(bool(leaf.is_promo))) if leaf else (None, 0)
    return (company_id, path, names[-1], known[parent] if parent else None, *told)


def _prefixes(names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The paths from the root down to this one, as text and as names."""
    parts = (names[:n] for n in range(1, len(names) + 1))
    return ((text, part) for part in parts if (text := path_text(part)) is not None)


def _known(connection: Connection, company_id: int, paths: set[str]) -> dict[str, int]:
    sql = f"SELECT path, id FROM categories WHERE company_id = :company AND {among(connection, 'path', 'paths')}"  # noqa: S608
    rows = connection.execute(text(sql), {"company": company_id, "paths": listed(connection, sorted(paths))})
    return {path: int(category_id) for path, category_id in rows}


def add_to_categories(connection: Connection, pairs: set[tuple[Any, int]]) -> set[tuple[Any, int]]:
    """Puts products (product_id, category_id) into categories. Returns the pairs that were not there."""
    sql = f"SELECT product_id, category_id FROM product_categories WHERE {among(connection, 'product_id', 'ids')}"  # noqa: S608
    known = connection.execute(text(sql), {"ids": listed(connection, sorted({product for product, _ in pairs}))})
    there = {(row.product_id, row.category_id) for row in known}
    bulk.insert(connection, product_categories, ("product_id", "category_id"), sorted(pairs - there))
    return pairs - there
