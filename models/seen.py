"""What a run saw, listing by listing: the temporary table that publishing works on."""

from sqlalchemy import Connection, text

from models.dialect import is_postgres, temporary
from models.offers import chosen
from models.run import Run

COLUMNS = "listing_id INTEGER, ordinal INTEGER, seq INTEGER, is_priced INTEGER, is_ranged INTEGER, is_available INTEGER"


def gather(connection: Connection, run: Run) -> tuple[int, int]:
    """Fills publish_seen with one row a listing seen; returns their number and how many have a price."""
    temporary(connection, "publish_seen", COLUMNS)
    cast = "::int" if is_postgres(connection) else ""
    sql = f"""
        WITH chosen AS ({chosen(connection)})
        INSERT INTO publish_seen
        SELECT l.id, l.ordinal, s.seq, (s.price_cents IS NOT NULL){cast}, s.is_ranged{cast}, s.is_available{cast}
        FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
        JOIN listings l ON l.company_id = :company AND l.sku = chosen.sku
        ORDER BY l.id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {"run": run.id, "company": run.company_id})
    count, priced = connection.execute(text("SELECT count(*), coalesce(sum(is_priced), 0) FROM publish_seen")).one()
    return int(count), int(priced)
