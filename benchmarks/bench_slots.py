"""What building the price slots costs, compared with copying the same rows out and into an equal table."""

import io
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.figures import Figure, row, timed
from benchmarks.group_worlds import grouped
from models.slots.building import build

STORES, LISTINGS, ZONES = 200, 20_000, 20


def copied(engine: Engine) -> float:
    """Seconds to copy the slots out and into an empty table with the same columns, checks and indexes."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS slots_copy"))
        connection.execute(text("CREATE TABLE slots_copy (LIKE price_slots INCLUDING ALL)"))
    began = time.perf_counter()
    with engine.begin() as connection:
        sink, cursor = io.BytesIO(), _cursor(connection)
        cursor.copy_expert("COPY price_slots TO STDOUT", sink)
        sink.seek(0)
        cursor.copy_expert("COPY slots_copy FROM STDIN", sink)
    return time.perf_counter() - began


def _cursor(connection: Any) -> Any:
    return connection.connection.cursor()


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def run() -> Iterator[Figure]:
    """The rows; needs a PostgreSQL server (the one that the tests start)."""
    with grouped(STORES, LISTINGS, ZONES) as engine:
        everything, built = timed(lambda: build(engine, everything=True), 2)
        plain = min(copied(engine) for _ in range(2))
        slots, prices = count(engine, "price_slots"), count(engine, "prices")
        name = f"slots: {LISTINGS:,} products x {STORES} stores in {ZONES} groups"
        against = f"copying {slots:,} rows: {plain:.2f} s"
        yield row(
            f"{name}, built whole", everything, "s", against, everything / plain, "at most 3", everything <= 3 * plain
        )
        again, _ = timed(lambda: build(engine), 2)
        yield row(f"{name}, nothing changed", again, "s", "", None, "under 2 s", again < 2)
        share, holds = slots / prices, built.rows == slots <= prices
        yield row(f"{name}, rows", share, "of prices", f"{prices:,} price rows", share, "at most 1", holds)
