"""What each store charges: `splitcart.observed.effective` as one statement over the lines of a store.

`parameters` yields for each store what the statement binds: its usual look, at which most of its lines were last seen.
Lines with another last look are in the temporary table `line_looks`. tests/models/prices/test_effective.py tests that
the statement returns what the rule in Python returns.
"""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from models.database import bulk
from models.database.dialect import emptied, temporary_table
from models.groups.membership import Place
from models.lines import sightings
from models.lines.ordinals import Ints, by_ordinal
from models.lines.sightings import NEVER, LastLooks
from models.tables import price_changes, prices
from models.tables import sightings as looks
from models.tables.base import OFFER, TERMS, same_terms
from models.tables.types import UtcDateTime, utc_text
from splitcart.observed import CONTESTED, INFERRED, OWN, Sighting

ROW = (*OFFER, "changed_at", "crawl_run_id")
"""The columns of a price row that the statement returns, from the store's row or its anchor's."""
_STORES_AT_ONCE = 100
_LINE_LOOKS = temporary_table(
    "line_looks",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("local_day", Text, nullable=False),
    Column("period", Text, nullable=False),
)
"""The lines of a store whose last look is not the usual one, and that look."""
_OWN_OFFER, _EQUAL_OFFERS, _ANCHOR_OFFER, _CONTESTED = range(4)
"""Which offer is in effect: the store's own; the store's own, which equals the anchor's; the anchor's; the store's own,
but the anchor's has changed since."""

_STORE = bindparam("of_store", type_=Integer)
_ITS_ANCHOR = bindparam("of_anchor", type_=Integer)


def parameters(connection: Connection, places: Collection[Place]) -> Iterator[dict[str, Any]]:
    """Yields what `lines` binds for each of the stores that was ever seen, by store id.

    Run the statement with one set of parameters before taking the next: `line_looks` holds some stores at a time.
    """
    place_of = {place.store_id: place for place in places}
    listing_of: dict[int, Ints] = {}
    for start in range(0, len(place_of), _STORES_AT_ONCE):
        part = [place_of[store_id] for store_id in sorted(place_of)[start : start + _STORES_AT_ONCE]]
        usual: dict[int, Sighting] = {}
        emptied(connection, _LINE_LOOKS)
        company_of = {store: place.company_id for place in part for store in (place.store_id, anchor_of(place))}
        for store_id, seen in sightings.read(connection, sorted(company_of)).items():
            if seen.lines.any():
                company = company_of[store_id]
                if company not in listing_of:
                    listing_of[company] = by_ordinal(connection, company)
                number = int(np.bincount(seen.last_look[seen.lines]).argmax())
                usual[store_id] = seen.looks[number].sighting
                others = list(_others(store_id, seen, number, listing_of[company]))
                bulk.insert(connection, _LINE_LOOKS, _LINE_LOOKS.c.keys(), others)
        for place in part:
            if look := usual.get(place.store_id):
                anchor_look = usual.get(anchor_of(place))
                yield {
                    "of_store": place.store_id,
                    "of_anchor": anchor_of(place),
                    "usual_at": look.at,
                    "usual_day": look.day.isoformat(),
                    "usual_period": look.period.isoformat(),
                    "anchor_usual_at": None if anchor_look is None else anchor_look.at,
                }


def anchor_of(place: Place) -> int:
    """The anchor of a store's group; the store itself if it has no group."""
    return place.store_id if place.anchor_id is None else place.anchor_id


def _others(store_id: int, seen: LastLooks, usual: int, listing_of: Ints) -> Iterator[tuple[int, int, str, str, str]]:
    """The rows of `line_looks` of a store: its lines whose last look is not the usual one."""
    looked = [(utc_text(s.at), s.day.isoformat(), s.period.isoformat()) for s in (look.sighting for look in seen.looks)]
    which = seen.last_look[: len(listing_of)]
    for ordinal in np.flatnonzero((which != usual) & (which != NEVER)).tolist():
        yield store_id, int(listing_of[ordinal]), *looked[which[ordinal]]


def lines(only: FromClause | None = None) -> Select[Any]:
    """SELECT of a row for each line of the store that `parameters` binds, by listing.

    store_id, listing_id, source, observed_at, needs_slot (whether the store needs a slot of its own), observed_by (the
    store that was observed), and the columns of ROW. `only`: a table with the ids of the listings to read.
    """
    judged = _judged(_shown(only))
    of, takes_anchor = judged.c, judged.c.in_effect == _ANCHOR_OFFER
    anchor_observed_at = func.coalesce(of.anchor_seen_at, of.anchor_changed_at)
    return select(
        _STORE.label("store_id"),
        of.listing_id,
        case((takes_anchor, INFERRED), (of.in_effect == _CONTESTED, CONTESTED), else_=OWN).label("source"),
        case((takes_anchor, anchor_observed_at), else_=of.seen_at).label("observed_at"),
        of.in_effect.in_((_OWN_OFFER, _CONTESTED)).label("needs_slot"),
        case((takes_anchor, _ITS_ANCHOR), else_=_STORE).label("observed_by"),
        *(case((takes_anchor, of[f"anchor_{name}"]), else_=of[f"own_{name}"]).label(name) for name in ROW),
    ).order_by(of.listing_id)


def _shown(only: FromClause | None) -> Subquery:
    """For each line the row of the store (`own_`) and of its anchor (`anchor_`), and when each saw it last."""
    own, anchor = prices.alias("own"), prices.alias("anchor")
    own_look, anchor_look = _LINE_LOOKS.alias("own_look"), _LINE_LOOKS.alias("anchor_look")
    # Subqueries hide the store from PostgreSQL's planner: it assumes one row for a store that is not in its statistics,
    # and would read all rows of the store again for each line.
    of_store, of_anchor = (select(one).scalar_subquery() for one in (_STORE, _ITS_ANCHOR))
    joined = (
        own.outerjoin(anchor, _at(anchor, of_anchor, own))
        .outerjoin(own_look, _at(own_look, _STORE, own))
        .outerjoin(anchor_look, _at(anchor_look, _ITS_ANCHOR, own))
    )
    query: Select[Any] = select(
        own.c.listing_id,
        func.coalesce(own_look.c.seen_at, bindparam("usual_at", type_=UtcDateTime())).label("seen_at"),
        func.coalesce(own_look.c.local_day, bindparam("usual_day", type_=Text)).label("day"),
        func.coalesce(own_look.c.period, bindparam("usual_period", type_=Text)).label("period"),
        func.coalesce(anchor_look.c.seen_at, bindparam("anchor_usual_at", type_=UtcDateTime())).label("anchor_seen_at"),
        anchor.c.listing_id.is_not(None).label("is_offered"),
        same_terms(own, anchor).label("is_equal"),
        *(own.c[name].label(f"own_{name}") for name in ROW),
        *(anchor.c[name].label(f"anchor_{name}") for name in ROW),
    )
    query = query.select_from(joined).where(own.c.store_id == of_store)
    if only is not None:
        query = query.where(own.c.listing_id.in_(select(only.c.listing_id)))
    return query.subquery("shown")


def _judged(shown: Subquery) -> Subquery:
    """Adds `in_effect` to each line: which offer it is."""
    line = shown.c
    seen_no_earlier = or_(line.anchor_seen_at.is_(None), line.seen_at >= line.anchor_seen_at)
    changed_at = case((line.is_offered, line.anchor_changed_at), else_=_last_change(shown))
    in_effect = case(
        # The store is the anchor.
        (_STORE == _ITS_ANCHOR, _OWN_OFFER),
        # Both show the same offer: the one that was seen later is in effect.
        (and_(line.is_offered, line.is_equal, seen_no_earlier), _EQUAL_OFFERS),
        (and_(line.is_offered, line.is_equal), _ANCHOR_OFFER),
        # The anchor has not changed the line since the store was seen, or never offered it.
        (func.coalesce(changed_at, line.seen_at) <= line.seen_at, _OWN_OFFER),
        # The store charged what its anchor charged then, and the anchor still had that price on the store's day and in
        # its period: inferred.
        (and_(line.is_offered, _charged_the_same(shown), _anchor_seen_no_earlier(shown)), _ANCHOR_OFFER),
        # The store deviates, or may deviate.
        else_=_CONTESTED,
    )
    # The offset keeps PostgreSQL from computing the case again for each column of a line.
    return select(shown, in_effect.label("in_effect")).order_by(line.listing_id).offset(0).subquery("judged")


def _at(table: FromClause, store: ColumnElement[int], line: FromClause) -> ColumnElement[bool]:
    return and_(table.c.store_id == store, table.c.listing_id == line.c.listing_id)


def _last_change(shown: Subquery) -> ColumnElement[Any]:
    """When the anchor last changed the line; null if it never offered it."""
    entry = price_changes.alias("last_entry")
    return select(func.max(entry.c.changed_at)).where(_at(entry, _ITS_ANCHOR, shown)).scalar_subquery()


def _charged_the_same(shown: Subquery) -> ColumnElement[bool]:
    """Whether the anchor's offer had the terms of the store's own when the store was last seen."""
    entry = price_changes.alias("entry")
    is_equal = and_(*(entry.c[name].is_not_distinct_from(shown.c[f"own_{name}"]) for name in TERMS))
    by_then = and_(_at(entry, _ITS_ANCHOR, shown), entry.c.changed_at <= shown.c.seen_at)
    return select(is_equal).where(by_then).order_by(entry.c.changed_at.desc()).limit(1).scalar_subquery()


def _anchor_seen_no_earlier(shown: Subquery) -> ColumnElement[bool]:
    """Whether the anchor was last seen at that price in no earlier specials period and on no earlier day."""
    entry = price_changes.alias("next_entry")
    later = and_(_at(entry, _ITS_ANCHOR, shown), entry.c.changed_at > shown.c.seen_at)
    run = select(entry.c.seen_before).where(later).order_by(entry.c.changed_at).limit(1).correlate(shown)
    look = and_(looks.c.store_id == _ITS_ANCHOR, looks.c.run_id == run.scalar_subquery())
    no_earlier = and_(func.min(looks.c.local_day) >= shown.c.day, func.min(looks.c.period) >= shown.c.period)
    return select(no_earlier).where(look).correlate(shown).scalar_subquery()
