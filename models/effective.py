"""What each store charges: `splitcart.observed.effective`, said in SQL over the rows of many stores.

`prepare` lays down when each line of the stores and of their anchors was seen last, in temporary tables; STATEMENT then
judges each own row beside the anchor's. tests/models/test_effective.py holds it equal to the rule in Python.
"""

from collections.abc import Collection, Iterator

import numpy as np
from sqlalchemy import Connection, select, text

from models import bulk, sightings
from models.dialect import is_postgres, temporary
from models.offers import differs
from models.ordinals import Ints, by_ordinal
from models.sightings import NEVER, Look, Seen
from models.tables import store_group_memberships, store_groups, stores
from models.tables.base import OFFER
from models.types import utc_text

ROW = (*OFFER, "changed_at", "crawl_run_id")
"""The columns of a price row that the statement gives, of the store's row or of the anchor's."""
_STORES_AT_ONCE = 100


def prepare(connection: Connection, store_ids: Collection[int]) -> dict[int, int]:
    """Lays down the last look at each line of the stores and of their anchors. Returns the anchor of each store.

    `store_looks` has a row a store, with the look that most of its lines have; `line_looks` the lines that another one
    has. Both last as long as the transaction on PostgreSQL, and until they are laid down again on SQLite.
    """
    anchors = _anchors(connection, store_ids)
    look = f"seen_at {'TIMESTAMPTZ' if is_postgres(connection) else 'TEXT'}, local_day TEXT, period TEXT"
    of_a_store = "anchor_id INTEGER NOT NULL, is_asked INTEGER NOT NULL, has_others INTEGER NOT NULL"
    temporary(connection, "store_looks", f"store_id INTEGER PRIMARY KEY, {of_a_store}, {look}")
    key = "PRIMARY KEY (store_id, listing_id)"
    temporary(connection, "line_looks", f"store_id INTEGER, listing_id INTEGER, {look}, {key}")
    for table in ("store_looks", "line_looks"):  # an earlier preparation of this transaction may have filled them
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 our own names
    asked, owners = set(store_ids), _owners(connection, {*store_ids, *anchors.values()})
    for company_id in sorted(set(owners.values())):
        listing_of = by_ordinal(connection, company_id)
        theirs = sorted(store_id for store_id, owner in owners.items() if owner == company_id)
        for start in range(0, len(theirs), _STORES_AT_ONCE):
            for store_id, seen in sightings.read(connection, theirs[start : start + _STORES_AT_ONCE]).items():
                if seen.lines.any():
                    usual = int(np.bincount(seen.which[seen.lines]).argmax())
                    others = list(_others(store_id, seen, usual, listing_of))
                    flags = (int(store_id in asked), int(bool(others)))
                    row = (store_id, anchors.get(store_id, store_id), *flags, *_told(seen.looks[usual]))
                    names = ("store_id", "anchor_id", "is_asked", "has_others", *_TOLD)
                    bulk.insert(connection, "store_looks", names, [row])
                    bulk.insert(connection, "line_looks", ("store_id", "listing_id", *_TOLD), others)
    return anchors


_TOLD = ("seen_at", "local_day", "period")


def _told(look: Look) -> tuple[str, str, str]:
    one = look.sighting
    return utc_text(one.at), one.day.isoformat(), one.period.isoformat()


def _others(store_id: int, seen: Seen, usual: int, listing_of: Ints) -> Iterator[tuple[int, int, str, str, str]]:
    """The lines of a store that another look was the last at."""
    told = [_told(look) for look in seen.looks]
    which = seen.which[: len(listing_of)]
    for ordinal in np.flatnonzero((which != usual) & (which != NEVER)).tolist():
        yield store_id, int(listing_of[ordinal]), *told[which[ordinal]]


def _owners(connection: Connection, store_ids: Collection[int]) -> dict[int, int]:
    """The company of each store."""
    found: dict[int, int] = {}
    ids = sorted(store_ids)
    for start in range(0, len(ids), 500):
        wanted = select(stores.c.id, stores.c.company_id).where(stores.c.id.in_(ids[start : start + 500]))
        found |= {row.id: row.company_id for row in connection.execute(wanted)}
    return found


def _anchors(connection: Connection, store_ids: Collection[int]) -> dict[int, int]:
    member, group = store_group_memberships.c, store_groups.c
    wanted = select(member.store_id, group.anchor_id).join(store_groups, group.id == member.group_id)
    found: dict[int, int] = {}
    ids = sorted(store_ids)
    for start in range(0, len(ids), 500):
        for row in connection.execute(wanted.where(member.store_id.in_(ids[start : start + 500]))):
            found[row.store_id] = row.anchor_id
    return found


def statement(connection: Connection, only: str | None = None) -> str:
    """SELECT of a row a line, by store, then by listing, for the stores that `prepare` was asked for.

    store_id, listing_id, anchor_id, source, observed_at, stands_alone (1 where no other store's row says the same),
    observed_by (the store that was observed), and the columns of ROW. `only`: a table of the listings that are wanted.
    On PostgreSQL the lines of one store after the other are merged with its anchor's in the order of their index;
    SQLite looks the anchor's row up by its key.
    """
    looks = ("seen_at", "local_day", "period")
    seen, day, period = (f"coalesce(x.{name}, d.{name})" for name in looks)
    shown = "coalesce(y.seen_at, e.seen_at)"
    columns = ", ".join(f"o.{name} AS o_{name}, a.{name} AS a_{name}" for name in ROW)
    chosen = ", ".join(f"CASE WHEN known = 1 THEN a_{name} ELSE o_{name} END AS {name}" for name in ROW)
    known = _judgement(connection, seen, day, period, shown)
    judged = f"o.listing_id, {seen} AS seen, {shown} AS shown, {columns}, {known} AS known"
    anchor = """LEFT JOIN prices a ON a.store_id = d.anchor_id AND a.listing_id = o.listing_id
            AND d.anchor_id <> d.store_id
        LEFT JOIN line_looks x ON x.store_id = d.store_id AND x.listing_id = o.listing_id AND d.has_others = 1
        LEFT JOIN line_looks y ON y.store_id = d.anchor_id AND y.listing_id = o.listing_id AND e.has_others = 1"""
    wanted = "" if only is None else f"JOIN {only} q ON q.listing_id = o.listing_id"
    of_stores = _MERGED if is_postgres(connection) else _LOOKED_UP
    store = "d" if is_postgres(connection) else "judged"
    return f"""
        SELECT {store}.store_id, listing_id, {store}.anchor_id,
            CASE known WHEN 1 THEN 'inferred' WHEN 2 THEN 'contested' ELSE 'own' END AS source,
            CASE WHEN known = 1 THEN coalesce(shown, a_changed_at) ELSE seen END AS observed_at,
            CASE WHEN known IN (0, 2) THEN 1 ELSE 0 END AS stands_alone,
            CASE WHEN known = 1 THEN {store}.anchor_id ELSE {store}.store_id END AS observed_by, {chosen}
        FROM {of_stores.format(judged=judged, anchor=anchor, only=wanted)}"""  # noqa: S608 our own names


def _judgement(connection: Connection, seen: str, day: str, period: str, shown: str) -> str:
    """The clauses of the rule: 0 the store's own offer stands, 1 the anchor's, 2 its own is contested, 3 its own stands
    and is the anchor's too."""
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
    return f"""CASE WHEN d.anchor_id = d.store_id THEN 0
        WHEN a.listing_id IS NOT NULL AND NOT {differs(connection, "a", "o")} THEN
            CASE WHEN {seen} >= coalesce({shown}, {seen}) THEN 3 ELSE 1 END
        WHEN coalesce({changed}, {seen}) <= {seen} THEN 0
        WHEN {followed} THEN 1 ELSE 2 END"""


# The fences (OFFSET 0) keep the planner from judging a line once for each of its columns.
_MERGED = """(SELECT * FROM store_looks WHERE is_asked = 1 ORDER BY store_id OFFSET 0) d
    LEFT JOIN LATERAL (SELECT * FROM store_looks WHERE store_id = d.anchor_id OFFSET 0) e ON true
    CROSS JOIN LATERAL (
        SELECT {judged} FROM prices o {only} {anchor} WHERE o.store_id = d.store_id
        ORDER BY o.listing_id OFFSET 0) judged"""
_LOOKED_UP = """(SELECT d.store_id, d.anchor_id, {judged}
        FROM store_looks d LEFT JOIN store_looks e ON e.store_id = d.anchor_id
        CROSS JOIN prices o ON o.store_id = d.store_id {only} {anchor}
        WHERE d.is_asked = 1 ORDER BY d.store_id, o.listing_id LIMIT -1 OFFSET 0) judged
    WHERE known >= 0"""


def _false(connection: Connection) -> str:
    return "false" if is_postgres(connection) else "0"
