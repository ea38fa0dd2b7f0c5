"""What a run saw, one row a sku: the temporary table that publishing works on. It lasts as long as the connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    ScalarSelect,
    Text,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from models.database.dialect import emptied, is_one_of, temporary_table
from models.errors import ListingsMissing, StagingIncomplete
from models.runs.chosen_rows import chosen_rows
from models.runs.run import Run
from models.staging.rows import SeenSku
from models.tables import categories, crawl_runs, listings, staged_items
from models.tables.base import OFFER, offer_columns
from models.tables.products import TEXTS
from models.tables.types import Flag

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SEEN = temporary_table(
    "publish_seen",
    Column("sku", Text, nullable=False),
    # The staged row that gives the offer and the texts, and how many staged rows the sku has.
    Column("seq", Integer, nullable=False),
    Column("staged_rows", Integer, nullable=False),
    # Both null for a sku without a listing.
    Column("listing_id", Integer),
    Column("ordinal", Integer),
    Column("is_ranged", Flag, nullable=False),
    Column("is_available", Flag, nullable=False),
    # The listing has other texts or another category than the run reports, or has texts pending.
    Column("texts_differ", Flag, nullable=False),
    *(Column(name, Text) for name in (*TEXTS, "normalized_key", "category_path", "category_key")),
    Column("is_promo", Flag),
    *offer_columns(priced=False),
)


@dataclass(frozen=True, slots=True)
class Lines:
    """The listings that a run saw, in no order: arrays of one length."""

    ids: Ints
    ordinals: Ints
    is_priced: Flags
    is_ranged: Flags
    is_available: Flags
    is_resumed: Flags
    """Seen by the walk that the run resumed: its rows have the first seqs."""


def of_run(run: Run, column: Column[Any]) -> ScalarSelect[Any]:
    """A value of the run's row, for the WHERE of a statement that works on many rows.

    For an id that is not in its statistics PostgreSQL assumes one row; for a subquery it assumes the average number
    (docs/storage.md, "Plans without statistics").
    """
    return select(column).where(crawl_runs.c.id == run.id).scalar_subquery()


def gather(connection: Connection, run: Run) -> None:
    """Fills publish_seen with one row for each sku that the run staged."""
    emptied(connection, SEEN)
    chosen = chosen_rows(run.id).subquery("chosen")
    staged, shelf = staged_items.alias("staged"), staged_items.alias("shelf")
    differs = or_(
        listings.c.pending.is_not(None),
        *(and_(staged.c[name].is_not(None), staged.c[name].is_distinct_from(listings.c[name])) for name in TEXTS),
        and_(shelf.c.category_path.is_not(None), shelf.c.category_path.is_distinct_from(categories.c.path)),
    )
    values = {
        "sku": chosen.c.sku,
        "staged_rows": chosen.c.staged_rows,
        "listing_id": listings.c.id,
        "ordinal": listings.c.ordinal,
        "texts_differ": case((and_(listings.c.id.is_not(None), differs), True), else_=False),
        **{name: staged.c[name] for name in ("seq", "is_ranged", "is_available", "normalized_key", *TEXTS, *OFFER)},
        **{name: shelf.c[name] for name in ("category_path", "category_key", "is_promo")},
    }
    mine = and_(listings.c.company_id == of_run(run, crawl_runs.c.company_id), listings.c.sku == chosen.c.sku)
    rows = (
        select(*values.values())
        .join_from(chosen, staged, and_(staged.c.run_id == chosen.c.run_id, staged.c.seq == chosen.c.seq))
        .outerjoin(shelf, and_(shelf.c.run_id == chosen.c.run_id, shelf.c.seq == chosen.c.category_seq))
        .outerjoin(listings, mine)
        .outerjoin(categories, categories.c.id == listings.c.category_id)
    )
    connection.execute(insert(SEEN).from_select(list(values), rows))


def new_skus(connection: Connection) -> list[str]:
    """The skus that have no listing, in the order of their barcodes, then of the skus.

    What is made of them must not depend on the order of the crawl.
    """
    pairs = connection.execute(select(SEEN.c.gtin, SEEN.c.sku).where(SEEN.c.listing_id.is_(None)))
    return [sku for _, _, sku in sorted((gtin is None, gtin or "", sku) for gtin, sku in pairs)]


def of_skus(connection: Connection, skus: Sequence[str]) -> list[SeenSku]:
    """What the run reports of these skus, in their order."""
    found = {one.sku: one for one in _read(connection, is_one_of(connection, SEEN.c.sku, skus))}
    return [found[sku] for sku in skus]


def with_other_texts(connection: Connection) -> list[SeenSku]:
    """The listings whose texts or category differ from what the run reports, or that have texts pending."""
    return _read(connection, SEEN.c.texts_differ.is_(True))


def _read(connection: Connection, condition: ColumnElement[bool]) -> list[SeenSku]:
    wanted = select(*(SEEN.c[name] for name in SeenSku._fields)).where(condition)
    return [SeenSku._make(row) for row in connection.execute(wanted)]


def checked_lines(connection: Connection, run: Run, staged: int) -> Lines:
    """The listings of all skus, once each new sku has its listing.

    `staged`: how many rows of the run the database holds; raises StagingIncomplete unless all of them were gathered.
    Raises ListingsMissing where a sku still has no listing: nothing that was seen may get lost.
    """
    _find_listings(connection, run)
    counts = select(func.coalesce(func.sum(SEEN.c.staged_rows), 0), func.count() - func.count(SEEN.c.listing_id))
    gathered, missing = connection.execute(counts).one()
    if gathered != staged:
        raise StagingIncomplete(run.id, int(gathered), staged)
    if missing:
        raise ListingsMissing(run.id, missing)
    conditions = (
        *(SEEN.c.price_cents.is_not(None), SEEN.c.is_ranged.is_(True), SEEN.c.is_available.is_(True)),
        SEEN.c.seq < run.resumed_rows,
    )
    # The four flags as bits of one number: three columns less to read for each row.
    bits = [case((condition, 1 << place), else_=0) for place, condition in enumerate(conditions)]
    query = select(SEEN.c.listing_id, SEEN.c.ordinal, bits[0] + bits[1] + bits[2] + bits[3])
    rows = chain.from_iterable(connection.execute(query).partitions(1000))
    ids, ordinals, flags = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 3).T
    return Lines(ids, ordinals, *(flags >> place & 1 == 1 for place in range(len(conditions))))


def _find_listings(connection: Connection, run: Run) -> None:
    """Gives the skus that had no listing the one that they have by now."""
    mine = (listings.c.company_id == of_run(run, crawl_runs.c.company_id), listings.c.sku == SEEN.c.sku)
    listing_id, ordinal = (
        select(column).where(*mine).scalar_subquery() for column in (listings.c.id, listings.c.ordinal)
    )
    missing = update(SEEN).where(SEEN.c.listing_id.is_(None))
    connection.execute(missing.values(listing_id=listing_id, ordinal=ordinal))
