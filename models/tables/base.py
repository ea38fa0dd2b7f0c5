"""The metadata, and the columns and checks that several tables share."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    FromClause,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
)
from sqlalchemy.schema import SchemaItem

from models.tables.types import Flag, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BASES = ("each", "kg")
UNITS = ("kg", "l", "m", "ea")

# SQLite's STRICT tables have no BIGINT; their INTEGER has 64 bits.
Big = BigInteger().with_variant(Integer(), "sqlite")


def table(name: str, *items: SchemaItem, **options: Any) -> Table:
    """A table of the schema. STRICT in SQLite: an integer column refuses a text or a fraction, as in PostgreSQL."""
    return Table(name, metadata, *items, sqlite_strict=True, **options)


def check(name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=name)


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    return check(column, f"{column} IN ({', '.join(repr(v) for v in values)})")


def both_or_none(name: str, one: str, other: str) -> CheckConstraint:
    return check(name, f"({one} IS NULL) = ({other} IS NULL)")


def gtin_check() -> CheckConstraint:
    """14 characters, all digits, in SQL that both databases accept."""
    return check("gtin", "length(gtin) = 14 AND ltrim(gtin, '0123456789') = ''")


def reference(name: str, target: str, **options: Any) -> Column[int]:
    return Column(name, Integer, ForeignKey(target), **options)


def sqlite_reference(column: str, target: str) -> ForeignKeyConstraint:
    """A foreign key in SQLite only, where it costs little; PostgreSQL would run a query for each row."""
    return ForeignKeyConstraint([column], [target]).ddl_if(dialect="sqlite")


def offer_columns(*, priced: bool) -> list[Column[Any]]:
    """The columns of an offer, which prices, price_changes, staged_items and price_slots share.

    priced: a price is required (price_changes and staged_items have offers without one).
    """
    return [
        Column("price_cents", Integer, nullable=not priced),
        Column("was_price_cents", Integer),
        Column("price_basis", Text, nullable=False),
        Column("typical_grams", Integer),
        Column("is_estimated", Flag, nullable=False),
        Column("unit_price_e4", Big),
        Column("unit_of_measure", Text),
        Column("is_on_special", Flag, nullable=False),
        Column("offer_id", Text),
        Column("offer_kind", Text),
        Column("multibuy_quantity", Integer),
        Column("multibuy_total_cents", Integer),
        Column("member_price_cents", Integer),
        Column("member_multibuy_quantity", Integer),
        Column("member_multibuy_total_cents", Integer),
        Column("channel", Text),
        Column("offer_until", UtcDateTime),
    ]


OFFER = tuple(c.name for c in offer_columns(priced=True))
"""The names of the offer columns, in order."""

TERMS = (
    *("price_cents", "was_price_cents", "price_basis", "multibuy_quantity", "multibuy_total_cents"),
    *("member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"),
)
"""What an offer costs: two offers are equal if all of these are. The other columns describe it; their change is not a
change of the offer."""


def same_terms(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether the offers of two rows have the same terms; two nulls are equal."""
    return and_(*(one.c[name].is_not_distinct_from(other.c[name]) for name in TERMS))


def offer_checks() -> list[CheckConstraint]:
    """The checks of an offer; a null passes if the field may be absent."""
    return [
        check("price", "price_cents >= 0"),
        check("was", "was_price_cents IS NULL OR (price_cents IS NOT NULL AND was_price_cents > price_cents)"),
        check("special", "is_on_special = (was_price_cents IS NOT NULL)"),
        one_of("price_basis", BASES),
        check("typical", "typical_grams > 0"),
        check("unit_price", "unit_price_e4 >= 0 AND unit_price_e4 < 1000000000000"),
        both_or_none("unit", "unit_price_e4", "unit_of_measure"),
        one_of("unit_of_measure", UNITS),
        check("multibuy", "multibuy_quantity >= 2 AND multibuy_total_cents >= 0"),
        both_or_none("multibuy_pair", "multibuy_quantity", "multibuy_total_cents"),
        check("member", "member_price_cents >= 0"),
        check("member_multibuy", "member_multibuy_quantity >= 2 AND member_multibuy_total_cents >= 0"),
        both_or_none("member_multibuy_pair", "member_multibuy_quantity", "member_multibuy_total_cents"),
    ]
