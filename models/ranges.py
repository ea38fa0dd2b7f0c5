"""What a store ranges and has in stock, as bit strings over listings.ordinal, and the two steps of absence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select, text, update

from models import bulk
from models.dialect import among, by_hash, listed, upsert
from models.differences import Moment
from models.seen import Lines
from models.tables import missing_listings, price_changes, store_ranges
from models.types import utc_text

SECOND_LOOK = timedelta(hours=20)
"""A listing must be unseen by complete runs this far apart before it is no longer ranged."""

NAMES = ("ranged", "available", "priced")
"""The bit strings of store_ranges."""

Bits = npt.NDArray[np.bool_]


def unpack(data: bytes | None, length: int = 0) -> Bits:
    """Bit i of the string, least significant first, as element i; at least `length` elements."""
    bits = np.unpackbits(np.frombuffer(data or b"", dtype=np.uint8), bitorder="little").astype(bool)
    return np.pad(bits, (0, max(0, length - len(bits))))


def pack(bits: Bits) -> bytes:
    return np.packbits(bits, bitorder="little").tobytes()


def shown(ranged: bytes | None, priced: bytes | None) -> bytes:
    """The lines with a price in effect: those that the store ranges and has told a price of."""
    length = min(len(ranged or b""), len(priced or b""))
    both = np.frombuffer(ranged or b"", np.uint8)[:length] & np.frombuffer(priced or b"", np.uint8)[:length]
    return both.tobytes()


@dataclass(frozen=True, slots=True)
class Absence:
    """What a run changed besides prices."""

    missing: int
    delisted: int
    ended: list[int]
    """Ids of the delisted whose history it ended: all that the store had told a price of."""
    undo: dict[str, Any]


def judge(connection: Connection, moment: Moment, lines: Lines, *, absent: bool) -> Absence:
    """Writes range and stock of the listings seen; with `absent` also judges those unseen (complete runs only)."""
    store_id = moment.place.store_id
    row = connection.execute(select(store_ranges).where(store_ranges.c.store_id == store_id)).one_or_none()
    ordinals = lines.ordinals
    length = int(ordinals.max()) + 1 if len(ordinals) else 0
    ranged, available, priced = (unpack(getattr(row, name, None), length) for name in NAMES)
    before = (pack(ranged), pack(available), pack(priced))
    seen = np.zeros(len(ranged), dtype=bool)
    seen[ordinals] = True
    unseen = np.flatnonzero(ranged & ~seen) if absent else np.empty(0, dtype=int)
    ranged[ordinals], available[ordinals] = lines.is_ranged, lines.is_available
    priced[ordinals] |= lines.is_priced
    available[unseen] = False
    back = _come_back(connection, store_id)
    steps = _absent(connection, moment, [int(i) for i in unseen], priced)
    ranged[steps.gone] = priced[steps.gone] = False
    after = (pack(ranged), pack(available), pack(priced))
    _store(connection, moment, row, after, absent)
    undo = {"ranged": before[0].hex(), "available": before[1].hex()} if before != after else {}
    as_of = {"as_of": utc_text(row.as_of)} if row else {}
    return Absence(
        len(steps.first), len(steps.delisted), steps.ended, undo | as_of | {"missing": [*back, *steps.before]}
    )


def _store(connection: Connection, moment: Moment, row: Any, after: tuple[bytes, ...], whole: bool) -> None:
    values = dict(zip(NAMES, after, strict=True))
    if row is None:
        statement = upsert(connection, store_ranges)
        connection.execute(statement.values(store_id=moment.place.store_id, as_of=moment.now, **values))
        return
    changes: dict[str, Any] = {"as_of": moment.now} if whole else {}
    if any(getattr(row, name) != bits for name, bits in values.items()):
        changes |= values
    if changes:
        connection.execute(
            update(store_ranges).where(store_ranges.c.store_id == moment.place.store_id).values(**changes)
        )


def _as_undo(row: Any) -> list[Any]:
    return [
        row.listing_id,
        utc_text(row.missing_since),
        row.crawl_run_id,
        row.seen_run_id,
        utc_text(row.delisted_at) if row.delisted_at else None,
    ]


def _come_back(connection: Connection, store_id: int) -> list[list[Any]]:
    """Ends the absence of what was seen again; a delisted listing's only when it has a price again."""
    mine = select(missing_listings).where(missing_listings.c.store_id == store_id)
    if connection.execute(mine.limit(1)).first() is None:
        return []
    again = """missing_listings.listing_id IN (SELECT listing_id FROM publish_seen) AND (delisted_at IS NULL
        OR missing_listings.listing_id IN (SELECT listing_id FROM publish_seen WHERE price_cents IS NOT NULL))"""
    wanted = mine.where(text(again)).order_by(missing_listings.c.listing_id)
    with by_hash(connection):
        back = [_as_undo(row) for row in connection.execute(wanted)]
    if back:
        sql = f"DELETE FROM missing_listings WHERE store_id = :store AND {among(connection, 'listing_id', 'ids')}"  # noqa: S608
        connection.execute(text(sql), {"store": store_id, "ids": listed(connection, [row[0] for row in back])})
    return back


@dataclass(frozen=True, slots=True)
class _Steps:
    first: list[int]
    delisted: list[int]
    ended: list[int]
    gone: list[int]
    """Ordinals that are no longer ranged."""
    before: list[list[Any]]


def _absent(connection: Connection, moment: Moment, ordinals: list[int], priced: Bits) -> _Steps:
    """Takes each unseen listing one step further: missing, or after SECOND_LOOK delisted.

    The history of a delisted one ends, unless the store never told a price of it.
    """
    if not ordinals:
        return _Steps([], [], [], [], [])
    sql = f"""SELECT id, ordinal FROM listings WHERE company_id = :company AND
        {among(connection, "ordinal", "ordinals")} ORDER BY id"""  # noqa: S608 fixed text
    values = {"company": moment.run.company_id, "ordinals": listed(connection, ordinals)}
    listings = [(int(a), int(b)) for a, b in connection.execute(text(sql), values)]
    wanted = select(missing_listings).where(missing_listings.c.store_id == moment.place.store_id)
    known = {row.listing_id: row for row in connection.execute(wanted)}
    first = [i for i, _ in listings if i not in known]
    due = [i for i, _ in listings if i in known and _is_due(known[i], moment.now)]
    ending = set(due)
    ended = [(i, known[i].seen_run_id) for i, ordinal in listings if i in ending and priced[ordinal]]
    gone = [ordinal for i, ordinal in listings if i in known and (known[i].delisted_at or i in ending)]
    _miss(connection, moment, first)
    _delist(connection, moment, due, ended)
    before = [[i, None, None, None, None] for i in first] + [_as_undo(known[i]) for i in due]
    return _Steps(first, due, [i for i, _ in ended], gone, before)


def _is_due(row: Any, now: datetime) -> bool:
    return row.delisted_at is None and now - row.missing_since >= SECOND_LOOK


def _miss(connection: Connection, moment: Moment, listing_ids: list[int]) -> None:
    names = ("store_id", "listing_id", "missing_since", "crawl_run_id", "seen_run_id")
    since, run, last = utc_text(moment.now), moment.run.id, moment.last_run
    bulk.insert(
        connection, missing_listings, names, [(moment.place.store_id, i, since, run, last) for i in listing_ids]
    )


def _delist(connection: Connection, moment: Moment, listing_ids: list[int], ended: Sequence[tuple[int, int]]) -> None:
    """Marks them and ends the history of some: (listing_id, seen_before). Their price rows stay for their return."""
    if not listing_ids:
        return
    store = moment.place.store_id
    offer = ("price_basis", "is_estimated", "is_on_special")
    names = ("store_id", "listing_id", "changed_at", "kind", *offer, "crawl_run_id", "seen_before")
    now = utc_text(moment.now)
    rows = [(store, i, now, "own", "each", 0, 0, moment.run.id, seen) for i, seen in ended]
    bulk.insert(connection, price_changes, names, rows)
    ids = listed(connection, listing_ids)
    statement = update(missing_listings).where(missing_listings.c.store_id == store)
    statement = statement.where(text(among(connection, "listing_id", "ids")).bindparams(ids=ids))
    connection.execute(statement.values(delisted_at=moment.now))
