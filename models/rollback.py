"""Puts back what a published run changed, for the day a mapping lied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, bindparam, delete, or_, select, text, update

from models import bulk, clock_healing, groups, vectors
from models.dialect import among, by_hash, listed, looked_up
from models.errors import RollbackRefused
from models.groups import Place
from models.learning import unlearn
from models.ranges import pack
from models.retry import retried
from models.tables import (
    crawl_runs,
    listings,
    membership_periods,
    missing_listings,
    prices,
    store_group_memberships,
    store_groups,
    store_ranges,
    stores,
)
from models.tables.base import OFFER
from models.tables.products import TEXTS
from models.types import UtcDateTime
from models.undo import unpacked


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback changed, or would change."""

    run_id: int
    store_id: int | None
    """Null for a run that is of no single store."""
    history: int
    """Entries of price_changes that were taken out."""
    restored: int
    """Price rows that have their former offer again."""
    removed: int
    """Price rows that the run had added."""
    texts: int
    """Listings whose text is put back."""
    aliases: int
    """Other names of products and brands that the run had taught, and that are forgotten."""
    stores_left: tuple[int, ...]
    """Members that joined or were published since the run: each is now alone, with its prices as they were."""
    stores_to_crawl: tuple[int, ...]
    """Stores that left the group with prices inferred from the run: marked for another crawl."""
    healed: int = 0
    """Rows with times in the future, which a wrong clock had left, that are put right."""


def rollback(engine: Engine, run_id: int, now: datetime, *, dry: bool = False) -> RolledBack:
    """Undoes the publish of a run in one transaction; with `dry` only tells what it would do.

    Listings and products that the run made stay: without prices nobody sees them. A run of which no price stands, but
    whose wrong clock left times in the future, is only healed. Raises RollbackRefused when there is nothing to put
    back or to heal, or when later runs or a change of groups stand on what it wrote.
    """

    def work() -> RolledBack:
        with engine.connect() as connection, connection.execution_options(splitcart_writes=True).begin() as transaction:
            done = _heal_alone(connection, run_id, now) or _rollback(connection, run_id, now)
            if dry:
                transaction.rollback()
            return done

    return retried(engine, work, what=f"rolling back run {run_id}")


def _heal_alone(connection: Connection, run_id: int, now: datetime) -> RolledBack | None:
    """What healing did for a run of which no price stands; None where it has nothing to heal, either."""
    if not clock_healing.is_healable(connection, run_id, now):
        return None
    store_id = connection.execute(select(crawl_runs.c.store_id).where(crawl_runs.c.id == run_id)).scalar()
    healed = clock_healing.heal(connection, run_id, now)
    return RolledBack(run_id, store_id, 0, 0, 0, 0, 0, (), (), healed) if healed else None


def _rollback(connection: Connection, run_id: int, now: datetime) -> RolledBack:
    store_id = _store(connection, run_id)
    places = _lock(connection, store_id)
    run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run_id).with_for_update()).one()
    _refuse(connection, run)
    entries = unpacked(run.undo)
    left = _let_go(connection, run, places, now)
    history, restored, removed = _restore_prices(connection, run)
    for entry in reversed(entries):
        _restore_rest(connection, run, entry)
    elsewhere = _inferred_elsewhere(connection, run)
    connection.execute(update(crawl_runs).where(crawl_runs.c.id == run_id).values(rolled_back_at=now))
    vectors.refresh(connection, store_id)
    told = sum(len(entry.get("texts", [])) for entry in entries)
    forgotten = unlearn(connection, run_id)
    healed = clock_healing.heal(connection, run_id, now)
    return RolledBack(run_id, store_id, history, restored, removed, told, forgotten, left, tuple(elsewhere), healed)


def _store(connection: Connection, run_id: int) -> int:
    runs = crawl_runs.c
    found = connection.execute(select(runs.store_id, runs.status).where(runs.id == run_id)).one_or_none()
    if found is None:
        raise RollbackRefused(f"run {run_id} is unknown: the table crawl_runs has every run with its id")
    if found.store_id is None:
        raise RollbackRefused(f"run {run_id} is {found.status} and published nothing: there is nothing to put back")
    return int(found.store_id)


def _lock(connection: Connection, store_id: int) -> dict[int, Place]:
    """Locks the store and, where it is an anchor, its members; twice, for who joined while we waited."""
    for _ in range(2):
        member, group = store_group_memberships.c, store_groups.c
        mine = select(group.id).where(group.anchor_id == store_id)
        members = select(member.store_id).where(member.group_id.in_(mine))
        places = groups.lock(connection, {store_id, *connection.execute(members).scalars()})
    return places


def _let_go(connection: Connection, run: Row[Any], places: dict[int, Place], now: datetime) -> tuple[int, ...]:
    """Gives the members that stood on the run since groups of their own: what they saw themselves is not put back."""
    runs, periods = crawl_runs.c, membership_periods.c
    since = or_(runs.finished_at.is_(None), runs.finished_at > run.finished_at, runs.id > run.id)
    published = select(runs.store_id).where(runs.undo.is_not(None), runs.rolled_back_at.is_(None), since)
    joined = select(periods.store_id).where(periods.to_at.is_(None), periods.from_at > run.finished_at)
    standing = {*connection.execute(published).scalars(), *connection.execute(joined).scalars()} & places.keys()
    left = tuple(sorted(standing - {run.store_id}))
    for member in left:
        groups.leave(connection, places[member], now)
    return left


def _refuse(connection: Connection, run: Row[Any]) -> None:
    if run.undo is None:
        raise RollbackRefused(f"run {run.id} ended {run.status} and published nothing: there is nothing to put back")
    if run.status == "running":
        raise RollbackRefused(
            f"run {run.id} is being gone on with until {run.lease_until:%H:%M:%S} UTC: wait for its end"
        )
    if run.rolled_back_at is not None:
        raise RollbackRefused(f"run {run.id} was rolled back at {run.rolled_back_at:%Y-%m-%d %H:%M} UTC already")
    table = crawl_runs.c
    later = select(table.id).where(
        table.store_id == run.store_id,
        table.undo.is_not(None),
        table.rolled_back_at.is_(None),
        table.id != run.id,
        or_(table.finished_at > run.finished_at, table.status == "running"),
    )
    ids = list(connection.execute(later.order_by(table.finished_at.desc())).scalars())
    if ids:
        raise RollbackRefused(f"later runs stand on run {run.id}: roll back {', '.join(map(str, ids))} first")
    periods = membership_periods.c
    moved = select(periods.from_at).where(periods.store_id == run.store_id, periods.from_at > run.finished_at)
    if connection.execute(moved.limit(1)).scalar() is not None:
        raise RollbackRefused(f"the store of run {run.id} changed its group since: crawl the store again instead")


def _restore_prices(connection: Connection, run: Row[Any]) -> tuple[int, int, int]:
    """Takes the run's entries out of the history, and gives each listing the price row of the entry before.

    A member has none where it has followed its anchor since it joined.
    """
    mine = {"store": run.store_id, "run": run.id}
    sql = "SELECT DISTINCT listing_id FROM price_changes WHERE store_id = :store AND crawl_run_id = :run ORDER BY 1"
    changed = list(connection.execute(text(sql), mine).scalars())
    sql = "DELETE FROM price_changes WHERE store_id = :store AND crawl_run_id = :run"
    history = connection.execute(text(sql), mine).rowcount
    ids = {"store": run.store_id, "ids": listed(connection, changed)}
    sql = f"DELETE FROM prices WHERE store_id = :store AND {among(connection, 'listing_id', 'ids')}"  # noqa: S608
    there = connection.execute(text(sql), ids).rowcount
    names = ", ".join(("store_id", "listing_id", *OFFER, "changed_at", "crawl_run_id"))
    sql = f"""INSERT INTO prices ({names}) SELECT {names} FROM (
            SELECT c.*, row_number() OVER (PARTITION BY listing_id ORDER BY changed_at DESC) AS nth
            FROM price_changes c WHERE store_id = :store AND price_cents IS NOT NULL
                AND {among(connection, "listing_id", "ids")}) latest
        WHERE nth = 1 AND kind = 'own' AND changed_at >= :since ORDER BY listing_id"""  # noqa: S608 fixed text
    again = text(sql).bindparams(bindparam("since", _joined(connection, run.store_id), type_=UtcDateTime()))
    restored = connection.execute(again, ids).rowcount if changed else 0
    return history, restored, max(0, there - restored)


def _joined(connection: Connection, store_id: int) -> datetime:
    """When the store joined the group of another; before everything for one that is its own anchor."""
    period = membership_periods.c
    mine = (period.store_id == store_id, period.to_at.is_(None), period.anchor_id != store_id)
    return connection.execute(select(period.from_at).where(*mine)).scalar() or datetime(1, 1, 2, tzinfo=UTC)


def _restore_rest(connection: Connection, run: Row[Any], entry: dict[str, Any]) -> None:
    for listing_id, *changed_at, crawl_run_id in (*entry.get("rows", []), *entry.get("touched", [])):
        mine = (prices.c.store_id == run.store_id, prices.c.listing_id == listing_id)
        values = {"changed_at": datetime.fromisoformat(changed_at[0])} if changed_at else {}
        connection.execute(update(prices).where(*mine).values(crawl_run_id=crawl_run_id, **values))
    _restore_range(connection, run.store_id, entry)
    ids = [row[0] for row in entry.get("missing", [])]
    sql = f"DELETE FROM missing_listings WHERE store_id = :store AND {among(connection, 'listing_id', 'ids')}"  # noqa: S608
    connection.execute(text(sql), {"store": run.store_id, "ids": listed(connection, ids)})
    names = ("store_id", "listing_id", "missing_since", "crawl_run_id", "seen_run_id", "delisted_at")
    back = [(run.store_id, *row) for row in entry.get("missing", []) if row[1] is not None]
    bulk.insert(connection, missing_listings, names, back)
    _restore_texts(connection, entry.get("texts", []))
    before = entry["store"]
    scraped = before["last_scraped"]
    connection.execute(
        update(stores)
        .where(stores.c.id == run.store_id)
        .values(
            last_scraped=datetime.fromisoformat(scraped) if scraped else None,
            needs_rescraping=before["needs_rescraping"],
        )
    )


def _restore_range(connection: Connection, store_id: int, entry: dict[str, Any]) -> None:
    mine = store_ranges.c.store_id == store_id
    if "as_of" not in entry:  # it was the store's first
        connection.execute(delete(store_ranges).where(mine))
        return
    kept = connection.execute(select(store_ranges.c.ranged, store_ranges.c.available).where(mine)).mappings().one()
    names = ("ranged", "available")
    values: dict[str, Any] = {name: bytes.fromhex(entry[name]) if name in entry else kept[name] for name in names}
    values["priced"] = _priced(connection, store_id, len(values["ranged"]))
    values["as_of"] = datetime.fromisoformat(entry["as_of"])
    connection.execute(update(store_ranges).where(mine).values(**values))


def _priced(connection: Connection, store_id: int, length: int) -> bytes:
    """The lines whose history ends with a price, as a bit string of `length` bytes over listings.ordinal."""
    row = looked_up(connection, "l", "listings", "l.ordinal", "l.id = c.listing_id", outer=False)
    latest = "SELECT listing_id, max(changed_at) FROM price_changes WHERE store_id = :store GROUP BY listing_id"
    sql = f"""SELECT l.ordinal FROM price_changes c {row}
        WHERE c.store_id = :store AND c.price_cents IS NOT NULL AND (c.listing_id, c.changed_at) IN ({latest})"""  # noqa: S608
    with by_hash(connection):
        told = np.array(list(connection.execute(text(sql), {"store": store_id}).scalars()), dtype=np.int64)
    flags = np.zeros(8 * length, dtype=bool)
    flags[told[told < len(flags)]] = True
    return pack(flags)


def _restore_texts(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    for listing_id, product_id, category_id, *rest in rows:
        *texts, pending = rest
        values = dict(zip(TEXTS, texts, strict=True)) | {"product_id": product_id, "category_id": category_id}
        noted = {
            "pending": pending[0] if pending else None,
            "pending_at": datetime.fromisoformat(pending[1]) if pending else None,
        }
        connection.execute(update(listings).where(listings.c.id == listing_id).values(**values, **noted))


def _inferred_elsewhere(connection: Connection, run: Row[Any]) -> list[int]:
    """Stores that keep prices of this run as their own, since they left its group: to be crawled again."""
    other = select(prices.c.store_id).where(prices.c.crawl_run_id == run.id, prices.c.store_id != run.store_id)
    ids = sorted(set(connection.execute(other.distinct()).scalars()))
    if ids:
        connection.execute(update(stores).where(stores.c.id.in_(ids)).values(needs_rescraping=True))
    return ids
