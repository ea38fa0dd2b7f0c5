"""Which staged row of a sku counts, for measuring a run and for publishing it."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from models.tables import staged_items


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
