"""What a run saw, sku by sku: the temporary table that resolving and publishing work on, one connection long."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from models.dialect import by_hash, integers, is_postgres, looked_up, packed, temporary, unguessed
from models.errors import ListingsMissing, StagingIncomplete
from models.offers import chosen, columns, offer_types
from models.ordinals import Ints, Ordinals, of_company
from models.run import Run
from models.tables.products import TEXTS

COLUMNS = """sku TEXT, seq INTEGER, category_seq INTEGER, told INTEGER, listing_id INTEGER, ordinal INTEGER,
    is_ranged INTEGER, is_available INTEGER, is_keyed INTEGER, differs INTEGER"""
"""Of a sku without a listing the ordinal is null; its listing_id is the one it will get (SQLite: null)."""


class Gathered(NamedTuple):
    """How many skus there are, and how many of them have no listing."""

    skus: int
    new: int
    keyed: bool
    """All of the new ones were staged with their keys."""
    otherwise: int
    """How many of the others differ."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The listings that a run saw, in no order: their ordinals, and flags of the same length."""

    ordinals: Ints
    is_priced: npt.NDArray[np.bool_]
    is_ranged: npt.NDArray[np.bool_]
    is_available: npt.NDArray[np.bool_]
    is_adopted: npt.NDArray[np.bool_]
    """Seen by the walk that the run goes on with."""
    listings: Ordinals | None
    """All that the company has, where they had to be read."""


def gather(connection: Connection, run: Run) -> Gathered:
    """Fills publish_seen with one row a sku.

    `differs`: the database has other texts or another category of the listing than the run tells, or texts pending.
    """
    temporary(connection, "publish_seen", f"{COLUMNS}, {offer_types(connection)}", kept=True)
    postgres = is_postgres(connection)
    cast, operator = ("::int", "IS DISTINCT FROM") if postgres else ("", "IS NOT")
    texts = " OR ".join(f"(s.{name} IS NOT NULL AND s.{name} {operator} l.{name})" for name in TEXTS)
    path = path_of("chosen")
    shelves = "SELECT id, path FROM categories WHERE company_id = :company"
    differs = f"""CASE WHEN l.id IS NOT NULL AND (l.pending IS NOT NULL OR {texts} OR ({path} IS NOT NULL
        AND (l.category_id IS NULL OR (l.category_id, {path}) NOT IN ({shelves})))) THEN 1 ELSE 0 END"""
    names = ", ".join(f"l.{name}" for name in ("id", "ordinal", "category_id", "pending", *TEXTS))
    mine = f"l.company_id = {unguessed(connection, 'company')} AND l.sku = chosen.sku"
    sql = f"""
        WITH chosen AS ({chosen(connection)})
        INSERT INTO publish_seen
        SELECT chosen.sku, chosen.seq, chosen.category_seq, chosen.told,
            {"coalesce(l.id, nextval('listings_id_seq'))" if postgres else "l.id"}, l.ordinal, s.is_ranged{cast},
            s.is_available{cast}, (s.normalized_key IS NOT NULL){cast}, {differs}, {columns("s")}
        FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
        {looked_up(connection, "l", "listings", names, mine)}"""  # noqa: S608 fixed text
    with by_hash(connection, groups=True, looks_up=True):
        connection.execute(text(sql), {"run": run.id, "company": run.company_id})
    counts = """SELECT count(*), count(*) - count(ordinal),
        coalesce(sum(CASE WHEN ordinal IS NULL THEN is_keyed END), 0), coalesce(sum(differs), 0) FROM publish_seen"""
    skus, new, keyed, otherwise = connection.execute(text(counts)).one()
    return Gathered(int(skus), int(new), new == keyed, int(otherwise))


def path_of(row: str) -> str:
    """An expression: the category path of a sku, of whose rows s is the one at `row`.seq."""
    return f"""CASE WHEN {row}.category_seq = {row}.seq THEN s.category_path ELSE
        (SELECT c.category_path FROM staged_items c WHERE c.run_id = :run AND c.seq = {row}.category_seq) END"""  # noqa: S608


def settle(connection: Connection, run: Run, *, staged: int, new: int, whole: bool) -> Lines:
    """Tells the listings of all skus, those that were new included.

    `staged`: how many rows of the run the database holds: all of them must have been gathered, else StagingIncomplete.
    `new`: how many had no listing; `whole`: nobody else made any of theirs, so that they got the ids meant for them.
    Raises ListingsMissing where one still has none: nothing that was seen may get lost.
    """
    if new and not (whole and is_postgres(connection)):
        _find_listings(connection, run)
    flags = f"""CASE WHEN seq < {int(run.adopted_rows)} THEN 8 ELSE 0 END
        + CASE WHEN price_cents IS NULL THEN 0 ELSE 4 END + is_ranged * 2 + is_available"""
    told_of, fresh_of = packed(connection, f"ordinal * 16 + {flags}"), packed(connection, "listing_id", flags)
    sql = f"""SELECT coalesce(sum(told), 0), count(*) - count(ordinal), {told_of} FILTER (WHERE ordinal IS NOT NULL),
        {fresh_of} FILTER (WHERE ordinal IS NULL AND listing_id IS NOT NULL) FROM publish_seen"""  # noqa: S608
    gathered, unplaced, told, fresh = connection.execute(text(sql)).one()
    if gathered != staged:
        raise StagingIncomplete(run.id, int(gathered), staged)
    codes, known = integers(told, 1)[:, 0], of_company(connection, run.company_id) if unplaced else None
    if known is not None:
        ids, told_of_each = integers(fresh, 2).T
        there = np.isin(ids, known.ids)
        if missing := int(unplaced) - int(there.sum()):
            raise ListingsMissing(run.id, missing)
        codes = np.concatenate([codes, known.ordinals[np.searchsorted(known.ids, ids)] * 16 + told_of_each])
    priced, ranged, available, adopted = ((codes & flag) > 0 for flag in (4, 2, 1, 8))
    return Lines(codes >> 4, priced, ranged, available, adopted, known)


def _find_listings(connection: Connection, run: Run) -> None:
    """Gives the skus that had none the listing they have by now."""
    theirs = f"l.company_id = {unguessed(connection, 'company')} AND l.sku = publish_seen.sku"
    sql = f"""UPDATE publish_seen SET (listing_id, ordinal) =
        (SELECT l.id, l.ordinal FROM listings l WHERE {theirs}) WHERE ordinal IS NULL"""  # noqa: S608 fixed text
    with by_hash(connection, looks_up=True):
        connection.execute(text(sql), {"company": run.company_id})
