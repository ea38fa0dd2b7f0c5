"""A store's own last observation is its price row, in any group; sightings record when each line was seen.

Before, a member of a group had rows only for lines at which it differed from its anchor, entries of kind `follows`
recorded that it charged what the anchor charged, and leaving a group wrote the anchor's prices as the store's. Now the
row of a member's line becomes what the store showed at the end of its last complete run that saw the line.
docs/operate.md lists what cannot be recovered; the stores concerned are flagged to be crawled again.
"""

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alembic import op
from sqlalchemy import Connection, bindparam, text

from models.tables.types import UtcDateTime

revision = "0007"
down_revision = "0006"

_REBUILT = ("staged_items", "prices", "price_changes", "price_slots", "store_ranges")
_TERMS = (
    "price_cents",
    "was_price_cents",
    "price_basis",
    "multibuy_quantity",
    "multibuy_total_cents",
    "member_price_cents",
)
_OFFER = (
    *("price_cents", "was_price_cents", "price_basis", "typical_grams", "is_estimated", "unit_price_e4"),
    *("unit_of_measure", "is_on_special", "offer_id", "offer_kind", "multibuy_quantity", "multibuy_total_cents"),
    *("member_price_cents", "channel", "offer_until"),
)
_COPIES = (
    "CREATE TABLE staged_items_before AS SELECT * FROM staged_items",
    "CREATE TABLE prices_before AS SELECT * FROM prices",
    "CREATE TABLE price_changes_before AS SELECT * FROM price_changes",
    "CREATE TABLE price_slots_before AS SELECT * FROM price_slots",
    "CREATE TABLE store_ranges_before AS SELECT * FROM store_ranges",
)
# An entry: the offer that a complete run saw at a store that followed another.
_RECOVERED = """INSERT INTO price_changes (store_id, listing_id, changed_at, price_cents, was_price_cents, price_basis,
        typical_grams, is_estimated, unit_price_e4, unit_of_measure, is_on_special, offer_id, offer_kind,
        multibuy_quantity, multibuy_total_cents, member_price_cents, channel, offer_until, crawl_run_id)
    VALUES (:store, :listing, :at, :price_cents, :was_price_cents, :price_basis, :typical_grams, :is_estimated,
        :unit_price_e4, :unit_of_measure, :is_on_special, :offer_id, :offer_kind, :multibuy_quantity,
        :multibuy_total_cents, :member_price_cents, :channel, :offer_until, :run)
    ON CONFLICT DO NOTHING"""
# Entries with the same terms as the one before them, which joining and leaving a group wrote.
_DROP_REPEATS = """DELETE FROM price_changes WHERE (store_id, listing_id, changed_at) IN (
    SELECT c.store_id, c.listing_id, c.changed_at FROM (
        SELECT store_id, listing_id, changed_at,
            lag(changed_at) OVER (PARTITION BY store_id, listing_id ORDER BY changed_at) AS before_at
        FROM price_changes) c
    JOIN price_changes n ON n.store_id = c.store_id AND n.listing_id = c.listing_id AND n.changed_at = c.changed_at
    JOIN price_changes b ON b.store_id = c.store_id AND b.listing_id = c.listing_id AND b.changed_at = c.before_at
    WHERE (n.price_cents = b.price_cents OR (n.price_cents IS NULL AND b.price_cents IS NULL))
        AND (n.was_price_cents = b.was_price_cents OR (n.was_price_cents IS NULL AND b.was_price_cents IS NULL))
        AND n.price_basis = b.price_basis
        AND (n.multibuy_quantity = b.multibuy_quantity OR (n.multibuy_quantity IS NULL AND b.multibuy_quantity IS NULL))
        AND (n.multibuy_total_cents = b.multibuy_total_cents
            OR (n.multibuy_total_cents IS NULL AND b.multibuy_total_cents IS NULL))
        AND (n.member_price_cents = b.member_price_cents
            OR (n.member_price_cents IS NULL AND b.member_price_cents IS NULL)))"""
_PRICES = """INSERT INTO prices (store_id, listing_id, price_cents, was_price_cents, price_basis, typical_grams,
        is_estimated, unit_price_e4, unit_of_measure, is_on_special, offer_id, offer_kind, multibuy_quantity,
        multibuy_total_cents, member_price_cents, channel, offer_until, changed_at, crawl_run_id)
    SELECT store_id, listing_id, price_cents, was_price_cents, price_basis, typical_grams, is_estimated, unit_price_e4,
        unit_of_measure, is_on_special, offer_id, offer_kind, multibuy_quantity, multibuy_total_cents,
        member_price_cents, channel, offer_until, changed_at, crawl_run_id
    FROM (SELECT c.*, row_number() OVER (PARTITION BY store_id, listing_id ORDER BY changed_at DESC) AS nth
        FROM price_changes c) latest
    WHERE nth = 1 AND price_cents IS NOT NULL"""
# The latest entry of each listing of a store at a time: in the former history, among its entries with a price, and in
# the history as it is now.
_FORMER = """SELECT * FROM (
        SELECT c.*, row_number() OVER (PARTITION BY listing_id ORDER BY changed_at DESC) AS nth
        FROM price_changes_before c WHERE store_id = :store AND changed_at <= :at) latest
    WHERE nth = 1"""
_FORMER_PRICED = """SELECT * FROM (
        SELECT c.*, row_number() OVER (PARTITION BY listing_id ORDER BY changed_at DESC) AS nth
        FROM price_changes_before c WHERE store_id = :store AND changed_at <= :at AND price_cents IS NOT NULL) latest
    WHERE nth = 1"""
_CURRENT = """SELECT * FROM (
        SELECT c.*, row_number() OVER (PARTITION BY listing_id ORDER BY changed_at DESC) AS nth
        FROM price_changes c WHERE store_id = :store AND changed_at <= :at) latest
    WHERE nth = 1"""


def upgrade() -> None:
    connection = op.get_bind()
    _rebuild(connection)
    stores = list(_stores(connection))
    for store in stores:
        if store.followed:
            _recover(connection, store)
    op.execute(_DROP_REPEATS)
    op.execute(_PRICES)
    for store in stores:
        _see(connection, store)
    for table in _REBUILT:
        op.execute(f"DROP TABLE IF EXISTS {table}_before")
    op.execute("DROP TABLE store_vectors")
    op.execute("DELETE FROM group_comparisons")  # of other terms than are compared now


def _rebuild(connection: Connection) -> None:
    for table, copy in zip(_REBUILT, _COPIES, strict=True):
        op.execute(copy)
        op.execute(f"DROP TABLE {table}")
    op.execute("CREATE INDEX ix_before ON price_changes_before (store_id, listing_id, changed_at)")
    for script in (connection.dialect.name, "kept"):
        source = (Path(__file__).parents[1] / "sql" / f"0007.{script}.sql").read_text(encoding="utf-8")
        for statement in source.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


class _Run(NamedTuple):
    id: int
    status: str
    started_at: datetime
    finished_at: datetime


class _Store(NamedTuple):
    id: int
    timezone: str
    weekday: int
    hour: int
    priced: bytes
    periods: list[Any]
    runs: list[_Run]
    """Those that published and were not rolled back, by their end."""

    @property
    def followed(self) -> bool:
        """Whether it ever was a member of another store's group."""
        return any(period.anchor_id != self.id for period in self.periods)

    @property
    def last(self) -> _Run | None:
        return next((run for run in reversed(self.runs) if run.status == "complete"), None)


def _rows(connection: Connection, sql: str, times: tuple[str, ...] = (), **values: Any) -> list[Any]:
    bound = [bindparam(name, type_=UtcDateTime()) for name in ("at",) if name in values]
    statement = text(sql).bindparams(*bound).columns(**{name: UtcDateTime() for name in times})
    return list(connection.execute(statement, values))


def _stores(connection: Connection) -> Iterator[_Store]:
    wanted = """SELECT s.id, s.timezone, c.flip_weekday, c.flip_hour, r.priced FROM stores s
        JOIN companies c ON c.id = s.company_id LEFT JOIN store_ranges_before r ON r.store_id = s.id ORDER BY s.id"""
    periods, runs = defaultdict(list), defaultdict(list)
    for row in _rows(connection, "SELECT * FROM membership_periods ORDER BY store_id, from_at", ("from_at", "to_at")):
        periods[row.store_id].append(row)
    sql = """SELECT store_id, id, status, started_at, finished_at FROM crawl_runs WHERE undo IS NOT NULL
        AND rolled_back_at IS NULL AND store_id IS NOT NULL AND finished_at IS NOT NULL ORDER BY finished_at, id"""
    for row in _rows(connection, sql, ("started_at", "finished_at")):
        runs[row.store_id].append(_Run(row.id, row.status, row.started_at, row.finished_at))
    for row in _rows(connection, wanted):
        shape = (row.timezone, row.flip_weekday, row.flip_hour, bytes(row.priced or b""))
        yield _Store(row.id, *shape, periods[row.id], runs[row.id])


def _seen(connection: Connection, store: _Store) -> dict[int, tuple[int, _Run]]:
    """By listing: its ordinal, and the last complete run that saw it. Only listings that had a price at the store."""
    if store.last is None:
        return {}
    sql = "SELECT listing_id, seen_run_id FROM missing_listings WHERE store_id = :store AND delisted_at IS NULL"
    missing = {row.listing_id: row.seen_run_id for row in _rows(connection, sql, store=store.id)}
    complete = {run.id: run for run in store.runs if run.status == "complete"}
    sql = """SELECT l.id, l.ordinal FROM listings l JOIN stores s ON s.company_id = l.company_id
        WHERE s.id = :store ORDER BY l.id"""
    found = {}
    for listing_id, ordinal in _rows(connection, sql, store=store.id):
        if ordinal >> 3 < len(store.priced) and store.priced[ordinal >> 3] >> (ordinal & 7) & 1:
            run = complete.get(missing[listing_id]) if listing_id in missing else store.last
            if run is not None:
                found[listing_id] = (ordinal, run)
    return found


def _recover(connection: Connection, store: _Store) -> None:
    """Adds to the history of a store that followed others what its last complete runs saw."""
    by_run: dict[_Run, list[int]] = defaultdict(list)
    for listing_id, (_, run) in _seen(connection, store).items():
        by_run[run].append(listing_id)
    for run, listing_ids in by_run.items():
        period = next(
            (p for p in store.periods if p.from_at <= run.finished_at and (not p.to_at or p.to_at > run.finished_at)),
            None,
        )
        if period is None:
            continue
        former = _latest(connection, _FORMER, store.id, run.finished_at)
        anchor_priced = _latest(connection, _FORMER_PRICED, period.anchor_id, run.finished_at)
        current = _latest(connection, _CURRENT, store.id, run.finished_at)
        rows = []
        for listing_id in listing_ids:
            own = former.get(listing_id)
            if own is None or own.price_cents is None:
                continue
            alone = period.anchor_id == store.id or (own.kind == "own" and _time(own.changed_at) >= period.from_at)
            entry = own if alone else anchor_priced.get(listing_id)
            before = current.get(listing_id)
            if entry is not None and (before is None or any(getattr(entry, n) != getattr(before, n) for n in _TERMS)):
                rows.append({name: getattr(entry, name) for name in _OFFER} | {"listing": listing_id})
        if rows:
            statement = text(_RECOVERED).bindparams(bindparam("at", type_=UtcDateTime()))
            key = {"store": store.id, "at": run.finished_at, "run": run.id}
            connection.execute(statement, [row | key for row in rows])


def _time(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _latest(connection: Connection, sql: str, store_id: int, at: datetime) -> dict[int, Any]:
    """The latest entry of each listing at a time."""
    return {row.listing_id: row for row in _rows(connection, sql, store=store_id, at=at)}


_LAYER = struct.Struct("<qiiiI")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _see(connection: Connection, store: _Store) -> None:
    """Writes when the lines of a store were seen, as far as that is known; flags the store if a price is lost."""
    sql = """SELECT l.ordinal, p.crawl_run_id, p.listing_id FROM prices p JOIN listings l ON l.id = p.listing_id
        WHERE p.store_id = :store"""
    priced = _rows(connection, sql, store=store.id)
    seen, runs = _seen(connection, store), {run.id: run for run in store.runs}
    lines: dict[_Run, list[int]] = defaultdict(list)
    for ordinal, run_id, listing_id in priced:
        looks = [seen[listing_id][1]] if listing_id in seen else []
        looks += [runs[run_id]] if run_id in runs else []
        if looks:
            lines[max(looks, key=lambda run: run.finished_at)].append(ordinal)
    for run in store.runs:
        layers = [(run, lines.get(run, []))]
        if run == store.last:
            layers += [(other, held) for other, held in lines.items() if other.finished_at < run.finished_at]
        elif store.last is not None and run.finished_at < store.last.finished_at:
            layers = [(run, [])]
        _write(connection, store, run, layers)
    kept = {row.ordinal for row in priced}
    if any(store.priced[n >> 3] >> (n & 7) & 1 and n not in kept for n in range(8 * len(store.priced))):
        flagged = text("UPDATE stores SET needs_rescraping = :yes WHERE id = :store")
        yes: Any = 1 if connection.dialect.name == "sqlite" else True
        connection.execute(flagged, {"yes": yes, "store": store.id})


def _write(connection: Connection, store: _Store, run: _Run, layers: list[tuple[_Run, list[int]]]) -> None:
    parts = []
    for look, ordinals in layers:
        day, period = _days(store, look.finished_at)
        bits = bytearray((max(ordinals, default=-1) >> 3) + 1)
        for ordinal in ordinals:
            bits[ordinal >> 3] |= 1 << (ordinal & 7)
        micros = (look.finished_at - _EPOCH) // timedelta(microseconds=1)
        parts += [_LAYER.pack(micros, day.toordinal(), period.toordinal(), look.id, len(bits)), bytes(bits)]
    day, period = _days(store, run.finished_at)
    sql = """INSERT INTO sightings (store_id, at, run_id, seen_at, local_day, period, is_complete, lines)
        VALUES (:store, :at, :run, :at, :day, :period, :complete, :lines)"""
    complete: Any = run == store.last
    connection.execute(
        text(sql).bindparams(bindparam("at", type_=UtcDateTime())),
        {
            "store": store.id,
            "at": run.finished_at,
            "run": run.id,
            "day": day.isoformat(),
            "period": period.isoformat(),
            "complete": int(complete) if connection.dialect.name == "sqlite" else complete,
            "lines": zlib.compress(b"".join(parts)),
        },
    )


def _days(store: _Store, when: datetime) -> tuple[date, date]:
    """The local date, and the one on which the specials period began."""
    zone = ZoneInfo(store.timezone)
    local = when.astimezone(zone)
    began = local.date() - timedelta(days=(local.weekday() - store.weekday) % 7)
    if datetime.combine(began, time(store.hour), zone) > when:
        began -= timedelta(days=7)
    return local.date(), began
