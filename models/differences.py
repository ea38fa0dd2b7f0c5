"""The anti-join: which of the offers a run saw differ from the live ones, and writing exactly those, in key order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text

from models import bulk
from models.dialect import by_hash, looked_up, temporary
from models.locks import Place
from models.offers import columns, differs, offer_types
from models.run import Run
from models.tables.base import OFFER
from models.types import UtcDateTime, utc_text

OWN = ("insert", "update", "relist")
FOLLOWS = ("drop", "follow")
REPLACE = frozenset({"update", "relist", "drop"})
"""What `write` replaces or deletes a row for that is there."""
_NAMES = ", ".join(OFFER)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by which run a store is published, and which complete run came before."""

    run: Run
    place: Place
    now: datetime
    last_run: int | None
    last_scraped: datetime | None


class Found(NamedTuple):
    """What a run changes of a store's prices."""

    actions: dict[str, int]
    """How many listings need which."""
    rows: str
    """What a FROM names: listing_id, action, seen_before and the offer of each listing that needs any, by key."""


def find(connection: Connection, moment: Moment, priced: int) -> Found:
    """Compares the `priced` listings that were seen with a price with what the store has.

    insert, update: an own row; relist: the same offer again after it was delisted; drop: a member saw what its anchor
    has, so its own row goes; follow: the same without an own row, new to the store or after a delisting; touch: an own
    row that this run confirms, though the anchor contested it or another store's run had written it.
    """
    if moment.place.is_anchor and _is_empty(connection, moment.place.store_id):
        rows = f"""(SELECT listing_id, 'insert' AS action, CAST({moment.last_run or "NULL"} AS INTEGER) AS seen_before,
            {_NAMES} FROM publish_seen WHERE price_cents IS NOT NULL ORDER BY listing_id)"""  # noqa: S608 fixed text
        return Found({"insert": priced} if priced else {}, rows)
    temporary(
        connection, "publish_diff", f"listing_id INTEGER, action TEXT, seen_before INTEGER, {offer_types(connection)}"
    )
    member = not moment.place.is_anchor
    case = _actions(connection, member)
    run = looked_up(connection, "r", "crawl_runs", "r.finished_at", "r.id = o.crawl_run_id")
    joins = f"LEFT JOIN prices a ON a.store_id = {moment.place.anchor_id} AND a.listing_id = w.listing_id {run}"
    sql = f"""
        INSERT INTO publish_diff SELECT * FROM (
            SELECT w.listing_id, {case} AS action, {_seen_before()} AS seen_before, {columns("w")}
            FROM publish_seen w
            LEFT JOIN prices o ON o.store_id = {moment.place.store_id} AND o.listing_id = w.listing_id
            LEFT JOIN missing_listings m ON m.store_id = {moment.place.store_id} AND m.listing_id = w.listing_id
            {joins if member else ""}
            WHERE w.price_cents IS NOT NULL) d
        WHERE action IS NOT NULL ORDER BY listing_id"""  # noqa: S608 integers and fixed text
    with by_hash(connection):
        _run(connection, sql, last_run=moment.last_run, store=moment.place.store_id, scraped=moment.last_scraped)
    counted = connection.execute(text("SELECT action, count(*) FROM publish_diff GROUP BY action"))
    return Found({action: int(count) for action, count in counted}, "publish_diff")


def _is_empty(connection: Connection, store_id: int) -> bool:
    """Whether a store has nothing to compare with, as before its first run."""
    there = (f"EXISTS (SELECT 1 FROM {table} WHERE store_id = :store)" for table in ("prices", "missing_listings"))  # noqa: S608
    return not connection.execute(text(f"SELECT {' OR '.join(there)}"), {"store": store_id}).scalar()


def _actions(connection: Connection, member: bool) -> str:
    own = differs(connection, "w", "o")
    touch = "o.crawl_run_id NOT IN (SELECT id FROM crawl_runs WHERE store_id = :store)"
    same_as_anchor = ""
    if member:
        touch = f"({touch}) OR (a.changed_at > coalesce(:scraped, a.changed_at) AND a.changed_at > r.finished_at)"
        same_as_anchor = f"""WHEN a.listing_id IS NOT NULL AND NOT {differs(connection, "w", "a")} THEN
            CASE WHEN o.listing_id IS NOT NULL THEN 'drop' WHEN m.delisted_at IS NOT NULL THEN 'follow'
                WHEN NOT EXISTS (SELECT 1 FROM price_changes c
                    WHERE c.store_id = :store AND c.listing_id = w.listing_id) THEN 'follow' END"""  # noqa: S608 fixed text
    return f"""CASE {same_as_anchor} WHEN o.listing_id IS NULL THEN 'insert' WHEN {own} THEN 'update'
        WHEN m.delisted_at IS NOT NULL THEN 'relist' WHEN {touch} THEN 'touch' END"""


def _seen_before() -> str:
    """The last run that saw the old state: of a missing listing the one before; else the store's latest."""
    last = "CAST(:last_run AS INTEGER)"
    return f"""CASE WHEN m.listing_id IS NOT NULL AND m.delisted_at IS NULL THEN m.seen_run_id
        WHEN o.crawl_run_id > coalesce({last}, 0) AND m.listing_id IS NULL
            AND o.crawl_run_id IN (SELECT id FROM crawl_runs WHERE store_id = :store) THEN o.crawl_run_id
        ELSE {last} END"""  # noqa: S608 fixed text


def write(connection: Connection, moment: Moment, found: Found) -> None:
    """Writes the differences to prices and their history."""
    actions, rows = found
    if any(actions.get(action) for action in (*OWN, *FOLLOWS)):
        sql = f"""INSERT INTO price_changes
            (store_id, listing_id, changed_at, kind, {_NAMES}, crawl_run_id, seen_before)
            SELECT {moment.place.store_id}, d.listing_id, :now,
                CASE WHEN d.action IN ('drop', 'follow') THEN 'follows' ELSE 'own' END,
                {columns("d")}, {moment.run.id}, d.seen_before
            FROM {rows} d WHERE d.action <> 'touch'"""  # noqa: S608 integers and fixed text
        _run(connection, sql, now=moment.now)
    if actions.get("insert"):
        sql = f"""INSERT INTO prices (store_id, listing_id, {_NAMES}, changed_at, crawl_run_id)
            SELECT {moment.place.store_id}, d.listing_id, {columns("d")}, :now, {moment.run.id}
            FROM {rows} d WHERE d.action = 'insert'"""  # noqa: S608 integers and fixed text
        _run(connection, sql, now=moment.now)
    if actions.keys() & {*REPLACE, "touch"}:
        with by_hash(connection):
            _replace(connection, moment, actions)


def _replace(connection: Connection, moment: Moment, actions: dict[str, int]) -> None:
    mine = f"store_id = {moment.place.store_id}"
    if actions.get("update") or actions.get("relist"):
        _update(connection, moment)
    if actions.get("drop"):
        connection.execute(text(f"DELETE FROM prices WHERE {mine} AND {_of('drop')}"))  # noqa: S608
    if actions.get("touch"):
        sql = f"UPDATE prices SET crawl_run_id = {moment.run.id} WHERE {mine} AND {_of('touch')}"  # noqa: S608
        connection.execute(text(sql))


def _of(action: str) -> str:
    return f"listing_id IN (SELECT listing_id FROM publish_diff WHERE action = '{action}')"  # noqa: S608


def _update(connection: Connection, moment: Moment) -> None:
    values = ", ".join(f"{name} = d.{name}" for name in OFFER)
    sql = f"""UPDATE prices SET {values}, changed_at = :now, crawl_run_id = {moment.run.id}
        FROM publish_diff d
        WHERE prices.store_id = {moment.place.store_id} AND prices.listing_id = d.listing_id
            AND d.action IN ('update', 'relist')"""  # noqa: S608 integers and fixed text
    _run(connection, sql, now=moment.now)


def _run(connection: Connection, sql: str, **values: Any) -> None:
    """Executes SQL that may bind :now and :scraped, as times of the database's own kind."""
    bound = {name: value for name, value in values.items() if f":{name}" in sql}
    times = [bindparam(name, type_=UtcDateTime()) for name in ("now", "scraped") if name in bound]
    connection.execute(text(sql).bindparams(*times), bound)


def unlike_history(
    connection: Connection, moment: Moment, ended: Sequence[int] | None = None
) -> list[tuple[int, str, int]]:
    """(listing_id, changed_at, crawl_run_id) of rows that `write` will replace, where the history tells others.

    `ended`: of the rows of these listings instead, whose history the run has ended.
    Joining and leaving groups write history of rows that stay as they are, and a touch writes none.
    """
    told: dict[str, str] = {}
    which = "(SELECT listing_id FROM publish_diff WHERE action IN ('update', 'relist', 'drop')) AS those"
    if ended is not None:
        which, told = bulk.given(connection, "those", {"listing_id": "INTEGER"}, [(listing,) for listing in ended])
    latest = """(SELECT {} FROM price_changes c WHERE c.store_id = p.store_id AND c.listing_id = p.listing_id
        AND c.price_cents IS NOT NULL ORDER BY c.changed_at DESC LIMIT 1)"""
    names = "p.store_id, p.listing_id, p.changed_at, p.crawl_run_id"
    where = f"p.store_id = {moment.place.store_id} AND p.listing_id = those.listing_id"
    sql = f"""SELECT p.listing_id, p.changed_at, p.crawl_run_id
        FROM {which} {looked_up(connection, "p", "prices", names, where, outer=False)}
        WHERE p.changed_at <> {latest.format("c.changed_at")} OR p.crawl_run_id <> {latest.format("c.crawl_run_id")}
        ORDER BY 1"""  # noqa: S608 integers, fixed text
    with by_hash(connection, looks_up=True):
        rows = connection.execute(text(sql).columns(changed_at=UtcDateTime()), told).all()
    return [(int(row.listing_id), utc_text(row.changed_at), int(row.crawl_run_id)) for row in rows]


def touched(connection: Connection, moment: Moment) -> list[tuple[int, int]]:
    """(listing_id, crawl_run_id so far) of the rows that `write` will touch."""
    sql = f"""SELECT listing_id, crawl_run_id FROM prices
        WHERE store_id = {moment.place.store_id} AND {_of("touch")} ORDER BY 1"""  # noqa: S608
    with by_hash(connection):
        return [(int(a), int(b)) for a, b in connection.execute(text(sql))]
