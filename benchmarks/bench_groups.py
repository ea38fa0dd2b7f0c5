"""What grouping costs: in memory, as stores grow, and end to end on PostgreSQL, compared with a loop over all pairs."""

import hashlib
import io
import resource
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from benchmarks.figures import Figure, row, timed
from benchmarks.group_worlds import NOW, chain, lay, make_fingerprints, merger
from models.database import engine as engines
from splitcart.grouping.columns import Codes
from splitcart.grouping.memory import Comparer
from splitcart.grouping.plan import Plan, plan
from splitcart.grouping.rules import Rules, Store
from tests.support.postgres import Server

STORES, LISTINGS = 300, 10_000
ANCHORS, ANCHOR_LISTINGS = 400, 25_000
"""The anchors of the largest company, some time after its first merge."""


def in_memory(codes: Codes) -> Plan:
    """Groups from codes alone, fingerprints included."""
    prints = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in codes]
    lines = [int(np.count_nonzero(row)) for row in codes]
    stores = [Store(store_code=str(i), anchor=str(i), complete_at=NOW) for i in range(len(codes))]
    everyone = list(range(len(codes)))

    def load(numbers: Iterable[int]) -> Codes:
        return codes if numbers == everyone else codes[list(numbers)]

    comparer = Comparer(prints, lines, codes.shape[1], load, Rules())
    return plan(stores, Rules(), NOW, lambda _: comparer)


def pairwise(codes: Codes) -> float:
    """Seconds for each pair, by a plain loop over dictionaries."""
    lines = [{i: p for i, p in enumerate(row.tolist()) if p} for row in codes]
    began, pairs = time.process_time(), 0
    for one in range(len(lines)):
        for two in range(one):
            common = lines[one].keys() & lines[two].keys()
            sum(lines[one][k] == lines[two][k] for k in common)
            pairs += 1
    return (time.process_time() - began) / pairs


def memory_rows() -> Iterator[Figure]:
    codes, _ = chain(8, 20_000, 4)
    a_pair = pairwise(codes)
    every = a_pair * 2000 * 1999 / 2
    for zones, most in ((40, 1.0), (400, 3.0)):
        codes, _ = chain(2000, 20_000, zones)
        seconds, found = timed(partial(in_memory, codes), clock=time.process_time)
        name, aim = f"groups: 2,000 x 20,000, {zones} zones", f"under {most:.0f} s"
        against = f"plain loop over pairs: {every:,.0f} s (28 pairs measured)"
        holds = seconds < most and found.groups_after == zones
        yield row(name, seconds, "CPU s", against, seconds / every, aim, holds)


def growth_row() -> Figure:
    counts, zones = (500, 1000, 2000, 4000), 40
    chains = [chain(n, 10_000, zones)[0] for n in counts]
    times = [timed(partial(in_memory, codes), clock=time.process_time)[0] for codes in chains]
    exponent = float(np.polyfit(np.log(counts), np.log(times), 1)[0])
    name = "groups: growth with stores, 40 zones (exponent)"
    return row(name, exponent, "", "2 for pairs", exponent / 2, "at most 1.2", exponent <= 1.2)


def rows_read(engine: Engine) -> int:
    """Price rows that the server has read so far, by its own statistics."""
    sql = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'prices'"
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return int(connection.execute(text(sql)).scalar_one())


def read_once(engine: Engine) -> int:
    """Reads every price row's compared columns by COPY and drops them: the cheapest way to read them."""
    sink = io.BytesIO()
    columns = "store_id, listing_id, price_cents, was_price_cents, multibuy_quantity, multibuy_total_cents"
    with engine.connect() as connection:
        cursor: Any = connection.connection.cursor()
        cursor.copy_expert(f"COPY prices ({columns}) TO STDOUT", sink)
    return sink.tell()


def database_rows(engine: Engine) -> Iterator[Figure]:
    codes, _ = chain(STORES, LISTINGS, 10)
    lay(engine, codes)
    make_fingerprints(engine, STORES)
    reading, _ = timed(lambda: read_once(engine))
    against = f"reading the rows once: {reading:.2f} s"
    what = f"groups: {STORES} x {LISTINGS:,} on PostgreSQL"
    deciding, _ = timed(lambda: merger(engine).run(dry_run=True), 2)
    yield row(f"{what}, decided from price rows", deciding, "s", against, deciding / reading, "", None)
    writing, summary = timed(lambda: merger(engine).run(), 1)
    holds = writing < 5 and summary.groups_after == 10
    yield row(f"{what}, decided and written", writing, "s", against, writing / reading, "under 5 s", holds)
    before = rows_read(engine)
    again, _ = timed(lambda: merger(engine).run())
    holds = rows_read(engine) == before
    yield row(f"{what}, nothing changed", again, "s", against, again / reading, "no price rows read", holds)
    more = (ANCHORS * ANCHOR_LISTINGS) / (STORES * LISTINGS)
    name = f"groups: {ANCHORS} x {ANCHOR_LISTINGS:,}, extrapolated"
    yield row(name, writing * more, "s", f"{STORES} x {LISTINGS:,}", more, "under 30 s", writing * more < 30)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield row(f"{what}, memory of this process", peak, "GB", "", None, "", None)


def run() -> Iterator[Figure]:
    """The rows; needs a PostgreSQL server (the one that the tests start)."""
    yield from memory_rows()
    yield growth_row()
    with Server() as server:
        engine = engines.create(server.url(server.create_database()))
        engines.migrate(engine)
        yield from database_rows(engine)
        engine.dispose()
