"""One company's stores as grouping sees them: who is where, how fresh, and comparable without reading a price row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select

from models.lines import fingerprints, ordinals, sightings
from models.tables import (
    companies,
    crawl_runs,
    group_comparisons,
    listings,
    store_group_memberships,
    store_groups,
    store_ranges,
    stores,
)
from splitcart.bits import Bits, fitted, unpack
from splitcart.grouping.columns import EMPTY, Coder, Codes
from splitcart.grouping.memory import Comparer, Pair
from splitcart.grouping.rules import Comparison, Rules, Store

MOST_REMEMBERED = 200_000
_COMPARED = ("common", "differ", "smaller", "exact")
_STORES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A store with what its prices are known by."""

    id: int
    anchor_id: int | None
    needs_rescraping: bool
    facts: Store
    fingerprint: bytes
    """Two stores with one fingerprint have the same lines at the same terms."""
    lines: Bits
    """By listings.ordinal, whether the store ranges the listing and has a price for it."""


def company_rows(connection: Connection, company_id: int, only: Sequence[int] | None = None) -> dict[str, Row]:
    """The company's stores by store_code, or `only` those of these ids. Reads one row a store and no prices."""
    wanted = _wanted(company_id)
    if only is not None:
        anchors = select(store_groups.c.anchor_id).join(store_group_memberships)
        theirs = anchors.where(store_group_memberships.c.store_id.in_(only))
        wanted = wanted.where(or_(stores.c.id.in_(only), stores.c.id.in_(theirs)))
    found = {row.id: row for row in connection.execute(wanted)}
    lines: dict[int, Bits] = {}
    for start in range(0, len(found), _STORES_AT_ONCE):
        seen = sightings.read(connection, list(found)[start : start + _STORES_AT_ONCE])
        lines |= {i: fitted(unpack(found[i].ranged), len(one.last_look)) & one.lines for i, one in seen.items()}
    result = {}
    for row in found.values():
        anchor = found.get(row.anchor_id)
        facts = Store(
            store_code=row.store_code,
            anchor=anchor.store_code if anchor is not None else None,
            complete_at=row.last_scraped,
            verified_at=row.verified_at,
            touched_at=row.touched_at,
            timezone=row.timezone,
            closed=row.closed_at is not None,
            fulfilled_by=row.fulfilled_by,
        )
        fingerprint = bytes(row.fingerprint or EMPTY.fingerprint())
        place = (row.id, row.anchor_id, bool(row.needs_rescraping))
        result[row.store_code] = Row(*place, facts, fingerprint, lines[row.id])
    return result


def _wanted(company_id: int) -> Any:
    run = crawl_runs.c
    ended = run.status.in_(("complete", "partial"))
    # One that was resumed and ended otherwise has published all the same, in the period in which it began.
    published = and_(run.company_id == company_id, or_(ended, run.undo.is_not(None)), run.rolled_back_at.is_(None))
    when = func.max(case((ended, run.finished_at), else_=run.started_at))
    touched = select(run.store_id, when.label("touched_at")).where(published).group_by(run.store_id)
    last = touched.subquery()
    joined = (
        stores.outerjoin(store_group_memberships, store_group_memberships.c.store_id == stores.c.id)
        .outerjoin(store_groups, store_groups.c.id == store_group_memberships.c.group_id)
        .outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
        .outerjoin(last, last.c.store_id == stores.c.id)
    )
    facts = ("id", "store_code", "timezone", "last_scraped", "verified_at", "closed_at", "fulfilled_by")
    columns = [stores.c[name] for name in (*facts, "needs_rescraping")]
    shape = [store_groups.c.anchor_id, store_ranges.c.ranged, store_ranges.c.fingerprint, last.c.touched_at]
    wanted = select(*columns, *shape).select_from(joined)
    return wanted.where(stores.c.company_id == company_id).order_by(stores.c.id)


def without_fingerprint(connection: Connection, company_id: int) -> list[int]:
    """The stores that have a range and no fingerprint yet."""
    wanted = select(stores.c.id).join(store_ranges, store_ranges.c.store_id == stores.c.id)
    wanted = wanted.where(stores.c.company_id == company_id, store_ranges.c.fingerprint.is_(None))
    return [int(i) for i in connection.execute(wanted.order_by(stores.c.id)).scalars()]


class Columns:
    """Reads the lines of stores from their price rows, as rows of codes."""

    def __init__(self, connection: Connection, company_id: int, rows: Sequence[Row]) -> None:
        self._connection, self._rows, self._coder = connection, rows, Coder()
        widest = select(func.max(listings.c.ordinal)).where(listings.c.company_id == company_id)
        self.width = int(connection.execute(widest).scalar() or 0) + 1
        self._listings: ordinals.Ordinals | None = None
        self._company_id = company_id
        self.loaded = 0

    def __call__(self, numbers: Sequence[int]) -> Codes:
        if self._listings is None:
            self._listings = ordinals.of_company(self._connection, self._company_id)
        ids = [self._rows[n].id for n in numbers]
        self.loaded += len(ids)
        read = [lines for _, lines in fingerprints.columns(self._connection, ids, self._listings)]
        return self._coder.encode(read, self.width)


def comparer(connection: Connection, company_id: int, rows: Sequence[Row], rules: Rules) -> Comparer:
    """A comparer over the rows, in their order, that knows what earlier runs compared."""
    load = Columns(connection, company_id, rows)
    lines = [int(np.count_nonzero(r.lines)) for r in rows]
    remembered = _remembered(connection, company_id)
    return Comparer([r.fingerprint for r in rows], lines, load.width, load, rules, remembered)


def _remembered(connection: Connection, company_id: int) -> dict[Pair, Comparison]:
    rows = connection.execute(select(group_comparisons).where(group_comparisons.c.company_id == company_id))
    return {(bytes(r.low), bytes(r.high)): Comparison(r.common, r.differ, r.smaller, r.exact) for r in rows}


def remember(connection: Connection, company_id: int, learned: dict[Pair, Comparison]) -> None:
    """Keeps these comparisons of the company and no others; nothing is written when nothing is new.

    Beyond MOST_REMEMBERED none is kept: comparing again costs less than so many rows.
    """
    table = group_comparisons
    learned = learned if len(learned) <= MOST_REMEMBERED else {}
    if _remembered(connection, company_id) == learned:
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
