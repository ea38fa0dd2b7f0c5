"""What a run says of its skus, prices apart: which of them the database does not know, or knows otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from models.dialect import fetched, is_postgres, listed
from models.offers import chosen
from models.run import Run

TEXTS = ("name", "brand", "gtin", "size", "url", "image_url")
_COLUMNS = ("seq", "sku", *TEXTS, "category_path", "category_key", "is_promo")

Row = tuple[int, int | None]
"""seq of the staged rows that give a sku its texts and its category."""


class Staged(NamedTuple):
    """What a run says of one sku, prices apart."""

    seq: int
    sku: str
    name: str
    brand: str | None
    gtin: str | None
    size: str | None
    url: str | None
    image_url: str | None
    path: str | None
    category_key: str | None
    is_promo: bool


texts_of = attrgetter(*TEXTS)
"""The TEXTS of a Staged, in order."""


@dataclass(frozen=True, slots=True)
class Told:
    """A known listing of which a run says other things than the database does, or of which another text is pending."""

    listing_id: int
    staged: Staged


@dataclass(frozen=True, slots=True)
class News:
    """What a run says that the database does not; empty for most runs."""

    new: list[Row]
    """Rows of skus without a listing."""
    told: list[Told]
    """Listings told otherwise."""
    listings: int
    """How many listings the company had, at the latest, when the others were read."""


def read(engine: Engine, run: Run) -> News:
    """What is new in a run's staging: one query, and another where there is any.

    The skus are in the order of their barcodes, then of the skus: what is made of them does not depend on the crawl's.
    """
    with engine.connect() as connection:
        count = text("SELECT coalesce(max(ordinal), -1) + 1 FROM listings WHERE company_id = :company")
        listings = int(connection.execute(count, {"company": run.company_id}).scalar_one())
        operator = "IS DISTINCT FROM" if is_postgres(connection) else "IS NOT"
        code_points = 'COLLATE "C"' if is_postgres(connection) else ""
        differ = " OR ".join(f"(s.{name} IS NOT NULL AND s.{name} {operator} l.{name})" for name in TEXTS)
        path = """CASE WHEN chosen.category_seq = chosen.seq THEN s.category_path ELSE
            (SELECT c.category_path FROM staged_items c WHERE c.run_id = :run AND c.seq = chosen.category_seq) END"""
        sql = f"""
            WITH chosen AS ({chosen(connection)}),
            told AS (
                SELECT l.id, chosen.seq, chosen.category_seq, s.gtin, s.sku, k.path AS known,
                    l.id IS NULL OR l.pending IS NOT NULL OR {differ} AS differs,
                    CASE WHEN l.id IS NOT NULL THEN {path} END AS path
                FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
                LEFT JOIN listings l ON l.company_id = :company AND l.sku = chosen.sku
                LEFT JOIN categories k ON k.id = l.category_id)
            SELECT id, seq, category_seq FROM told
            WHERE differs OR (path IS NOT NULL AND path {operator} known)
            ORDER BY gtin {code_points} NULLS LAST, sku {code_points}"""  # noqa: S608 fixed text
        new, known = list[Row](), list[tuple[int, Row]]()
        for listing_id, seq, category_seq in connection.execute(text(sql), {"run": run.id, "company": run.company_id}):
            if listing_id is None:
                new.append((seq, category_seq))
            else:
                known.append((listing_id, (seq, category_seq)))
        known.sort(key=itemgetter(0))
        texts = staged_texts(connection, run, [row for _, row in known])
        return News(new, list(map(Told, (listing_id for listing_id, _ in known), texts)), listings)


def staged_texts(connection: Connection, run: Run, rows: Sequence[Row]) -> list[Staged]:
    """What staging says, row by row."""
    if not rows:
        return []
    seqs = sorted({seq for row in rows for seq in row if seq is not None})
    values = {"run": run.id, "seqs": listed(connection, seqs)}
    found = fetched(connection, _COLUMNS, "staged_items", "run_id = :run AND seq", "seqs", values)
    by_seq: dict[int, Staged] = {row[0]: Staged._make(row) for row in found}
    return [
        by_seq[seq] if category == seq else _joined(by_seq[seq], None if category is None else by_seq[category])
        for seq, category in rows
    ]


def _joined(told: Staged, category: Staged | None) -> Staged:
    """The texts of one row with the category of another."""
    if category is None:
        return told._replace(path=None, category_key=None, is_promo=False)
    return told._replace(path=category.path, category_key=category.category_key, is_promo=category.is_promo)
