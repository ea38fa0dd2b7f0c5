"""What each store charges: `splitcart.observed.effective` as one statement over the lines of a store.

`parameters` gives for each store what the statement binds: one look, the one at which most lines were last seen. Lines
with another last look are in `line_looks` meanwhile. tests/models/prices/test_effective.py holds the statement equal to
the rule in Python.
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
from models.lines.sightings import NEVER, Seen
from models.tables import price_changes, prices
from models.tables import sightings as looks
from models.tables.base import OFFER, TERMS, same_terms
from models.tables.types import UtcDateTime, utc_text
from splitcart.observed import CONTESTED, INFERRED, OWN, Sighting

ROW = (*OFFER, "changed_at", "crawl_run_id")
"""The columns of a price row that the statement gives, of the store's row or of the anchor's."""
_STORES_AT_ONCE = 100
_LINE_LOOKS = temporary_table(
    "line_looks",
    Column("store_id", Integer, primary_key=True, autoincrement=False),
    Column("listing_id", Integer, primary_key=True, autoincrement=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("local_day", Text, nullable=False),
    Column("period", Text, nullable=False),
)
"""When lines of a store were seen last that another look than the usual one was the last at."""
_ALONE, _SHARED, _ANCHOR, _CONTESTED = range(4)
"""Which offer stands: the store's own; the same one, which its anchor shows too; the anchor's; the store's own, though
the anchor's has changed."""

_STORE = bindparam("of_store", type_=Integer)
_ITS_ANCHOR = bindparam("of_anchor", type_=Integer)


def parameters(connection: Connection, places: Collection[Place]) -> Iterator[dict[str, Any]]:
    """What `lines` binds for each of the stores that was ever seen, by store id.

    `line_looks` holds what the statement needs until the next one is asked for.
    """
    of = {place.store_id: place for place in places}
    listing_of: dict[int, Ints] = {}
    for start in range(0, len(of), _STORES_AT_ONCE):
        part = sorted(of)[start : start + _STORES_AT_ONCE]
        usual: dict[int, Sighting] = {}
        emptied(connection, _LINE_LOOKS)
        owners = {store: of[one].company_id for one in part for store in (one, anchor_of(of[one]))}
        for store_id, seen in sightings.read(connection, sorted(owners)).items():
            if seen.lines.any():
                owner = owners[store_id]
                if owner not in listing_of:
                    listing_of[owner] = by_ordinal(connection, owner)
                number = int(np.bincount(seen.last_look[seen.lines]).argmax())
                usual[store_id] = seen.looks[number].sighting
                others = list(_others(store_id, seen, number, listing_of[owner]))
                bulk.insert(connection, _LINE_LOOKS, _LINE_LOOKS.c.keys(), others)
        for store_id in part:
            if store_id in usual:
                yield _bound(store_id, usual[store_id], anchor_of(of[store_id]), usual)


def anchor_of(place: Place) -> int:
    """The anchor of a store's group; the store itself, where it has none."""
    return place.store_id if place.anchor_id is None else place.anchor_id


def _bound(store_id: int, look: Sighting, anchor_id: int, usual: dict[int, Sighting]) -> dict[str, Any]:
    shown_at = usual[anchor_id].at if anchor_id in usual else None
    days = {"usual_day": look.day.isoformat(), "usual_period": look.period.isoformat()}
    return {"of_store": store_id, "of_anchor": anchor_id, "usual_at": look.at, **days, "usually_shown_at": shown_at}


def _others(store_id: int, seen: Seen, usual: int, listing_of: Ints) -> Iterator[tuple[int, int, str, str, str]]:
    """The rows of `line_looks` of a store: the lines that another look than the usual one was the last at."""
    told = [(utc_text(s.at), s.day.isoformat(), s.period.isoformat()) for s in (look.sighting for look in seen.looks)]
    which = seen.last_look[: len(listing_of)]
    for ordinal in np.flatnonzero((which != usual) & (which != NEVER)).tolist():
        yield store_id, int(listing_of[ordinal]), *told[which[ordinal]]


def lines(only: FromClause | None = None) -> Select[Any]:
    """SELECT of a row a line of the store that is bound (see `parameters`), by listing.

    store_id, listing_id, anchor_id, source, observed_at, stands_alone (whether no other store's row says the same),
    observed_by (the store that was observed), and the columns of ROW. `only`: a table of the listings that are wanted.
    """
    judged = _judged(_shown(only))
    of, takes_anchor = judged.c, judged.c.standing == _ANCHOR
    return select(
        _STORE.label("store_id"),
        of.listing_id,
        _ITS_ANCHOR.label("anchor_id"),
        case((takes_anchor, INFERRED), (of.standing == _CONTESTED, CONTESTED), else_=OWN).label("source"),
        case((takes_anchor, func.coalesce(of.shown_at, of.anchor_changed_at)), else_=of.seen_at).label("observed_at"),
        of.standing.in_((_ALONE, _CONTESTED)).label("stands_alone"),
        case((takes_anchor, _ITS_ANCHOR), else_=_STORE).label("observed_by"),
        *(case((takes_anchor, of[f"anchor_{name}"]), else_=of[f"own_{name}"]).label(name) for name in ROW),
    ).order_by(of.listing_id)


def _shown(only: FromClause | None) -> Subquery:
    """What the store (`own_`) and its anchor (`anchor_`) show of each line of the store, and when each saw it last."""
    own, anchor = prices.alias("own"), prices.alias("anchor")
    own_look, anchor_look = _LINE_LOOKS.alias("own_look"), _LINE_LOOKS.alias("anchor_look")
    # As queries of their own, so that PostgreSQL's planner does not see whose rows these are. Of a store that its
    # statistics do not know it believes that it has one row, and would read all of them again for each line.
    of_store, of_anchor = (select(one).scalar_subquery() for one in (_STORE, _ITS_ANCHOR))
    joined = (
        own.outerjoin(anchor, _at(anchor, of_anchor, own))
        .outerjoin(own_look, _at(own_look, _STORE, own))
        .outerjoin(anchor_look, _at(anchor_look, _ITS_ANCHOR, own))
    )
    found: Select[Any] = select(
        own.c.listing_id,
        func.coalesce(own_look.c.seen_at, bindparam("usual_at", type_=UtcDateTime())).label("seen_at"),
        func.coalesce(own_look.c.local_day, bindparam("usual_day", type_=Text)).label("day"),
        func.coalesce(own_look.c.period, bindparam("usual_period", type_=Text)).label("period"),
        func.coalesce(anchor_look.c.seen_at, bindparam("usually_shown_at", type_=UtcDateTime())).label("shown_at"),
        anchor.c.listing_id.is_not(None).label("is_offered"),
        same_terms(own, anchor).label("is_equal"),
        *(own.c[name].label(f"own_{name}") for name in ROW),
        *(anchor.c[name].label(f"anchor_{name}") for name in ROW),
    )
    found = found.select_from(joined).where(own.c.store_id == of_store)
    if only is not None:
        found = found.where(own.c.listing_id.in_(select(only.c.listing_id)))
    return found.subquery("shown")


def _judged(shown: Subquery) -> Subquery:
    """Which offer of each line stands."""
    line = shown.c
    shown_since = or_(line.shown_at.is_(None), line.seen_at >= line.shown_at)
    changed_at = case((line.is_offered, line.anchor_changed_at), else_=_last_change(shown))
    standing = case(
        # It is the anchor itself.
        (_STORE == _ITS_ANCHOR, _ALONE),
        # Both show the same offer, and the store was seen no earlier; or its anchor was seen later.
        (and_(line.is_offered, line.is_equal, shown_since), _SHARED),
        (and_(line.is_offered, line.is_equal), _ANCHOR),
        # The anchor has not changed the line since the store was seen, or never offered it.
        (func.coalesce(changed_at, line.seen_at) <= line.seen_at, _ALONE),
        # The store charged what its anchor did then, and the anchor did so long enough: the store followed it.
        (and_(line.is_offered, _charged_the_same(shown), _for_long_enough(shown)), _ANCHOR),
        # It deviates, or may.
        else_=_CONTESTED,
    )
    # The offset keeps PostgreSQL from judging a line again for each of its columns.
    return select(shown, standing.label("standing")).order_by(line.listing_id).offset(0).subquery("judged")


def _at(table: FromClause, store: ColumnElement[int], line: FromClause) -> ColumnElement[bool]:
    return and_(table.c.store_id == store, table.c.listing_id == line.c.listing_id)


def _last_change(shown: Subquery) -> ColumnElement[Any]:
    """When the anchor changed the line last; null where it never offered it."""
    entry = price_changes.alias("last_entry")
    return select(func.max(entry.c.changed_at)).where(_at(entry, _ITS_ANCHOR, shown)).scalar_subquery()


def _charged_the_same(shown: Subquery) -> ColumnElement[bool]:
    """Whether the anchor charged the store's own price when the store was seen."""
    entry = price_changes.alias("entry")
    is_equal = and_(*(entry.c[name].is_not_distinct_from(shown.c[f"own_{name}"]) for name in TERMS))
    by_then = and_(_at(entry, _ITS_ANCHOR, shown), entry.c.changed_at <= shown.c.seen_at)
    return select(is_equal).where(by_then).order_by(entry.c.changed_at.desc()).limit(1).scalar_subquery()


def _for_long_enough(shown: Subquery) -> ColumnElement[bool]:
    """Whether the anchor was last seen at the price of then in no earlier specials period, and on no earlier day."""
    entry = price_changes.alias("next_entry")
    later = and_(_at(entry, _ITS_ANCHOR, shown), entry.c.changed_at > shown.c.seen_at)
    run = select(entry.c.seen_before).where(later).order_by(entry.c.changed_at).limit(1).correlate(shown)
    look = and_(looks.c.store_id == _ITS_ANCHOR, looks.c.run_id == run.scalar_subquery())
    no_earlier = and_(func.min(looks.c.local_day) >= shown.c.day, func.min(looks.c.period) >= shown.c.period)
    return select(no_earlier).where(look).correlate(shown).scalar_subquery()
