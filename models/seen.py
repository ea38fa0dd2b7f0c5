"""What a run saw, sku by sku: the temporary table that resolving and publishing work on, one connection long."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from models.dialect import is_postgres, temporary
from models.errors import ListingsMissing, StagingIncomplete
from models.offers import chosen, columns, offer_types
from models.run import Run
from models.tables.products import TEXTS

COLUMNS = """sku TEXT, seq INTEGER, category_seq INTEGER, told INTEGER, listing_id INTEGER, ordinal INTEGER,
    is_ranged INTEGER, is_available INTEGER, is_keyed INTEGER, differs INTEGER"""


class Gathered(NamedTuple):
    """How many skus have no listing, and whether all of these were staged with their keys."""

    new: int
    keyed: bool


def gather(connection: Connection, run: Run) -> Gathered:
    """Fills publish_seen with one row a sku.

    `differs`: the database has other texts or another category of the listing than the run tells, or texts pending.
    """
    temporary(connection, "publish_seen", f"{COLUMNS}, {offer_types(connection)}", kept=True)
    cast = "::int" if is_postgres(connection) else ""
    operator = "IS DISTINCT FROM" if is_postgres(connection) else "IS NOT"
    texts = " OR ".join(f"(s.{name} IS NOT NULL AND s.{name} {operator} l.{name})" for name in TEXTS)
    path = path_of("chosen")
    differs = f"""CASE WHEN l.id IS NOT NULL AND (l.pending IS NOT NULL OR {texts}
        OR ({path} IS NOT NULL AND {path} {operator} k.path)) THEN 1 ELSE 0 END"""
    sql = f"""
        WITH chosen AS ({chosen(connection)})
        INSERT INTO publish_seen
        SELECT chosen.sku, chosen.seq, chosen.category_seq, chosen.told, l.id, l.ordinal, s.is_ranged{cast},
            s.is_available{cast}, (s.normalized_key IS NOT NULL){cast}, {differs}, {columns("s")}
        FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
        LEFT JOIN listings l ON l.company_id = :company AND l.sku = chosen.sku
        LEFT JOIN categories k ON k.id = l.category_id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {"run": run.id, "company": run.company_id})
    counts = "SELECT count(*), coalesce(sum(is_keyed), 0) FROM publish_seen WHERE listing_id IS NULL"
    new, keyed = connection.execute(text(counts)).one()
    return Gathered(int(new), new == keyed)


def path_of(row: str) -> str:
    """An expression: the category path of a sku, of whose rows s is the one at `row`.seq."""
    return f"""CASE WHEN {row}.category_seq = {row}.seq THEN s.category_path ELSE
        (SELECT c.category_path FROM staged_items c WHERE c.run_id = :run AND c.seq = {row}.category_seq) END"""  # noqa: S608


def settle(connection: Connection, run: Run, *, staged: int, listings: int) -> tuple[int, int]:
    """Gives the skus that had none the listing they have by now; returns how many there are, and how many have a price.

    `staged`: how many rows of the run the database holds: all of them must have been gathered, else StagingIncomplete.
    `listings`: how many the company had, at the latest, when they had none: theirs have the ordinals from that on.
    Raises ListingsMissing where one still has none: nothing that was seen may get lost.
    """
    sql = "SELECT count(*), count(*) - count(listing_id), count(price_cents), coalesce(sum(told), 0) FROM publish_seen"
    count, new, priced, gathered = connection.execute(text(sql)).one()
    if gathered != staged:
        raise StagingIncomplete(run.id, int(gathered), staged)
    if new:
        theirs = "l.company_id = :company AND l.ordinal >= :listings AND l.sku = publish_seen.sku"
        if is_postgres(connection):
            found = f"""UPDATE publish_seen SET listing_id = l.id, ordinal = l.ordinal FROM listings l
                WHERE {theirs} AND publish_seen.listing_id IS NULL"""  # noqa: S608 fixed text
        else:  # It would read all of theirs for each: `+` says that ordinals are no way to find one.
            theirs = theirs.replace("l.ordinal", "+l.ordinal")
            found = f"""UPDATE publish_seen SET (listing_id, ordinal) =
                (SELECT l.id, l.ordinal FROM listings l WHERE {theirs}) WHERE listing_id IS NULL"""  # noqa: S608
        connection.execute(text(found), {"company": run.company_id, "listings": listings})
        if missing := connection.execute(text(sql)).one()[1]:
            raise ListingsMissing(run.id, int(missing))
    return int(count), int(priced)
