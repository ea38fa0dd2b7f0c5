"""Puts back what a published run changed, for the day a mapping lied.

Only what the run itself wrote is taken back: no other store's rows, and no membership, stand on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Row, delete, exists, func, insert, or_, select, union, update

from models.clocks import healing
from models.database import bulk
from models.database.dialect import is_one_of
from models.database.retry import retried
from models.errors import RollbackRefused
from models.lines import fingerprints, slot_marks
from models.products.aliases import delete_aliases_of_run
from models.runs.undo import unpacked
from models.stores.locks import lock_store
from models.tables import (
    crawl_runs,
    listings,
    missing_listings,
    price_changes,
    prices,
    product_categories,
    store_ranges,
    stores,
)
from models.tables.base import OFFER


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback changed, or would change."""

    run_id: int
    store_id: int | None
    """None for a run that is of no single store."""
    history: int
    """Entries of price_changes that were deleted."""
    restored: int
    """Price rows that have their former offer again."""
    removed: int
    """Price rows that the run had added."""
    texts: int
    """Listings whose text is put back; one keeps a text that later runs have agreed on."""
    aliases: int
    """Rows of product_aliases and brand_aliases that the run had added."""
    healed: int = 0
    """Rows with times in the future, left by a wrong clock, that are put right."""


def rollback(engine: Engine, run_id: int, now: datetime, *, dry: bool = False) -> RolledBack:
    """Undoes the publish of a run in one transaction; with `dry` only returns what it would do.

    Listings and products that the run made stay: without prices they are shown nowhere. A run of which no price is
    left, but whose wrong clock left times in the future, is only healed. Raises RollbackRefused when there is nothing
    to put back or to heal, or when later runs of the store depend on what it wrote.
    """

    def work() -> RolledBack:
        with engine.connect() as connection, connection.execution_options(splitcart_writes=True).begin() as transaction:
            done = _heal_alone(connection, run_id, now) or _rollback(connection, run_id, now)
            if dry:
                transaction.rollback()
            return done

    return retried(engine, work, what=f"rolling back run {run_id}")


def _heal_alone(connection: Connection, run_id: int, now: datetime) -> RolledBack | None:
    """What healing did for a run of which no price is left; None where it has nothing to heal."""
    if not healing.is_healable(connection, run_id, now):
        return None
    store_id = connection.execute(select(crawl_runs.c.store_id).where(crawl_runs.c.id == run_id)).scalar()
    healed = healing.heal(connection, run_id, now)
    return RolledBack(run_id, store_id, 0, 0, 0, 0, 0, healed) if healed else None


def _rollback(connection: Connection, run_id: int, now: datetime) -> RolledBack:
    store_id = _store(connection, run_id)
    lock_store(connection, store_id)
    run = connection.execute(select(crawl_runs).where(crawl_runs.c.id == run_id).with_for_update()).one()
    _refuse(connection, run)
    slot_marks.stores(connection, [store_id], now)
    history, restored, removed = _restore_prices(connection, run, now)
    texts = sum(_restore(connection, run, entry, now) for entry in reversed(unpacked(run.undo)))
    connection.execute(update(crawl_runs).where(crawl_runs.c.id == run_id).values(rolled_back_at=now))
    fingerprints.refresh(connection, store_id)
    aliases, healed = delete_aliases_of_run(connection, run_id), healing.heal(connection, run_id, now)
    return RolledBack(run_id, store_id, history, restored, removed, texts, aliases, healed)


def _store(connection: Connection, run_id: int) -> int:
    runs = crawl_runs.c
    found = connection.execute(select(runs.store_id, runs.status).where(runs.id == run_id)).one_or_none()
    if found is None:
        raise RollbackRefused(f"run {run_id} is unknown: the table crawl_runs has every run with its id")
    if found.store_id is None:
        raise RollbackRefused(f"run {run_id} is {found.status} and published nothing: there is nothing to put back")
    return int(found.store_id)


def _refuse(connection: Connection, run: Row[Any]) -> None:
    if run.undo is None:
        raise RollbackRefused(f"run {run.id} ended {run.status} and published nothing: there is nothing to put back")
    if run.status == "running":
        raise RollbackRefused(f"run {run.id} has been resumed until {run.lease_until:%H:%M:%S} UTC: wait for its end")
    if run.rolled_back_at is not None:
        raise RollbackRefused(f"run {run.id} was rolled back at {run.rolled_back_at:%Y-%m-%d %H:%M} UTC already")
    if any("fail_count" not in entry["store"] for entry in unpacked(run.undo)):
        raise RollbackRefused(f"run {run.id} was published under an earlier schema: crawl the store again instead")
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


def _restore_prices(connection: Connection, run: Row[Any], now: datetime) -> tuple[int, int, int]:
    """Deletes the run's entries of the history, and gives each listing that it wrote the row of the entry before."""
    change, row = price_changes.c, prices.c
    of_history = (change.store_id == run.store_id, change.crawl_run_id == run.id)
    wrote = union(
        select(change.listing_id).where(*of_history),
        select(row.listing_id).where(row.store_id == run.store_id, row.crawl_run_id == run.id),
    )
    written = list(connection.execute(wrote).scalars())
    slot_marks.listings(connection, written, now)
    history = connection.execute(delete(price_changes).where(*of_history)).rowcount
    mine = (row.store_id == run.store_id, is_one_of(connection, row.listing_id, written))
    there = connection.execute(delete(prices).where(*mine)).rowcount
    restored = connection.execute(_last_entries(connection, run.store_id, written)).rowcount if written else 0
    return history, restored, max(0, there - restored)


def _last_entries(connection: Connection, store_id: int, listing_ids: Sequence[int]) -> Insert:
    """INSERT of the price rows of the listings of a store whose history ends with a price, by key."""
    change = price_changes.c
    nth = func.row_number().over(partition_by=change.listing_id, order_by=change.changed_at.desc())
    entry = select(price_changes, nth.label("nth")).where(
        change.store_id == store_id, is_one_of(connection, change.listing_id, listing_ids)
    )
    of = entry.subquery("entry").c
    names = ("store_id", "listing_id", *OFFER, "changed_at", "crawl_run_id")
    last = select(*(of[name] for name in names)).where(of.nth == 1, of.price_cents.is_not(None))
    return insert(prices).from_select(names, last.order_by(of.listing_id))


def _restore(connection: Connection, run: Row[Any], entry: dict[str, Any], now: datetime) -> int:
    """Puts back range, absence, texts and the store's row as one publish of the run found them. Returns the texts."""
    _restore_range(connection, run.store_id, entry)
    ids = [row[0] for row in entry.get("missing", [])]
    missing = missing_listings.c
    of_entry = (missing.store_id == run.store_id, is_one_of(connection, missing.listing_id, ids))
    connection.execute(delete(missing_listings).where(*of_entry))
    names = ("store_id", "listing_id", "missing_since", "crawl_run_id", "seen_run_id", "delisted_at")
    back = [(run.store_id, *row) for row in entry.get("missing", []) if row[1] is not None]
    bulk.insert(connection, missing_listings, names, back)
    texts = sum(_restore_text(connection, *row) for row in entry.get("texts", []))
    moved = [changed["product_id"] for _, changed in entry.get("texts", []) if "product_id" in changed]
    slot_marks.products(connection, {product for pair in moved for product in pair}, now)
    _leave_categories(connection, entry.get("product_categories", []))
    _restore_store(connection, run, entry["store"])
    return texts


def _restore_store(connection: Connection, run: Row[Any], before: dict[str, Any]) -> None:
    """Puts the store's row back; where another run has ended since, its count of failures stays."""
    table = crawl_runs.c
    since = select(table.id).where(table.store_id == run.store_id, table.finished_at > run.finished_at)
    counted = connection.execute(since.limit(1)).first() is not None
    values = {name: value for name, value in before.items() if not counted or name not in ("fail_count", "next_try_at")}
    for name in values.keys() & {"last_scraped", "next_try_at", "verified_at"}:
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    connection.execute(update(stores).where(stores.c.id == run.store_id).values(**values))


def _restore_range(connection: Connection, store_id: int, entry: dict[str, Any]) -> None:
    mine = store_ranges.c.store_id == store_id
    if "as_of" not in entry:  # it was the store's first
        connection.execute(delete(store_ranges).where(mine))
        return
    values: dict[str, Any] = {name: bytes.fromhex(entry[name]) for name in ("ranged", "available") if name in entry}
    values["as_of"] = datetime.fromisoformat(entry["as_of"])
    connection.execute(update(store_ranges).where(mine).values(**values))


def _restore_text(connection: Connection, listing_id: int, changed: dict[str, list[Any]]) -> bool:
    """Puts back each column that still holds what the run wrote: another run may have agreed on another text since."""
    row = connection.execute(select(listings).where(listings.c.id == listing_id).with_for_update()).mappings().one()
    times = {name: row[name] and row[name].astimezone().isoformat() for name in ("pending_at",)}
    now = dict(row) | times
    back = {name: was for name, (was, wrote) in changed.items() if _same(name, now[name], wrote)}
    if "pending" in changed or "pending_at" in changed:  # the time belongs to the text
        together = {"pending", "pending_at"} & changed.keys()
        if not together <= back.keys():
            back = {name: was for name, was in back.items() if name not in together}
    if back.get("pending_at"):
        back["pending_at"] = datetime.fromisoformat(back["pending_at"])
    if back:
        connection.execute(update(listings).where(listings.c.id == listing_id).values(**back))
    return bool(back)


def _same(name: str, one: Any, other: Any) -> bool:
    if name == "pending_at" and one and other:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    return bool(one == other)


def _leave_categories(connection: Connection, pairs: Sequence[Sequence[int]]) -> None:
    """Takes products out of the categories that the run put them into, where no listing of theirs is in them now."""
    table = product_categories.c
    for product_id, category_id in pairs:
        there = exists().where(listings.c.product_id == product_id, listings.c.category_id == category_id)
        mine = (table.product_id == product_id, table.category_id == category_id, ~there)
        connection.execute(delete(product_categories).where(*mine))
