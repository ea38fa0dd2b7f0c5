"""Reading prices: what each store charges now and how that is known, and what it charged at any time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from models import ranges
from models.dialect import among, listed
from models.tables import membership_periods, price_changes
from models.tables.base import OFFER
from models.types import Flag, UtcDateTime


@dataclass(frozen=True, slots=True)
class EffectivePrice:
    """The offer of one listing at one store, and how it is known."""

    store_id: int
    listing_id: int
    offer: dict[str, Any]
    """The offer columns of prices by name."""
    source: str
    """own, contested (own, but the anchor's changed since it was seen), inferred (the anchor's)."""
    observed_at: datetime | None
    """When the run ended that last confirmed it."""
    anchor_id: int
    is_available: bool
    missing_since: datetime | None


_TIMES = ("changed_at", "observed", "anchor_changed", "missing_since", "seen_at", "last_scraped", "offer_until")


def effective_prices(connection: Connection, store_ids: Collection[int]) -> Iterator[EffectivePrice]:
    """Each ranged listing of the stores with its price: by store, then by listing. One query, whatever the stores.

    A listing is given as long as the store ranges it; `is_available` says whether it can be bought, `missing_since`
    that the last complete run did not see it. One that the store only ever showed without a price is not given,
    whatever the anchor charges.
    """
    statement = text(_effective(connection)).columns(
        **{name: UtcDateTime() for name in _TIMES}, is_estimated=Flag(), is_on_special=Flag()
    )
    bits: dict[int, tuple[ranges.Bits, ranges.Bits]] = {}
    for row in connection.execute(statement, {"stores": listed(connection, sorted(store_ids))}):
        if row.ranged is not None:
            lines = ranges.shown(bytes(row.ranged), bytes(row.priced))
            bits[row.store_id] = (ranges.unpack(lines), ranges.unpack(bytes(row.available)))
        elif row.store_id in bits:
            shown, available = bits[row.store_id]
            if row.ordinal < len(shown) and shown[row.ordinal]:
                yield _as_price(row, bool(available[row.ordinal]))


def _effective(connection: Connection) -> str:
    """A row a store with its bit strings (listing_id -1) before its rows a listing, own or the anchor's offer."""
    offer = ", ".join(f"p.{name}" for name in OFFER)
    none = ", ".join("NULL" for _ in (*OFFER, *range(7)))
    mine = among(connection, "m.store_id", "stores")
    chosen = "p.store_id = m.store_id OR NOT EXISTS (SELECT 1 FROM prices o WHERE o.store_id = m.store_id"
    return f"""
        SELECT p.store_id AS price_store, m.store_id, g.anchor_id, p.listing_id, l.ordinal, {offer}, p.changed_at,
            r.store_id AS run_store, r.finished_at AS observed, a.changed_at AS anchor_changed, x.missing_since,
            seen.finished_at AS seen_at, s.last_scraped AS last_scraped,
            NULL AS ranged, NULL AS available, NULL AS priced
        FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id
        JOIN prices p ON p.store_id IN (m.store_id, g.anchor_id)
        JOIN listings l ON l.id = p.listing_id
        JOIN stores s ON s.id = p.store_id
        JOIN crawl_runs r ON r.id = p.crawl_run_id
        LEFT JOIN prices a ON a.store_id = g.anchor_id AND a.listing_id = p.listing_id AND a.store_id <> m.store_id
        LEFT JOIN missing_listings x ON x.store_id = m.store_id AND x.listing_id = p.listing_id
        LEFT JOIN crawl_runs seen ON seen.id = x.seen_run_id
        WHERE {mine} AND x.delisted_at IS NULL AND ({chosen} AND o.listing_id = p.listing_id))
        UNION ALL
        SELECT NULL, m.store_id, NULL, -1, NULL, {none}, m.ranged, m.available, m.priced FROM store_ranges m
        WHERE {mine}
        ORDER BY 2, 4"""  # noqa: S608 fixed text


def _as_price(row: Row[Any], is_available: bool) -> EffectivePrice:
    own = row.price_store == row.store_id and row.run_store == row.store_id
    times = [row.observed, row.last_scraped if row.run_store == row.price_store else None]
    observed = max((when for when in times if when is not None), default=None)
    if row.missing_since is not None and row.price_store == row.store_id and row.seen_at is not None:
        observed = max(row.seen_at, row.observed)
    contested = own and row.anchor_changed is not None and observed is not None and row.anchor_changed > observed
    return EffectivePrice(
        store_id=row.store_id,
        listing_id=row.listing_id,
        offer={name: getattr(row, name) for name in OFFER},
        source="contested" if contested else "own" if own else "inferred",
        observed_at=observed,
        anchor_id=row.anchor_id,
        is_available=is_available,
        missing_since=row.missing_since,
    )


def price_at(connection: Connection, store_id: int, listing_id: int, when: datetime) -> Row[Any] | None:
    """The entry of price_changes that tells the offer of a listing at a store at a time; None before the first.

    Its price_cents is null when the listing was not sold then. Its store_id says whose price it is: the store's own,
    or that of the anchor it followed. Membership and history are append-only, so the answer never changes.
    """
    period = _period(connection, store_id, when)
    if period is None:
        return None
    own = _entry(connection, store_id, listing_id, when)
    if period.anchor_id == store_id or own is None or own.price_cents is None:
        return own  # A member follows its anchor only in what it lists itself.
    if own.kind == "own" and own.changed_at >= period.from_at:
        return own
    # What the anchor no longer lists its member may still range: then the anchor's last price stands.
    return _entry(connection, period.anchor_id, listing_id, when, priced=True)


def _period(connection: Connection, store_id: int, when: datetime) -> Row[Any] | None:
    periods = membership_periods.c
    wanted = select(membership_periods).where(
        periods.store_id == store_id, periods.from_at <= when, periods.to_at.is_(None) | (periods.to_at > when)
    )
    return connection.execute(wanted).one_or_none()


def _entry(
    connection: Connection, store_id: int, listing_id: int, when: datetime, *, priced: bool = False
) -> Row[Any] | None:
    table = price_changes.c
    wanted = select(price_changes).where(
        table.store_id == store_id, table.listing_id == listing_id, table.changed_at <= when
    )
    if priced:
        wanted = wanted.where(table.price_cents.is_not(None))
    return connection.execute(wanted.order_by(table.changed_at.desc()).limit(1)).one_or_none()


__all__ = ["EffectivePrice", "effective_prices", "price_at"]
