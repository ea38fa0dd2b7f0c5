"""Tables of one transaction (SQLite: of one connection), which no other sees."""

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, delete, text
from sqlalchemy.schema import CreateTable, SchemaItem

from models.types import UtcDateTime

_metadata = MetaData()


def _temporary(name: str, *columns: SchemaItem) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DELETE ROWS")


# When lines were seen last, where that is another look than the one of most lines of the store (models.effective).
line_looks = _temporary(
    "line_looks",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("local_day", Text, nullable=False),
    Column("period", Text, nullable=False),
)

# The marks that a build of the price slots has read, and the listings of the products that they name.
taken_marks = _temporary(
    "taken_marks",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", Integer),
    Column("store_id", Integer),
)
marked_listings = _temporary("marked_listings", Column("listing_id", Integer, primary_key=True, autoincrement=False))

# The listings whose price or history a run wrote, while it is rolled back.
touched_listings = _temporary("touched_listings", Column("listing_id", Integer, primary_key=True, autoincrement=False))

# The barcodes that product pages told.
looked_up = _temporary("looked_up", Column("sku", Text, primary_key=True), Column("gtin", Text))


def emptied(connection: Connection, table: Table) -> None:
    """Makes the table, or empties the one that is there."""
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(delete(table))


def analysed(connection: Connection, table: Table) -> None:
    """Tells PostgreSQL's planner how many rows the table has: it would guess hundreds."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table.name}"))
