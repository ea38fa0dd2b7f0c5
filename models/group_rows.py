"""The price rows and the history of a store that changes its anchor: what is written so that no price changes."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, select, text

from models import ordinals
from models.dialect import by_hash, is_postgres
from models.offers import columns, differs
from models.ranges import shown
from models.tables import crawl_runs, membership_periods, store_ranges
from models.tables.base import OFFER
from models.types import UtcDateTime
from splitcart.grouping_columns import bits

_OFFER = ", ".join(OFFER)

Ids = npt.NDArray[np.int64]
NOBODY: Ids = np.zeros(0, np.int64)

_NEVER = datetime(1, 1, 2, tzinfo=UTC)

_SEEN = """(base.changed_at <= :run_at AND (:joined <= :run_at OR EXISTS (
            SELECT 1 FROM price_changes said JOIN crawl_runs r ON r.id = said.crawl_run_id
            WHERE said.store_id = :store AND said.listing_id = base.listing_id AND r.store_id = :store
            AND said.price_cents = base.price_cents AND said.changed_at = (
                SELECT max(changed_at) FROM price_changes
                WHERE store_id = :store AND listing_id = base.listing_id))))"""
"""The store's own last complete run saw this price: since it joined, or before it joined and said so itself."""


def priced(connection: Connection, store_id: int) -> Ids:
    """The ids of the listings that have a price in effect in the store, ascending: ranged, and their price told."""
    table = store_ranges.c
    row = connection.execute(select(table.ranged, table.priced).where(table.store_id == store_id)).one_or_none()
    held = shown(row.ranged, row.priced) if row is not None else b""
    if not held:
        return NOBODY
    ids, places = ordinals.of_stores(connection, [store_id])
    flags = bits(held, max(8 * len(held), int(places.max(initial=-1)) + 1))
    return ids[flags[places]]


def _ids(connection: Connection, name: str, values: Ids) -> tuple[str, dict[str, Any]]:
    """A subquery of the values and its parameter, one text: a list of 20,000 would be bound one by one."""
    told = ",".join(map(str, values.tolist()))
    if is_postgres(connection):
        return f"(SELECT unnest(CAST(:{name} AS integer[])))", {name: f"{{{told}}}"}
    return f"(SELECT value FROM json_each(:{name}))", {name: f"[{told}]"}  # noqa: S608 our names


def write_effective(
    connection: Connection, store_id: int, anchor_id: int, to: int | None = None, spoken_ids: Ids = NOBODY
) -> int:
    """Writes as own rows what the anchor says of lines that are priced in the store and have no own row.

    Lines of which the new anchor `to` says the same are left out.
    """
    lines, given = _ids(connection, "lines", priced(connection, store_id))
    spoken, more = _ids(connection, "spoken", spoken_ids)
    run = _own_run(connection, store_id)
    sql = f"""
        INSERT INTO prices (store_id, listing_id, {_OFFER}, changed_at, crawl_run_id)
        SELECT :store, base.listing_id, {columns("base")}, base.changed_at,
            CASE WHEN {_SEEN} THEN :run ELSE base.crawl_run_id END
        FROM prices base
        WHERE base.store_id = :anchor AND base.listing_id IN {lines}
            AND NOT EXISTS (SELECT 1 FROM prices own WHERE own.store_id = :store AND own.listing_id = base.listing_id)
            AND NOT EXISTS (
                SELECT 1 FROM prices new WHERE new.store_id = :to AND new.listing_id = base.listing_id
                AND new.listing_id IN {spoken} AND NOT {differs(connection, "new", "base")})"""  # noqa: S608 our names
    values = {"store": store_id, "anchor": anchor_id, "to": to, **given, **more, **run}
    return _executed(connection, sql, values)


def _own_run(connection: Connection, store_id: int) -> dict[str, Any]:
    """The store's last complete run and when the store joined its group; without such a run nothing counts as seen."""
    run = crawl_runs.c
    wanted = select(run.id, run.finished_at).where(run.store_id == store_id, run.status == "complete")
    last = connection.execute(
        wanted.where(run.rolled_back_at.is_(None)).order_by(run.finished_at.desc()).limit(1)
    ).first()
    period = membership_periods.c
    opened = select(period.from_at).where(period.store_id == store_id, period.to_at.is_(None))
    return {
        "run": last.id if last else 0,
        "run_at": last.finished_at if last else _NEVER,
        "joined": connection.execute(opened).scalar() or _NEVER,
    }


def drop_equal(connection: Connection, store_id: int, to: int, spoken_ids: Ids) -> int:
    """Deletes own rows that say what the anchor says of lines it ranges."""
    spoken, given = _ids(connection, "spoken", spoken_ids)
    equal = f"new.listing_id = prices.listing_id AND NOT {differs(connection, 'new', 'prices')}"
    sql = f"""DELETE FROM prices WHERE store_id = :store AND listing_id IN {spoken}
        AND EXISTS (SELECT 1 FROM prices new WHERE new.store_id = :to AND {equal})"""  # noqa: S608 our names
    return _executed(connection, sql, {"store": store_id, "to": to, **given})


def log_kept(connection: Connection, store_id: int, at: datetime) -> None:
    """From `at` on the store's history is the anchor's but for these."""
    lines, given = _ids(connection, "lines", priced(connection, store_id))
    sql = f"""
        INSERT INTO price_changes (store_id, listing_id, changed_at, kind, {_OFFER}, crawl_run_id)
        SELECT p.store_id, p.listing_id, :at, 'own', {columns("p")}, p.crawl_run_id
        FROM prices p WHERE p.store_id = :store AND p.listing_id IN {lines}"""  # noqa: S608 our names
    _executed(connection, sql, {"store": store_id, "at": at, **given})


def log_leaving(connection: Connection, store_id: int, at: datetime) -> None:
    """From `at` on the store's history is its own: what it does not say yet is added."""
    lines, given = _ids(connection, "lines", priced(connection, store_id))
    sql = f"""
        INSERT INTO price_changes (store_id, listing_id, changed_at, kind, {_OFFER}, crawl_run_id)
        SELECT p.store_id, p.listing_id, :at, 'own', {columns("p")}, p.crawl_run_id
        FROM prices p LEFT JOIN (
            SELECT c.*, row_number() OVER (PARTITION BY listing_id ORDER BY changed_at DESC) AS newest
            FROM price_changes c WHERE c.store_id = :store) said
            ON said.listing_id = p.listing_id AND said.newest = 1
        WHERE p.store_id = :store AND p.listing_id IN {lines}
            AND (said.listing_id IS NULL OR said.kind <> 'own' OR {differs(connection, "said", "p")})"""  # noqa: S608 our names
    _executed(connection, sql, {"store": store_id, "at": at, **given})


def _executed(connection: Connection, sql: str, values: dict[str, Any]) -> int:
    """How many rows a statement wrote, its times bound as the tables keep them."""
    names = [name for name in ("at", "run_at", "joined") if f":{name}" in sql]
    statement = text(sql).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in names))
    with by_hash(connection, looks_up=True):
        return connection.execute(statement, values).rowcount
