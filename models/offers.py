"""SQL that staging and publishing share: which staged row of a sku counts, and when two offers are the same."""

from collections.abc import Sequence

from sqlalchemy import Connection

from models.tables.base import OFFER, TERMS, offer_columns

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


def columns(alias: str) -> str:
    """The offer's columns of a table alias, in the order of OFFER."""
    return ", ".join(f"{alias}.{name}" for name in OFFER)


def offer_types(connection: Connection) -> str:
    """The offer's columns with their types, for a temporary table."""
    return ", ".join(
        f"{column.name} {column.type.compile(connection.dialect)}" for column in offer_columns(priced=False)
    )


def differs(connection: Connection, one: str, other: str, names: Sequence[str] = TERMS) -> str:
    """An expression: the offers of two aliases differ in what they cost, or in these columns; nulls are values."""
    operator = "IS DISTINCT FROM" if connection.dialect.name == "postgresql" else "IS NOT"
    left, right = (", ".join(f"{alias}.{name}" for name in names) for alias in (one, other))
    return f"(({left}) {operator} ({right}))"
