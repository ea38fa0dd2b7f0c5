"""What a store ranges and has in stock, as bit strings over listings.ordinal, and the two steps of absence."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select, text, update

from models import bulk
from models.dialect import among, is_postgres, listed, upsert
from models.differences import Moment
from models.tables import missing_listings, price_changes, store_ranges
from models.types import utc_text

SECOND_LOOK = timedelta(hours=20)
"""A listing must be unseen by complete runs this far apart before it is no longer ranged."""

Bits = npt.NDArray[np.bool_]


def unpack(data: bytes | None, length: int = 0) -> Bits:
    """Bit i of the string, least significant first, as element i; at least `length` elements."""
    bits = np.unpackbits(np.frombuffer(data or b"", dtype=np.uint8), bitorder="little").astype(bool)
    return np.pad(bits, (0, max(0, length - len(bits))))


def pack(bits: Bits) -> bytes:
    return np.packbits(bits, bitorder="little").tobytes()


@dataclass(frozen=True, slots=True)
class Absence:
    """What a run changed besides prices."""

    missing: int
    delisted: int
    undo: dict[str, Any]


def judge(connection: Connection, moment: Moment, *, absent: bool) -> Absence:
    """Writes range and stock of the listings seen; with `absent` also judges those unseen (complete runs only)."""
    store_id = moment.place.store_id
    row = connection.execute(select(store_ranges).where(store_ranges.c.store_id == store_id)).one_or_none()
    ordinals, is_ranged, is_available = _seen(connection)
    length = int(ordinals.max()) + 1 if len(ordinals) else 0
    ranged, available = unpack(row.ranged if row else None, length), unpack(row.available if row else None, length)
    before = (pack(ranged), pack(available))
    seen = np.zeros(len(ranged), dtype=bool)
    seen[ordinals] = True
    unseen = np.flatnonzero(ranged & ~seen) if absent else np.empty(0, dtype=int)
    ranged[ordinals], available[ordinals] = is_ranged, is_available
    available[unseen] = False
    back = _come_back(connection, store_id)
    steps = _absent(connection, moment, [int(i) for i in unseen])
    ranged[steps.gone] = False
    after = (pack(ranged), pack(available))
    _store(connection, moment, row, after, absent)
    undo = {"ranged": before[0].hex(), "available": before[1].hex()} if before != after else {}
    as_of = {"as_of": utc_text(row.as_of)} if row else {}
    return Absence(len(steps.first), len(steps.delisted), undo | as_of | {"missing": [*back, *steps.before]})


def _seen(connection: Connection) -> tuple[npt.NDArray[np.int64], Bits, Bits]:
    """Ordinals of the listings seen with their flags: one text from the database, because 20,000 rows are slow."""
    code = "ordinal * 4 + is_ranged * 2 + is_available"
    joined = f"string_agg(({code})::text, ',')" if is_postgres(connection) else f"group_concat({code})"
    told = connection.execute(text(f"SELECT {joined} FROM publish_seen")).scalar()  # noqa: S608 fixed text
    codes = np.array((told or "").split(",") if told else [], dtype=np.int64)
    return codes >> 2, (codes & 2) > 0, (codes & 1) > 0


def _store(connection: Connection, moment: Moment, row: Any, after: tuple[bytes, bytes], whole: bool) -> None:
    if row is None:
        statement = upsert(connection, store_ranges)
        values = {"ranged": after[0], "available": after[1], "as_of": moment.now}
        connection.execute(statement.values(store_id=moment.place.store_id, **values))
        return
    changes: dict[str, Any] = {"as_of": moment.now} if whole else {}
    if (row.ranged, row.available) != after:
        changes |= {"ranged": after[0], "available": after[1]}
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
    again = "SELECT listing_id FROM publish_seen WHERE is_priced = 1 OR missing_listings.delisted_at IS NULL"
    wanted = select(missing_listings).where(
        missing_listings.c.store_id == store_id, text(f"missing_listings.listing_id IN ({again})")
    )
    back = [_as_undo(row) for row in connection.execute(wanted.order_by(missing_listings.c.listing_id))]
    if back:
        sql = f"DELETE FROM missing_listings WHERE store_id = :store AND {among(connection, 'listing_id', 'ids')}"  # noqa: S608
        connection.execute(text(sql), {"store": store_id, "ids": listed(connection, [row[0] for row in back])})
    return back


@dataclass(frozen=True, slots=True)
class _Steps:
    first: list[int]
    delisted: list[int]
    gone: list[int]
    """Ordinals that are no longer ranged."""
    before: list[list[Any]]


def _absent(connection: Connection, moment: Moment, ordinals: list[int]) -> _Steps:
    """Takes each unseen listing one step further: missing, or after SECOND_LOOK delisted."""
    if not ordinals:
        return _Steps([], [], [], [])
    sql = f"""SELECT id, ordinal FROM listings WHERE company_id = :company AND
        {among(connection, "ordinal", "ordinals")} ORDER BY id"""  # noqa: S608 fixed text
    values = {"company": moment.run.company_id, "ordinals": listed(connection, ordinals)}
    listings = [(int(a), int(b)) for a, b in connection.execute(text(sql), values)]
    wanted = select(missing_listings).where(missing_listings.c.store_id == moment.place.store_id)
    known = {row.listing_id: row for row in connection.execute(wanted)}
    first = [i for i, _ in listings if i not in known]
    due = [i for i, _ in listings if i in known and _is_due(known[i], moment.now)]
    gone = [ordinal for i, ordinal in listings if i in known and (known[i].delisted_at or i in set(due))]
    _miss(connection, moment, first)
    _delist(connection, moment, due)
    before = [[i, None, None, None, None] for i in first] + [_as_undo(known[i]) for i in due]
    return _Steps(first, due, gone, before)


def _is_due(row: Any, now: datetime) -> bool:
    return row.delisted_at is None and now - row.missing_since >= SECOND_LOOK


def _miss(connection: Connection, moment: Moment, listing_ids: list[int]) -> None:
    names = ("store_id", "listing_id", "missing_since", "crawl_run_id", "seen_run_id")
    since, run, last = utc_text(moment.now), moment.run.id, moment.last_run
    bulk.insert(
        connection, missing_listings, names, [(moment.place.store_id, i, since, run, last) for i in listing_ids]
    )


def _delist(connection: Connection, moment: Moment, listing_ids: list[int]) -> None:
    """Ends what the history says of the listings; their price rows stay for the day they come back."""
    if not listing_ids:
        return
    store, anchor = moment.place.store_id, moment.place.anchor_id
    ids = {"store": store, "anchor": anchor, "ids": listed(connection, listing_ids)}
    sql = f"""SELECT DISTINCT p.listing_id, m.seen_run_id FROM prices p
        JOIN missing_listings m ON m.store_id = :store AND m.listing_id = p.listing_id
        WHERE p.store_id IN (:store, :anchor) AND {among(connection, "p.listing_id", "ids")}
        ORDER BY 1"""  # noqa: S608 fixed text
    priced = connection.execute(text(sql), ids).all()
    offer = ("price_basis", "is_estimated", "is_on_special")
    names = ("store_id", "listing_id", "changed_at", "kind", *offer, "crawl_run_id", "seen_before")
    now = utc_text(moment.now)
    rows = [(store, i, now, "own", "each", 0, 0, moment.run.id, seen) for i, seen in priced]
    bulk.insert(connection, price_changes, names, rows)
    statement = update(missing_listings).where(missing_listings.c.store_id == store)
    statement = statement.where(text(among(connection, "listing_id", "ids")).bindparams(ids=ids["ids"]))
    connection.execute(statement.values(delisted_at=moment.now))
