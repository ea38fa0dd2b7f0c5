"""What a run says of its skus, prices apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from models.dialect import fetched, listed
from models.errors import StagingIncomplete
from models.run import Run
from models.tables.products import TEXTS

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


@dataclass(frozen=True, slots=True)
class Told:
    """A known listing of which a run says other things than the database does, or of which another text is pending."""

    listing_id: int
    staged: Staged


def told(connection: Connection, run: Run) -> list[Told]:
    """The listings that `seen.gather` found told otherwise; none for most runs."""
    sql = "SELECT listing_id, seq, category_seq FROM publish_seen WHERE differs = 1 ORDER BY listing_id"
    known = connection.execute(text(sql)).all()
    texts = staged_texts(connection, run, [(seq, category_seq) for _, seq, category_seq in known])
    return list(map(Told, (listing_id for listing_id, _, _ in known), texts))


def staged_texts(connection: Connection, run: Run, rows: Sequence[Row]) -> list[Staged]:
    """What staging says, row by row. Raises StagingIncomplete where it is gone."""
    if not rows:
        return []
    seqs = sorted({seq for row in rows for seq in row if seq is not None})
    values = {"run": run.id, "seqs": listed(connection, seqs)}
    found = fetched(connection, _COLUMNS, "staged_items", "run_id = :run AND seq", "seqs", values)
    by_seq: dict[int, Staged] = {row[0]: Staged._make(row) for row in found}
    if len(by_seq) != len(seqs):
        raise StagingIncomplete(run.id, len(by_seq), len(seqs))
    return [
        by_seq[seq] if category == seq else _joined(by_seq[seq], None if category is None else by_seq[category])
        for seq, category in rows
    ]


def _joined(told: Staged, category: Staged | None) -> Staged:
    """The texts of one row with the category of another."""
    if category is None:
        return told._replace(path=None, category_key=None, is_promo=False)
    return told._replace(path=category.path, category_key=category.category_key, is_promo=category.is_promo)
