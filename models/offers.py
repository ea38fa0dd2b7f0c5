"""SQL that staging and publishing share: which staged row of a sku counts, and when two offers are the same."""

from sqlalchemy import Connection

from models.tables.base import OFFER, offer_columns

PROMO = 1_000_000_000
"""Added to the seq of a row from a promotional category, so that the least is a departmental one where there is one."""


def chosen(connection: Connection) -> str:
    """SELECT sku, seq, category_seq, told: of each staged sku of :run the rows that give the offer and the category.

    The last organic row gives the offer (an advertised one only where there is no organic); the first organic row with
    a path outside the promotional roots gives the category, else the first organic one with any path, else none.
    `told`: how many rows there are of it.
    """
    organic = "NOT sponsored" if connection.dialect.name == "postgresql" else "sponsored = 0"
    promo = "is_promo" if connection.dialect.name == "postgresql" else "is_promo = 1"
    return f"""
        SELECT sku, coalesce(max(CASE WHEN {organic} THEN seq END), max(seq)) AS seq,
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


def differs(connection: Connection, one: str, other: str) -> str:
    """An expression: the offers of two aliases differ in any column, nulls compared as values."""
    operator = "IS DISTINCT FROM" if connection.dialect.name == "postgresql" else "IS NOT"
    return f"(({columns(one)}) {operator} ({columns(other)}))"
