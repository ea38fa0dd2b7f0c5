"""One company's stores as grouping reads them: the group of each, how fresh it is, its lines and its fingerprint."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, and_, case, delete, func, insert, or_, select

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

MOST_STORED = 200_000
"""Comparisons of a company that are stored at most."""
_COMPARED = ("common", "differ", "smaller", "exact")
_STORES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A store, its lines and the fingerprint of their prices."""

    id: int
    anchor_id: int | None
    needs_rescraping: bool
    facts: Store
    fingerprint: bytes
    """Two stores with equal fingerprints have the same lines at the same terms."""
    lines: Bits
    """By listings.ordinal, whether the store ranges the listing and has a price for it."""


def company_rows(connection: Connection, company_id: int, only: Sequence[int] | None = None) -> dict[str, Row]:
    """The company's stores by store_code; `only`: those with these ids, and their anchors. Reads no price row."""
    query = _stores(company_id)
    if only is not None:
        anchors = select(store_groups.c.anchor_id).join(store_group_memberships)
        anchors = anchors.where(store_group_memberships.c.store_id.in_(only))
        query = query.where(or_(stores.c.id.in_(only), stores.c.id.in_(anchors)))
    by_id = {row.id: row for row in connection.execute(query)}
    lines: dict[int, Bits] = {}
    for start in range(0, len(by_id), _STORES_AT_ONCE):
        for store_id, seen in sightings.read(connection, list(by_id)[start : start + _STORES_AT_ONCE]).items():
            lines[store_id] = fitted(unpack(by_id[store_id].ranged), len(seen.last_look)) & seen.lines
    rows = {}
    for row in by_id.values():
        anchor = by_id.get(row.anchor_id)
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
        rows[row.store_code] = Row(row.id, row.anchor_id, row.needs_rescraping, facts, fingerprint, lines[row.id])
    return rows


def _stores(company_id: int) -> Select[Any]:
    """SELECT of the company's stores, each with its anchor, its range and its latest run that published."""
    run = crawl_runs.c
    ended = run.status.in_(("complete", "partial"))
    # A run that published, was resumed and then failed still counts as published, in the period in which it began.
    published = and_(run.company_id == company_id, or_(ended, run.undo.is_not(None)), run.rolled_back_at.is_(None))
    when = func.max(case((ended, run.finished_at), else_=run.started_at))
    last = select(run.store_id, when.label("touched_at")).where(published).group_by(run.store_id).subquery()
    joined = (
        stores.outerjoin(store_group_memberships, store_group_memberships.c.store_id == stores.c.id)
        .outerjoin(store_groups, store_groups.c.id == store_group_memberships.c.group_id)
        .outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
        .outerjoin(last, last.c.store_id == stores.c.id)
    )
    facts = ("id", "store_code", "timezone", "last_scraped", "verified_at", "closed_at", "fulfilled_by")
    columns = [stores.c[name] for name in (*facts, "needs_rescraping")]
    others = [store_groups.c.anchor_id, store_ranges.c.ranged, store_ranges.c.fingerprint, last.c.touched_at]
    query = select(*columns, *others).select_from(joined)
    return query.where(stores.c.company_id == company_id).order_by(stores.c.id)


def without_fingerprint(connection: Connection, company_id: int) -> list[int]:
    """The ids of the stores that have a range and no fingerprint yet."""
    query = select(stores.c.id).join(store_ranges, store_ranges.c.store_id == stores.c.id)
    query = query.where(stores.c.company_id == company_id, store_ranges.c.fingerprint.is_(None))
    return [int(i) for i in connection.execute(query.order_by(stores.c.id)).scalars()]


def comparer(connection: Connection, company_id: int, rows: Sequence[Row], rules: Rules) -> Comparer:
    """A comparer over the rows, in their order. It knows the comparisons of earlier merges; reads prices on demand."""
    widest = select(func.max(listings.c.ordinal)).where(listings.c.company_id == company_id)
    width = int(connection.execute(widest).scalar() or 0) + 1
    coder = Coder()

    @cache
    def company_listings() -> ordinals.Ordinals:
        return ordinals.of_company(connection, company_id)

    def load(numbers: Sequence[int]) -> Codes:
        ids = [rows[number].id for number in numbers]
        columns = [column for _, column in fingerprints.columns(connection, ids, company_listings())]
        return coder.encode(columns, width)

    lines = [int(np.count_nonzero(row.lines)) for row in rows]
    earlier = _comparisons(connection, company_id)
    return Comparer([row.fingerprint for row in rows], lines, width, load, rules, earlier)


def _comparisons(connection: Connection, company_id: int) -> dict[Pair, Comparison]:
    rows = connection.execute(select(group_comparisons).where(group_comparisons.c.company_id == company_id))
    return {(bytes(r.low), bytes(r.high)): Comparison(r.common, r.differ, r.smaller, r.exact) for r in rows}


def replace_comparisons(connection: Connection, company_id: int, comparisons: dict[Pair, Comparison]) -> None:
    """Replaces the company's stored comparisons by these; writes nothing if nothing is new.

    More than MOST_STORED are not stored: comparing again costs less than so many rows.
    """
    comparisons = comparisons if len(comparisons) <= MOST_STORED else {}
    if _comparisons(connection, company_id) == comparisons:
        return
    connection.execute(delete(group_comparisons).where(group_comparisons.c.company_id == company_id))
    rows = [
        {"company_id": company_id, "low": low, "high": high} | {name: getattr(result, name) for name in _COMPARED}
        for (low, high), result in sorted(comparisons.items())
    ]
    if rows:
        connection.execute(insert(group_comparisons), rows)


def named_companies(connection: Connection, name: str | None) -> list[Any]:
    """All companies (id, name, slug, flip), or the one of this name or slug in any case; ValueError if unknown."""
    known = list(connection.execute(select(companies).order_by(companies.c.id)))
    if name is None:
        return known
    named = [row for row in known if name.casefold() in (row.name.casefold(), row.slug.casefold())]
    if not named:
        slugs = ", ".join(company.slug for company in known) or "none: crawl a store first"
        raise ValueError(f"company {name!r} is unknown; there is {slugs}")
    return named
