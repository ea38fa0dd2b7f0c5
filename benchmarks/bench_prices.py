"""What reading effective prices costs, compared with plainly reading the same rows; and that its memory is flat."""

import resource
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Engine, select

from benchmarks.figures import Figure, row, timed
from benchmarks.group_worlds import NOW, grouped
from models.prices.effective import ROW
from models.prices.queries import effective_prices
from models.tables import prices

STORES, LISTINGS, ZONES = 40, 25_000, 6


def plain(engine: Engine) -> int:
    """Reads the same columns of every price row, streamed."""
    wanted = select(prices.c.store_id, prices.c.listing_id, *(prices.c[name] for name in ROW))
    wanted = wanted.order_by(prices.c.store_id, prices.c.listing_id)
    with engine.connect() as connection:
        streamed = connection.execute(wanted.execution_options(stream_results=True, yield_per=2000))
        return sum(1 for one in streamed if one.price_cents is not None)


def effective(engine: Engine) -> int:
    with engine.connect() as connection:
        found = effective_prices(connection, range(1, STORES + 1), NOW + timedelta(hours=2))
        return sum(1 for one in found if one.price_cents is not None)


def peak() -> float:
    """Megabytes of memory that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run() -> Iterator[Figure]:
    """The rows; needs a PostgreSQL server (the one that the tests start)."""
    with grouped(STORES, LISTINGS, ZONES) as engine:
        plain(engine)
        reading, rows = timed(lambda: plain(engine), 2)
        began = peak()
        seconds, found = timed(lambda: effective(engine), 2)
        name = f"prices: effective, {STORES} x {LISTINGS:,} on PostgreSQL"
        against = f"reading {rows:,} rows plainly: {reading:.2f} s"
        holds = seconds <= 3 * reading and found == rows
        yield row(name, seconds, "s", against, seconds / reading, "at most 3", holds)
        grown = peak() - began
        yield row(f"{name}, memory grown", grown, "MB", "", None, "under 100", grown < 100)
