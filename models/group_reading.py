"""One company's stores as grouping sees them: who is where, how fresh, and comparable without reading a price row."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select

from models import vectors
from models.ranges import shown
from models.tables import (
    companies,
    crawl_runs,
    group_comparisons,
    listings,
    store_group_memberships,
    store_groups,
    store_ranges,
    store_vectors,
    stores,
)
from splitcart.grouping import Comparison, Rules, Store
from splitcart.grouping_columns import EMPTY, Coder, Codes, Column, unpack
from splitcart.grouping_memory import Comparer, Pair

MOST_REMEMBERED = 200_000
_COMPARED = ("common", "differ", "smaller", "exact")


@dataclass(frozen=True, slots=True)
class Row:
    """A store with what its prices are known by."""

    id: int
    anchor_id: int | None
    needs_rescraping: bool
    facts: Store
    lines: bytes
    """Bit string over listings.ordinal: what the store ranges and has told a price of."""
    face: bytes
    """Two stores with one face have the same prices in effect."""
    present: npt.NDArray[np.bool_]
    """By listings.ordinal, whether a price is in effect."""


def company_rows(connection: Connection, company_id: int, only: Sequence[int] | None = None) -> dict[str, Row]:
    """The company's stores by store_id, or `only` those of these ids. Reads one row a store and no prices."""
    wanted = _wanted(company_id)
    if only is not None:
        anchors = select(store_groups.c.anchor_id).join(store_group_memberships)
        theirs = anchors.where(store_group_memberships.c.store_id.in_(only))
        wanted = wanted.where(or_(stores.c.id.in_(only), stores.c.id.in_(theirs)))
    found = {row.id: row for row in connection.execute(wanted)}
    result = {}
    for row in found.values():
        anchor = found.get(row.anchor_id)
        facts = Store(
            store_id=row.store_id,
            anchor=anchor.store_id if anchor is not None else None,
            complete_at=row.last_scraped,
            verified_at=row.verified_at,
            touched_at=row.touched_at,
            timezone=row.timezone,
            closed=row.closed_at is not None,
            fulfilled_by=row.fulfilled_by,
        )
        lines = shown(row.ranged, row.priced)
        shape = (lines, _face(row, anchor, lines), _present(row, anchor, lines))
        result[row.store_id] = Row(row.id, row.anchor_id, bool(row.needs_rescraping), facts, *shape)
    return result


def _wanted(company_id: int) -> Any:
    run, vector = crawl_runs.c, store_vectors.c
    ended = run.status.in_(("complete", "partial"))
    # One that was gone on with and ended otherwise has published all the same, in the period in which it began.
    published = and_(or_(ended, run.undo.is_not(None)), run.rolled_back_at.is_(None))
    when = func.max(case((ended, run.finished_at), else_=run.started_at))
    touched = select(run.store_id, when.label("touched_at")).where(published).group_by(run.store_id)
    last = touched.subquery()
    joined = (
        stores.outerjoin(store_group_memberships, store_group_memberships.c.store_id == stores.c.id)
        .outerjoin(store_groups, store_groups.c.id == store_group_memberships.c.group_id)
        .outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
        .outerjoin(store_vectors, vector.store_id == stores.c.id)
        .outerjoin(last, last.c.store_id == stores.c.id)
    )
    facts = ("id", "store_id", "timezone", "last_scraped", "verified_at", "closed_at", "fulfilled_by")
    columns = [stores.c[name] for name in (*facts, "needs_rescraping")]
    shape = [store_groups.c.anchor_id, store_ranges.c.ranged, store_ranges.c.priced, last.c.touched_at]
    wanted = select(*columns, *shape, vector.fingerprint, vector.digest, vector.present)
    return wanted.select_from(joined).where(stores.c.company_id == company_id).order_by(stores.c.id)


def _face(row: Any, anchor: Any, lines: bytes) -> bytes:
    """The fingerprint of what is in effect: a member's is that of the parts that it is made of."""
    if anchor is None or anchor.id == row.id:
        return row.fingerprint or EMPTY.fingerprint()
    parts = (anchor.digest or b"", row.digest or b"", lines.rstrip(b"\0"))
    return hashlib.blake2b(
        b"".join(hashlib.blake2b(p, digest_size=16).digest() for p in parts), digest_size=16
    ).digest()


def _present(row: Any, anchor: Any, lines: bytes) -> npt.NDArray[np.bool_]:
    held = [row.present or b""] + ([anchor.present or b""] if anchor is not None else [])
    width = max(len(h) for h in held)
    union = np.zeros(width, np.uint8)
    for one in held:
        union[: len(one)] |= np.frombuffer(one, np.uint8)
    kept = np.frombuffer(lines[:width], np.uint8)
    return vectors.flags((union[: len(kept)] & kept).tobytes())


def missing_vectors(connection: Connection, company_id: int) -> list[int]:
    """The stores that have a range and no column yet: their database is from before columns were kept."""
    wanted = (
        select(stores.c.id)
        .join(store_ranges, store_ranges.c.store_id == stores.c.id)
        .outerjoin(store_vectors, store_vectors.c.store_id == stores.c.id)
        .where(stores.c.company_id == company_id, store_vectors.c.store_id.is_(None))
    )
    return [int(i) for i in connection.execute(wanted).scalars()]


def make_missing_vectors(connection: Connection, company_id: int) -> int:
    """Makes the columns that are not there. Returns their number."""
    missing = missing_vectors(connection, company_id)
    vectors.refresh_all(connection, missing)
    return len(missing)


class Columns:
    """Loads what is in effect in stores, as rows of codes, from their vectors."""

    def __init__(self, connection: Connection, company_id: int, rows: Sequence[Row]) -> None:
        self._connection, self._rows, self._coder = connection, rows, Coder()
        widest = select(func.max(listings.c.ordinal)).where(listings.c.company_id == company_id)
        self.width = int(connection.execute(widest).scalar() or 0) + 1
        self.loaded = 0

    def __call__(self, numbers: Sequence[int]) -> Codes:
        rows = [self._rows[n] for n in numbers]
        own = self._unpacked({i for row in rows for i in (row.id, row.anchor_id) if i is not None})
        self.loaded += len(own)
        return self._coder.encode([_effective(row, own) for row in rows], self.width)

    def _unpacked(self, store_ids: Iterable[int]) -> dict[int, Column]:
        table = store_vectors.c
        wanted = select(table.store_id, table.codes).where(table.store_id.in_(list(store_ids)))
        return {row.store_id: unpack(row.codes) for row in self._connection.execute(wanted)}


def _effective(row: Row, own: dict[int, Column]) -> Column:
    mine = own.get(row.id, EMPTY)
    if row.anchor_id is not None and row.anchor_id != row.id:
        mine = mine.over(own.get(row.anchor_id, EMPTY))
    return mine.masked(vectors.flags(row.lines))


def comparer(connection: Connection, company_id: int, rows: Sequence[Row], rules: Rules) -> Comparer:
    """A comparer over the rows, in their order, that knows what earlier runs compared."""
    load = Columns(connection, company_id, rows)
    table = group_comparisons.c
    known = connection.execute(select(group_comparisons).where(table.company_id == company_id))
    remembered: dict[Pair, Comparison] = {
        (bytes(r.low), bytes(r.high)): Comparison(r.common, r.differ, r.smaller, r.exact) for r in known
    }
    return Comparer(
        [r.face for r in rows], [int(np.count_nonzero(r.present)) for r in rows], load.width, load, rules, remembered
    )


def remember(connection: Connection, company_id: int, learned: dict[Pair, Comparison]) -> None:
    """Keeps these comparisons of the company and no others; nothing is written when nothing is new.

    Beyond MOST_REMEMBERED none is kept: comparing the vectors again costs less than so many rows.
    """
    table = group_comparisons
    learned = learned if len(learned) <= MOST_REMEMBERED else {}
    kept = connection.execute(select(table).where(table.c.company_id == company_id))
    known = {(bytes(r.low), bytes(r.high)): Comparison(r.common, r.differ, r.smaller, r.exact) for r in kept}
    if known == learned:
        return
    connection.execute(delete(table).where(table.c.company_id == company_id))
    rows = [
        {"company_id": company_id, "low": pair[0], "high": pair[1]} | {name: getattr(c, name) for name in _COMPARED}
        for pair, c in sorted(learned.items())
    ]
    for start in range(0, len(rows), 5000):
        connection.execute(insert(table), rows[start : start + 5000])


def named_companies(connection: Connection, name: str | None) -> list[Any]:
    """The companies (id, name, slug, flip), all or the one of this name or slug in any case. ValueError: none is."""
    known = list(connection.execute(select(companies).order_by(companies.c.id)))
    if name is None:
        return known
    wanted = [c for c in known if name.casefold() in (c.name.casefold(), c.slug.casefold())]
    if not wanted:
        told = ", ".join(c.slug for c in known) or "none: crawl a store first"
        raise ValueError(f"company {name!r} is unknown; there is {told}")
    return wanted
