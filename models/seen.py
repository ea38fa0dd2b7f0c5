"""What a run saw, sku by sku: the temporary table that resolving and publishing work on, one connection long."""

from sqlalchemy import Connection, text

from models.dialect import is_postgres, temporary
from models.errors import ListingsMissing
from models.offers import chosen, columns, offer_types
from models.run import Run
from models.tables.products import TEXTS

COLUMNS = """sku TEXT, seq INTEGER, category_seq INTEGER, listing_id INTEGER, ordinal INTEGER, is_ranged INTEGER,
    is_available INTEGER, differs INTEGER"""


def gather(connection: Connection, run: Run) -> int:
    """Fills publish_seen with one row a sku; returns how many have no listing.

    `differs`: the database has other texts or another category of the listing than the run tells, or texts pending.
    """
    temporary(connection, "publish_seen", f"{COLUMNS}, {offer_types(connection)}", kept=True)
    cast = "::int" if is_postgres(connection) else ""
    operator = "IS DISTINCT FROM" if is_postgres(connection) else "IS NOT"
    texts = " OR ".join(f"(s.{name} IS NOT NULL AND s.{name} {operator} l.{name})" for name in TEXTS)
    path = path_of("chosen")
    sql = f"""
        WITH chosen AS ({chosen(connection)})
        INSERT INTO publish_seen
        SELECT chosen.sku, chosen.seq, chosen.category_seq, l.id, l.ordinal, s.is_ranged{cast},
            s.is_available{cast}, CASE WHEN l.id IS NOT NULL AND (l.pending IS NOT NULL OR {texts}
                OR ({path} IS NOT NULL AND {path} {operator} k.path)) THEN 1 ELSE 0 END,
            {columns("s")}
        FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
        LEFT JOIN listings l ON l.company_id = :company AND l.sku = chosen.sku
        LEFT JOIN categories k ON k.id = l.category_id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {"run": run.id, "company": run.company_id})
    return int(connection.execute(text("SELECT count(*) - count(listing_id) FROM publish_seen")).scalar_one())


def path_of(row: str) -> str:
    """An expression: the category path of a sku, of whose rows s is the one at `row`.seq."""
    return f"""CASE WHEN {row}.category_seq = {row}.seq THEN s.category_path ELSE
        (SELECT c.category_path FROM staged_items c WHERE c.run_id = :run AND c.seq = {row}.category_seq) END"""  # noqa: S608


def settle(connection: Connection, run: Run) -> tuple[int, int]:
    """Gives the skus that had none the listing they have by now; returns how many there are, and how many have a price.

    Raises ListingsMissing where one still has none: nothing that was seen may get lost.
    """
    sql = "SELECT count(*), count(*) - count(listing_id), count(price_cents) FROM publish_seen"
    count, new, priced = connection.execute(text(sql)).one()
    if new:
        found = """UPDATE publish_seen SET (listing_id, ordinal) =
            (SELECT l.id, l.ordinal FROM listings l WHERE l.company_id = :company AND l.sku = publish_seen.sku)
            WHERE listing_id IS NULL"""
        connection.execute(text(found), {"company": run.company_id})
        if missing := connection.execute(text(sql)).one()[1]:
            raise ListingsMissing(run.id, int(missing))
    return int(count), int(priced)
