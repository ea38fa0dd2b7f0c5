"""What a store ranges and has in stock, as bit strings over listings.ordinal, and the two steps of absence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, select, update

from models.database import bulk
from models.database.dialect import is_one_of, upsert
from models.publishing import differences
from models.publishing.differences import Publication
from models.publishing.seen import Lines, of_run
from models.tables import crawl_runs, listings, missing_listings, store_ranges
from models.tables.types import utc_text
from splitcart.bits import Bits, pack, unpack

SECOND_LOOK = timedelta(hours=20)
"""A listing must be unseen by complete runs this far apart before it is no longer ranged."""

NAMES = ("ranged", "available")
"""The bit strings of store_ranges."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What a run changed besides prices."""

    missing: int
    """How many listings were unseen for the first time."""
    ranged: Bits
    """What the store ranges now, over listings.ordinal."""
    is_range_changed: bool
    """Whether it ranged something else before."""
    gone: list[int]
    """Ordinals of listings that are no longer ranged."""
    delisted: list[int]
    """Ids of the listings that were delisted, whose history was ended."""
    undo: dict[str, Any]
    """What a rollback needs."""


def write(connection: Connection, publication: Publication, lines: Lines, *, complete: bool) -> Absence:
    """Writes range and stock of the listings seen; of a complete run also the absence of those that were not."""
    row = connection.execute(select(store_ranges).where(store_ranges.c.store_id == publication.store_id)).one_or_none()
    ordinals = lines.ordinals
    length = int(ordinals.max()) + 1 if len(ordinals) else 0
    ranged, available = (unpack(getattr(row, name, None), length) for name in NAMES)
    before = (pack(ranged), pack(available))
    seen = np.zeros(len(ranged), dtype=bool)
    seen[ordinals] = True
    unseen = np.flatnonzero(ranged & ~seen) if complete else np.empty(0, dtype=int)
    ranged[ordinals], available[ordinals] = lines.is_ranged, lines.is_available
    available[unseen] = False
    wanted = select(missing_listings).where(missing_listings.c.store_id == publication.store_id)
    known = {row.listing_id: row for row in connection.execute(wanted)}
    back = _come_back(connection, publication.store_id, sorted(known.keys() & set(lines.ids.tolist())))
    steps = _absent(connection, publication, unseen.tolist(), known)
    ranged[steps.gone] = False
    after = (pack(ranged), pack(available))
    _store(connection, publication, row, after, complete)
    undo: dict[str, Any] = {"missing": [*(_as_undo(known[one]) for one in back), *steps.before]}
    undo |= {"ranged": before[0].hex(), "available": before[1].hex()} if before != after else {}
    undo |= {"as_of": utc_text(row.as_of)} if row else {}
    return Absence(len(steps.first), ranged, before[0] != after[0], steps.gone, steps.delisted, undo)


def _store(
    connection: Connection, publication: Publication, row: Any, after: tuple[bytes, ...], complete: bool
) -> None:
    values = dict(zip(NAMES, after, strict=True))
    if row is None:
        statement = upsert(connection, store_ranges)
        connection.execute(statement.values(store_id=publication.store_id, as_of=publication.now, **values))
        return
    changes: dict[str, Any] = {"as_of": publication.now} if complete else {}
    if any(getattr(row, name) != bits for name, bits in values.items()):
        changes |= values
    if changes:
        connection.execute(
            update(store_ranges).where(store_ranges.c.store_id == publication.store_id).values(**changes)
        )


def _as_undo(row: Any) -> list[Any]:
    return [
        row.listing_id,
        utc_text(row.missing_since),
        row.crawl_run_id,
        row.seen_run_id,
        utc_text(row.delisted_at) if row.delisted_at else None,
    ]


def _come_back(connection: Connection, store_id: int, ids: list[int]) -> list[int]:
    """Deletes the rows of missing listings that were seen again, with a price or without."""
    if ids:
        mine = (missing_listings.c.store_id == store_id, is_one_of(connection, missing_listings.c.listing_id, ids))
        connection.execute(delete(missing_listings).where(*mine))
    return ids


@dataclass(frozen=True, slots=True)
class _Steps:
    first: list[int]
    delisted: list[int]
    gone: list[int]
    """Ordinals that are no longer ranged."""
    before: list[list[Any]]


def _absent(connection: Connection, publication: Publication, ordinals: list[int], known: Mapping[int, Any]) -> _Steps:
    """Marks each unseen listing as missing, or delists it where it has been missing for SECOND_LOOK.

    `known`: the store's rows of missing_listings, by listing.
    """
    if not ordinals:
        return _Steps([], [], [], [])
    company = of_run(publication.run, crawl_runs.c.company_id)
    theirs = (listings.c.company_id == company, is_one_of(connection, listings.c.ordinal, ordinals))
    wanted = select(listings.c.id, listings.c.ordinal).where(*theirs).order_by(listings.c.id)
    unseen = [(int(i), int(ordinal)) for i, ordinal in connection.execute(wanted)]
    first = [(i, ordinal) for i, ordinal in unseen if i not in known]
    due = [(i, ordinal) for i, ordinal in unseen if i in known and _is_due(known[i], publication)]
    ending = {i for i, _ in due}
    gone = [ordinal for i, ordinal in unseen if i in known and (known[i].delisted_at or i in ending)]
    _miss(connection, publication, first)
    _delist(connection, publication, due)
    before = [[i, None, None, None, None] for i, _ in first]  # these had no row
    before += [_as_undo(known[i]) for i, _ in due]
    return _Steps([i for i, _ in first], [i for i, _ in due], gone, before)


def _is_due(row: Any, publication: Publication) -> bool:
    return row.delisted_at is None and publication.now - row.missing_since >= SECOND_LOOK


def _miss(connection: Connection, publication: Publication, unseen: Sequence[tuple[int, int]]) -> None:
    names = ("store_id", "listing_id", "missing_since", "crawl_run_id", "seen_run_id")
    since, run = utc_text(publication.now), publication.run.id
    rows = [(publication.store_id, i, since, run, publication.last_seen_by(ordinal)) for i, ordinal in unseen]
    bulk.insert(connection, missing_listings, names, rows)


def _delist(connection: Connection, publication: Publication, unseen: Sequence[tuple[int, int]]) -> None:
    if not unseen:
        return
    differences.delist(connection, publication, [(i, publication.last_seen_by(ordinal)) for i, ordinal in unseen])
    ids = [i for i, _ in unseen]
    mine = (
        missing_listings.c.store_id == publication.store_id,
        is_one_of(connection, missing_listings.c.listing_id, ids),
    )
    connection.execute(update(missing_listings).where(*mine).values(delisted_at=publication.now))
