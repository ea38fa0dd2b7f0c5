"""SQL that staging and publishing share: which staged row of a sku counts, and when two offers are the same."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from models.tables import staged_items
from models.tables.base import TERMS

PROMO = 1_000_000_000
"""Added to the seq of a row from a promotional category, so that the least is a departmental one where there is one."""


def chosen(connection: Connection) -> str:
    """SELECT sku, seq, category_seq, told: of each staged sku of :run the rows that give the offer and the category.

    The last organic row gives the offer (an advertised one only where there is no organic, a row whose price could not
    be read only where no other is); the first organic row with a path outside the promotional roots gives the category,
    else the first organic one with any path, else none. `told`: how many rows there are of it.
    """
    postgres = connection.dialect.name == "postgresql"
    organic, promo = ("NOT sponsored", "is_promo") if postgres else ("sponsored = 0", "is_promo = 1")
    readable = f"(price_cents IS NOT NULL OR {'NOT is_unreadable' if postgres else 'is_unreadable = 0'})"
    return f"""
        SELECT sku, coalesce(
                max(CASE WHEN {organic} AND {readable} THEN seq END), max(CASE WHEN {readable} THEN seq END),
                max(CASE WHEN {organic} THEN seq END), max(seq)) AS seq,
            min(CASE WHEN {organic} AND category_path IS NOT NULL
                THEN CASE WHEN {promo} THEN seq + {PROMO} ELSE seq END END) % {PROMO} AS category_seq,
            count(*) AS told
        FROM staged_items WHERE run_id = :run GROUP BY sku"""  # noqa: S608 fixed text


def differs(connection: Connection, one: str, other: str, names: Sequence[str] = TERMS) -> str:
    """An expression: the offers of two aliases differ in what they cost, or in these columns; nulls are values."""
    operator = "IS DISTINCT FROM" if connection.dialect.name == "postgresql" else "IS NOT"
    left, right = (", ".join(f"{alias}.{name}" for name in names) for alias in (one, other))
    return f"(({left}) {operator} ({right}))"


def chosen_rows(run_id: int) -> Select[Any]:
    """run_id, sku, seq, category_seq, staged_rows: of each sku of a run the staged rows that count.

    seq: the row that gives the offer. The last organic one; an advertised one only where there is no organic one, and
    one whose price could not be read only where no other is.
    category_seq: the row that gives the category. The first organic one with a path outside promotional roots, else the
    first organic one with any path, else none.
    staged_rows: how many rows the sku has.
    """
    staged = staged_items.c
    organic = staged.sponsored.is_(False)
    readable = or_(staged.price_cents.is_not(None), staged.is_unreadable.is_(False))
    has_path = and_(organic, staged.category_path.is_not(None))

    def last(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(case((and_(*conditions), staged.seq)))

    def first(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.min(case((and_(*conditions), staged.seq)))

    return (
        select(
            staged.run_id,
            staged.sku,
            func.coalesce(last(organic, readable), last(readable), last(organic), func.max(staged.seq)).label("seq"),
            func.coalesce(first(has_path, staged.is_promo.is_(False)), first(has_path)).label("category_seq"),
            func.count().label("staged_rows"),
        )
        .where(staged.run_id == run_id)
        .group_by(staged.run_id, staged.sku)
    )
