"""The anti-join: which of the offers that a run saw differ from the store's own rows, and writing exactly those.

All is written in key order. Only rows of the store itself are read and written, whatever group it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text

from models import bulk
from models.dialect import among, by_hash, listed, looked_up, temporary
from models.offers import columns, differs, offer_types
from models.run import Run
from models.sightings import Seen
from models.tables.base import OFFER
from models.types import Flag, UtcDateTime

_NAMES = ", ".join(OFFER)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by which run a store is published, and what it had shown before."""

    run: Run
    store_id: int
    now: datetime
    seen: Seen
    """The last look at each line before this run."""
    last_run: int | None
    """The last complete run."""


class Found(NamedTuple):
    """What a run changes of a store's prices."""

    actions: dict[str, int]
    """How many listings need which."""
    rows: str
    """What a FROM names: listing_id, action and the offer of each listing that needs any, by key."""
    is_first: bool = False
    """The store had no price before."""


def find(connection: Connection, moment: Moment, priced: int) -> Found:
    """Compares the `priced` listings that were seen with a price with the store's rows.

    insert, update: the price is new or another one, and the history gets an entry. refresh: it costs the same, and the
    rest of the offer is another.
    """
    if _is_empty(connection, moment.store_id):
        rows = f"""(SELECT listing_id, ordinal, 'insert' AS action, {_NAMES} FROM publish_seen
            WHERE price_cents IS NOT NULL ORDER BY listing_id)"""  # noqa: S608 fixed text
        return Found({"insert": priced} if priced else {}, rows, is_first=True)
    kinds = f"listing_id INTEGER, ordinal INTEGER, action TEXT, {offer_types(connection)}"
    temporary(connection, "publish_diff", kinds)
    sql = f"""
        INSERT INTO publish_diff SELECT * FROM (
            SELECT w.listing_id, w.ordinal, CASE WHEN o.listing_id IS NULL THEN 'insert'
                WHEN {differs(connection, "w", "o")} THEN 'update'
                WHEN {differs(connection, "w", "o", OFFER)} THEN 'refresh' END AS action, {columns("w")}
            FROM publish_seen w
            LEFT JOIN prices o ON o.store_id = {moment.store_id} AND o.listing_id = w.listing_id
            WHERE w.price_cents IS NOT NULL) d
        WHERE action IS NOT NULL ORDER BY listing_id"""  # noqa: S608 integers and fixed text
    with by_hash(connection):
        connection.execute(text(sql))
    counted = connection.execute(text("SELECT action, count(*) FROM publish_diff GROUP BY action"))
    return Found({action: int(count) for action, count in counted}, "publish_diff")


def _is_empty(connection: Connection, store_id: int) -> bool:
    """Whether a store has nothing to compare with, as before its first run."""
    sql = text("SELECT EXISTS (SELECT 1 FROM prices WHERE store_id = :store)")
    return not connection.execute(sql, {"store": store_id}).scalar()


def write(connection: Connection, moment: Moment, found: Found) -> None:
    """Writes the differences to prices and their history."""
    actions, rows = found.actions, found.rows
    if actions.get("insert") or actions.get("update"):
        before, told = _seen_before(connection, moment, found)
        sql = f"""INSERT INTO price_changes
            (store_id, listing_id, changed_at, {_NAMES}, crawl_run_id, seen_before)
            SELECT {moment.store_id}, d.listing_id, :now, {columns("d")}, {moment.run.id},
                coalesce(b.run, {moment.last_run or "NULL"})
            FROM {rows} d LEFT JOIN {before} b ON b.listing_id = d.listing_id
            WHERE d.action <> 'refresh'"""  # noqa: S608 integers and fixed text
        with by_hash(connection):
            _run(connection, sql, now=moment.now, **told)
    if actions.get("insert"):
        sql = f"""INSERT INTO prices (store_id, listing_id, {_NAMES}, changed_at, crawl_run_id)
            SELECT {moment.store_id}, d.listing_id, {columns("d")}, :now, {moment.run.id}
            FROM {rows} d WHERE d.action = 'insert'"""  # noqa: S608 integers and fixed text
        _run(connection, sql, now=moment.now)
    if actions.get("update") or actions.get("refresh"):
        values = ", ".join(f"{name} = d.{name}" for name in OFFER)
        changed = "CASE WHEN d.action = 'update' THEN :now ELSE prices.changed_at END"
        sql = f"""UPDATE prices SET {values}, changed_at = {changed}, crawl_run_id = {moment.run.id}
            FROM publish_diff d WHERE prices.store_id = {moment.store_id} AND prices.listing_id = d.listing_id
                AND d.action <> 'insert'"""  # noqa: S608 integers and fixed text
        with by_hash(connection):
            _run(connection, sql, now=moment.now)


def _seen_before(connection: Connection, moment: Moment, found: Found) -> tuple[str, dict[str, Any]]:
    """What a FROM names: (listing_id, run) of the changed lines that another run than the last complete one saw last.

    A line without a price had none when the last complete run looked.
    """
    others: list[tuple[int, int]] = []
    if found.actions.get("update"):
        sql = "SELECT listing_id, ordinal FROM publish_diff WHERE action = 'update'"
        looks = ((listing, moment.seen.at(ordinal)) for listing, ordinal in connection.execute(text(sql)))
        others = [(listing, look.run_id) for listing, look in looks if look and look.run_id != moment.last_run]
    return _given(connection, others)


def _given(connection: Connection, rows: Sequence[tuple[int, int | None]]) -> tuple[str, dict[str, Any]]:
    name = "publish_before"
    source, told = bulk.given(connection, name, {"listing_id": "INTEGER", "run": "INTEGER"}, rows)
    return f"(SELECT listing_id, run FROM {source})", told  # noqa: S608 our own names


def end(connection: Connection, moment: Moment, listings: Sequence[tuple[int, int | None]]) -> int:
    """Ends the history of (listing_id, run that last saw its price) and deletes their rows; how many had any."""
    if not listings:
        return 0
    ended, told = _given(connection, listings)
    sql = f"""INSERT INTO price_changes
        (store_id, listing_id, changed_at, price_basis, is_estimated, is_on_special, crawl_run_id, seen_before)
        SELECT p.store_id, p.listing_id, :now, p.price_basis, :no, :no, {moment.run.id}, e.run
        FROM {ended} e {
        looked_up(
            connection,
            "p",
            "prices",
            "p.store_id, p.listing_id, p.price_basis",
            f"p.store_id = {moment.store_id} AND p.listing_id = e.listing_id",
            outer=False,
        )
    }"""  # noqa: S608 our names
    _run(connection, sql, now=moment.now, no=False, **told)
    sql = f"DELETE FROM prices WHERE store_id = :store AND {among(connection, 'listing_id', 'ids')}"  # noqa: S608
    ids = listed(connection, [listing for listing, _ in listings])
    return connection.execute(text(sql), {"store": moment.store_id, "ids": ids}).rowcount


def _run(connection: Connection, sql: str, **values: Any) -> None:
    """Executes SQL that binds :now and maybe :no, as the database keeps them."""
    kinds: dict[str, Any] = {"now": UtcDateTime(), "no": Flag()}
    typed: list[Any] = [bindparam(name, type_=kind) for name, kind in kinds.items() if name in values]
    connection.execute(text(sql).bindparams(*typed), values)
