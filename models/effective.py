"""What each store charges: `splitcart.observed.effective`, said in SQL over the rows of many stores.

`prepare` lays down when each line of the stores and of their anchors was seen last, in temporary tables; STATEMENT then
judges each own row beside the anchor's. tests/models/test_effective.py holds it equal to the rule in Python.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, select

from models import bulk, ordinals, sightings
from models.dialect import is_postgres, looked_up, temporary
from models.offers import differs
from models.sightings import NEVER, Look, Seen
from models.tables import store_group_memberships, store_groups
from models.tables.base import OFFER
from models.types import utc_text

ROW = (*OFFER, "changed_at", "crawl_run_id")
"""The columns of a price row that the statement gives, of the store's row or of the anchor's."""
_STORES_AT_ONCE = 100
_LOOK = "seen_at {time} NOT NULL, local_day TEXT NOT NULL, period TEXT NOT NULL"


def prepare(connection: Connection, store_ids: Collection[int]) -> dict[int, int]:
    """Lays down the last look at each line of the stores and of their anchors. Returns the anchor of each store.

    `store_looks` has a row a store, with the look that most of its lines have; `line_looks` the lines that another one
    has. Both last as long as the transaction on PostgreSQL, and until they are laid down again on SQLite.
    """
    anchors = _anchors(connection, store_ids)
    look = _LOOK.format(time="TIMESTAMPTZ" if is_postgres(connection) else "TEXT")
    store = f"store_id INTEGER PRIMARY KEY, anchor_id INTEGER NOT NULL, is_asked INTEGER NOT NULL, {look}"
    temporary(connection, "store_looks", store)
    temporary(
        connection, "line_looks", f"store_id INTEGER, listing_id INTEGER, {look}, PRIMARY KEY (store_id, listing_id)"
    )
    wanted = sorted({*store_ids, *anchors.values()})
    for start in range(0, len(wanted), _STORES_AT_ONCE):
        part = wanted[start : start + _STORES_AT_ONCE]
        known = ordinals.of_stores(connection, part)
        listing_of = np.zeros(int(known.ordinals.max(initial=-1)) + 1, np.int64)
        listing_of[known.ordinals] = known.ids
        seen = sightings.read(connection, part)
        usual = {store_id: _usual(one) for store_id, one in seen.items() if one.lines.any()}
        asked = set(store_ids)
        rows = [
            (store_id, anchors.get(store_id, store_id), int(store_id in asked), *_told(seen[store_id].looks[number]))
            for store_id, number in usual.items()
        ]
        bulk.insert(connection, "store_looks", ("store_id", "anchor_id", "is_asked", *_TOLD), rows)
        for store_id, number in usual.items():
            others = list(_others(store_id, seen[store_id], number, listing_of))
            bulk.insert(connection, "line_looks", ("store_id", "listing_id", *_TOLD), others)
    return anchors


_TOLD = ("seen_at", "local_day", "period")


def _told(look: Look) -> tuple[str, str, str]:
    one = look.sighting
    return utc_text(one.at), one.day.isoformat(), one.period.isoformat()


def _usual(seen: Seen) -> int:
    """The look that most lines of a store have."""
    return int(np.bincount(seen.which[seen.lines]).argmax())


def _others(
    store_id: int, seen: Seen, usual: int, listing_of: Sequence[int] | np.ndarray
) -> Iterator[tuple[int, int, str, str, str]]:
    told = [_told(look) for look in seen.looks]
    which = seen.which[: len(listing_of)]
    for ordinal in np.flatnonzero((which != usual) & (which != NEVER)).tolist():
        yield store_id, int(listing_of[ordinal]), *told[which[ordinal]]


def _anchors(connection: Connection, store_ids: Collection[int]) -> dict[int, int]:
    member, group = store_group_memberships.c, store_groups.c
    wanted = select(member.store_id, group.anchor_id).join(store_groups, group.id == member.group_id)
    found: dict[int, int] = {}
    ids = sorted(store_ids)
    for start in range(0, len(ids), 500):
        for row in connection.execute(wanted.where(member.store_id.in_(ids[start : start + 500]))):
            found[row.store_id] = row.anchor_id
    return found


def statement(connection: Connection) -> str:
    """SELECT of a row a line, by store and listing: store_id, listing_id, anchor_id, source, observed_at, own_seen,
    observed_by (the store that was observed) and the columns of ROW, for the stores that `prepare` was asked for."""
    fence = "LIMIT ALL OFFSET 0" if is_postgres(connection) else "LIMIT -1 OFFSET 0"
    names = {alias: ", ".join(f"{alias}.{name}" for name in ("listing_id", *ROW)) for alias in ("o", "a")}
    own = looked_up(connection, "o", "prices", names["o"], "o.store_id = d.store_id", outer=False)
    where = "a.store_id = d.anchor_id AND a.listing_id = o.listing_id AND d.anchor_id <> d.store_id"
    anchor = looked_up(connection, "a", "prices", names["a"], where)
    looks = ("seen_at", "local_day", "period")
    lines = {
        alias: looked_up(
            connection,
            alias,
            "line_looks",
            ", ".join(f"{alias}.{name}" for name in looks),
            f"{alias}.store_id = {store} AND {alias}.listing_id = o.listing_id",
        )
        for alias, store in (("x", "d.store_id"), ("y", "d.anchor_id"))
    }
    seen, day, period = (f"coalesce(x.{name}, d.{name})" for name in looks)
    shown = "coalesce(y.seen_at, e.seen_at)"
    said = "c.store_id = d.anchor_id AND c.listing_id = o.listing_id"
    changed = f"""CASE WHEN a.listing_id IS NULL THEN (SELECT max(c.changed_at) FROM price_changes c WHERE {said})
        ELSE a.changed_at END"""  # noqa: S608 our own names
    then = f"SELECT max(c.changed_at) FROM price_changes c WHERE {said} AND c.changed_at <= {seen}"  # noqa: S608
    next_one = f"""SELECT c.seen_before FROM price_changes c WHERE {said} AND c.changed_at > {seen}
        ORDER BY c.changed_at LIMIT 1"""  # noqa: S608
    followed = f"""a.listing_id IS NOT NULL
        AND EXISTS (SELECT 1 FROM price_changes h WHERE h.store_id = d.anchor_id AND h.listing_id = o.listing_id
            AND h.changed_at = ({then}) AND NOT {differs(connection, "h", "o")})
        AND coalesce((SELECT min(s.local_day) >= {day} AND min(s.period) >= {period} FROM sightings s
            WHERE s.store_id = d.anchor_id AND s.run_id = ({next_one})), {_false(connection)})"""  # noqa: S608
    columns = ", ".join(f"o.{name} AS o_{name}, a.{name} AS a_{name}" for name in ROW)
    chosen = ", ".join(f"CASE WHEN known = 1 THEN a_{name} ELSE o_{name} END AS {name}" for name in ROW)
    return f"""
        SELECT store_id, listing_id, anchor_id, CASE known WHEN 0 THEN 'own' WHEN 1 THEN 'inferred' ELSE 'contested' END
                AS source, CASE WHEN known = 1 THEN coalesce(shown, a_changed_at) ELSE seen END AS observed_at,
            seen AS own_seen, CASE WHEN known = 1 THEN anchor_id ELSE store_id END AS observed_by, {chosen}
        FROM (
            SELECT d.store_id, d.anchor_id, o.listing_id, {seen} AS seen, {shown} AS shown, {columns},
                CASE WHEN d.anchor_id = d.store_id THEN 0
                    WHEN a.listing_id IS NOT NULL AND NOT {differs(connection, "a", "o")} THEN
                        CASE WHEN {seen} >= coalesce({shown}, {seen}) THEN 0 ELSE 1 END
                    WHEN coalesce({changed}, {seen}) <= {seen} THEN 0
                    WHEN {followed} THEN 1 ELSE 2 END AS known
            FROM store_looks d {own} LEFT JOIN store_looks e ON e.store_id = d.anchor_id
            {anchor} {lines["x"]} {lines["y"]}
            WHERE d.is_asked = 1 ORDER BY d.store_id, o.listing_id {fence}) judged
        WHERE known >= 0"""  # noqa: S608 our own names


def _false(connection: Connection) -> str:
    return "false" if is_postgres(connection) else "0"
