"""Reads prices: what each store charges now and how the price is known, and what it charged at any time."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Row, bindparam, func, select

from models.database.dialect import is_one_of
from models.groups import membership
from models.lines import sightings
from models.lines.ordinals import Ints, by_ordinal
from models.lines.sightings import LastLooks
from models.prices import effective
from models.tables import (
    companies,
    listings,
    membership_periods,
    missing_listings,
    price_changes,
    store_ranges,
    stores,
)
from models.tables import sightings as looks
from models.tables.base import OFFER, TERMS
from splitcart import observed
from splitcart.bits import unpack
from splitcart.observed import Anchor, Sighting
from splitcart.periods import Flip, next_flip


class EffectivePrice(NamedTuple):
    """The offer of one listing at one store, and how it is known."""

    store_id: int
    listing_id: int
    source: str
    """own, contested (own, but the anchor's offer has changed since) or inferred (the anchor's)."""
    observed_at: datetime
    """When the offer was last seen: at the store or, if it is inferred, at its anchor."""
    is_available: bool
    missing_since: datetime | None
    """When a complete run did not see the listing, which the store still ranges; else None."""
    flip_since: bool
    """Whether specials have flipped since the offer was seen: a special may have ended."""
    price_cents: int
    row: Row[Any]
    """The columns of `effective.ROW`, from the price row in effect."""

    @property
    def changed_at(self) -> datetime:
        """Since when the price row in effect has its terms."""
        when: datetime = self.row.changed_at
        return when

    @property
    def offer(self) -> dict[str, Any]:
        """The offer columns by name."""
        return {name: getattr(self.row, name) for name in OFFER}


@dataclass(frozen=True, slots=True)
class _Store:
    """The facts of a store besides its prices."""

    ranged: frozenset[int]
    """Ids of listings."""
    available: frozenset[int]
    missing: Mapping[int, datetime]
    """By listing."""
    flip: Flip
    timezone: str


def effective_prices(
    connection: Connection, store_ids: Collection[int], now: datetime | None = None
) -> Iterator[EffectivePrice]:
    """The effective price of each listing that a store ranges and has an own row for, by store, then by listing.

    One statement for each store, streamed on PostgreSQL. `now`: the time up to which `flip_since` counts flips.
    """
    places = membership.places(connection, sorted(store_ids))
    known = _stores(connection, {*places, *map(effective.anchor_of, places.values())})
    moment, statement = now or datetime.now(UTC), effective.lines().execution_options(yield_per=2000)
    flipped: dict[tuple[int, datetime], bool] = {}
    """By (observed store, time), a cache: most lines of a store were seen at one time."""
    for values in effective.parameters(connection, places.values()):
        store = known[values["of_store"]]
        for row in connection.execute(statement, values):
            store_id, listing_id, source, observed_at, _, observed_by, price_cents = row[:7]
            if listing_id in store.ranged:
                look = (observed_by, observed_at)
                if look not in flipped:
                    other = known[observed_by]
                    flipped[look] = next_flip(other.flip, other.timezone, observed_at) <= moment
                yield EffectivePrice(
                    *(store_id, listing_id, source, observed_at, listing_id in store.available),
                    *(store.missing.get(listing_id), flipped[look], price_cents, row),
                )


def _stores(connection: Connection, store_ids: Collection[int]) -> dict[int, _Store]:
    missing: dict[int, dict[int, datetime]] = {store_id: {} for store_id in store_ids}
    facts: dict[int, _Store] = {}
    listing_of: dict[int, Ints] = {}
    joined = stores.join(companies, companies.c.id == stores.c.company_id)
    joined = joined.outerjoin(store_ranges, store_ranges.c.store_id == stores.c.id)
    columns = (store_ranges.c.ranged, store_ranges.c.available, companies.c.flip_weekday, companies.c.flip_hour)
    query = select(stores.c.id, stores.c.company_id, stores.c.timezone, *columns).select_from(joined)
    absent = select(missing_listings).where(missing_listings.c.delisted_at.is_(None))
    for row in connection.execute(absent.where(is_one_of(connection, missing_listings.c.store_id, store_ids))):
        missing[row.store_id][row.listing_id] = row.missing_since
    for row in connection.execute(query.where(is_one_of(connection, stores.c.id, store_ids))):
        if row.company_id not in listing_of:
            listing_of[row.company_id] = by_ordinal(connection, row.company_id)
        ranged, available = (_listings(listing_of[row.company_id], b) for b in (row.ranged, row.available))
        flip = Flip(row.flip_weekday, row.flip_hour)
        facts[row.id] = _Store(ranged, available, missing[row.id], flip, row.timezone)
    return facts


def _listings(listing_of: Ints, bits: bytes | None) -> frozenset[int]:
    """The ids of the listings of a bit string over ordinals."""
    ordinals = np.flatnonzero(unpack(bits)[: len(listing_of)])
    return frozenset(listing_of[ordinals].tolist())


@dataclass(frozen=True, slots=True)
class PastPrice:
    """What a store charged for a listing at a time."""

    store_id: int
    """The store that showed the offer: the store itself, or its anchor."""
    entry: Row[Any]
    """The entry of price_changes in effect; its price_cents is None if the listing was not sold."""
    source: str
    observed_at: datetime | None
    """None if the listing was not sold."""

    @property
    def price_cents(self) -> int | None:
        """None if the listing was not sold."""
        cents: int | None = self.entry.price_cents
        return cents


def price_at(connection: Connection, store_id: int, listing_id: int, when: datetime) -> PastPrice | None:
    """What a store charged for a listing, by what had been observed at `when`; None before it showed the listing.

    Nothing that happens later changes the result, except the rollback of a run that had published by then.
    """
    own = _entry(connection, store_id, listing_id, when)
    if own is None or own.price_cents is None:
        return None if own is None else PastPrice(store_id, own, observed.OWN, None)
    ordinal = connection.execute(_ORDINAL, {"listing": listing_id}).scalar_one()
    anchor_id = _anchor(connection, store_id, when)
    both = sightings.read(connection, sorted({store_id, anchor_id}), when)
    seen = _sighting(both[store_id], ordinal) or Sighting(own.changed_at, own.changed_at.date(), own.changed_at.date())
    if anchor_id == store_id:
        return PastPrice(store_id, own, observed.OWN, seen.at)
    now = _entry(connection, anchor_id, listing_id, when)
    then = _entry(connection, anchor_id, listing_id, min(seen.at, when))
    anchor = Anchor(
        current_terms=_terms(now),
        changed_at=None if now is None else now.changed_at,
        last_seen=_sighting(both[anchor_id], ordinal),
        earlier_terms=_terms(then),
        earlier_seen=None if then is None else _last_seen(connection, then),
    )
    known = observed.effective(_terms(own), seen, anchor)
    if known.takes_anchor and now is not None:
        return PastPrice(anchor_id, now, known.source, known.observed_at)
    return PastPrice(store_id, own, known.source, known.observed_at)


def _sighting(seen: LastLooks, ordinal: int) -> Sighting | None:
    look = seen.at(ordinal)
    return None if look is None else look.sighting


def _terms(entry: Row[Any] | None) -> tuple[Any, ...] | None:
    """The terms of an entry; None if there is no entry, or it has no price."""
    return None if entry is None or entry.price_cents is None else tuple(getattr(entry, name) for name in TERMS)


_CHANGE, _PERIOD = price_changes.c, membership_periods.c
_ORDINAL = select(listings.c.ordinal).where(listings.c.id == bindparam("listing"))
_OF_LINE = (_CHANGE.store_id == bindparam("store"), _CHANGE.listing_id == bindparam("listing"))
_ENTRY = (
    select(price_changes)
    .where(*_OF_LINE, _CHANGE.changed_at <= bindparam("when"))
    .order_by(_CHANGE.changed_at.desc())
    .limit(1)
)
_NEXT_ENTRY = (
    select(_CHANGE.seen_before)
    .where(*_OF_LINE, _CHANGE.changed_at > bindparam("when"))
    .order_by(_CHANGE.changed_at)
    .limit(1)
)
_FIRST_LOOK = select(func.min(looks.c.seen_at), func.min(looks.c.local_day), func.min(looks.c.period)).where(
    looks.c.store_id == bindparam("store"), looks.c.run_id == _NEXT_ENTRY.scalar_subquery()
)
_ANCHOR = select(_PERIOD.anchor_id).where(
    _PERIOD.store_id == bindparam("store"),
    _PERIOD.from_at <= bindparam("when"),
    _PERIOD.to_at.is_(None) | (_PERIOD.to_at > bindparam("when")),
)
"""Statements of price_at, built once: a history runs them thousands of times, and building costs more than running."""


def _last_seen(connection: Connection, entry: Row[Any]) -> Sighting | None:
    """The last look at the offer of an entry, which the next entry records; None if it is not known."""
    values = {"store": entry.store_id, "listing": entry.listing_id, "when": entry.changed_at}
    at, day, period = connection.execute(_FIRST_LOOK, values).one()
    return None if at is None else Sighting(at, date.fromisoformat(day), date.fromisoformat(period))


def _anchor(connection: Connection, store_id: int, when: datetime) -> int:
    return connection.execute(_ANCHOR, {"store": store_id, "when": when}).scalar() or store_id


def _entry(connection: Connection, store_id: int, listing_id: int, when: datetime) -> Row[Any] | None:
    return connection.execute(_ENTRY, {"store": store_id, "listing": listing_id, "when": when}).one_or_none()
