"""Staging and publishing 20,000 listings on both databases, against the ceiling of each."""

import asyncio
import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine

from benchmarks.figures import Figure, row
from benchmarks.storage_rows import ceiling, lettered, rows
from models.database import engine as engines
from models.publishing import publish as publishing
from models.publishing.publish import publish
from models.runs import opening
from models.runs.endings import Ending
from models.staging import rows as staged_rows
from models.staging.writer import StagingWriter
from splitcart.identity import matching
from splitcart.runs.verdict import Verdict
from splitcart.sizes import packs
from tests.support.plans import analyse
from tests.support.postgres import Server

LISTINGS = 20_000
OTHERS = 200_000
TURNS = 7
BATCH = 2000
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
COMPLETE = Verdict("complete", "finished", "all", {})


@contextmanager
def database(kind: str, server: Server) -> Iterator[Engine]:
    """A fresh, migrated database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db" if kind == "sqlite" else server.url(server.create_database())
        engine = engines.create(url)
        engines.migrate(engine)
        yield engine
        engine.dispose()


async def stage(engine: Engine, run: opening.Run, items: Iterable[dict[str, Any]]) -> None:
    """Stages rows as fast as they are taken."""
    writer = StagingWriter.of(engine, run, batch=BATCH)
    writer.start()
    for number, item in enumerate(items):
        await writer.put(item)
        if number % 36 == 0:  # a page of the site
            await asyncio.sleep(0)
    await writer.close()


async def stalls(engine: Engine, run: opening.Run, items: Iterable[dict[str, Any]]) -> list[float]:
    """Like `stage`; returns how late each tick of the event loop was, in seconds. Ticking takes time, so the speed is
    measured without it."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - due)

    ticking = asyncio.ensure_future(tick())
    await stage(engine, run, items)
    while not late:  # also where the writer was quick
        await asyncio.sleep(0.001)
    ticking.cancel()
    return late


def crawl(
    engine: Engine,
    items: list[dict[str, Any]],
    day: int,
    store: str = "1",
    slug: str = "woolworths",
    staging: Callable[..., Coroutine[Any, Any, Any]] = stage,
) -> tuple[float, float, Any]:
    """Seconds from the first staged row to the commit, those of them in publish(), and what staging returned."""
    now = START + timedelta(days=day)
    target = opening.Target(slug.title(), slug, store)
    run = opening.open_run(engine, target, spider=slug, now=now, host="bench", pid=1)
    gc.collect()
    began = time.perf_counter()
    outcome = asyncio.run(staging(engine, run, items))
    staged = time.perf_counter()
    publish(engine, run, Ending(verdict=COMPLETE, now=now, answered_for=store, counts={"staged": len(items)}))
    ended = time.perf_counter()
    return ended - began, ended - staged, outcome


def forget() -> None:
    """Empties the caches of parsed texts, as in a new process."""
    for module in (matching, packs, staged_rows):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _ratio(ones: list[float], others: list[float]) -> float:
    """The median of the ratios of each turn: the machine's speed may change from turn to turn."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def measured(kind: str, server: Server) -> Iterator[Figure]:
    """The figures of one database: medians of turns in each of which everything that is compared is measured.

    Every turn has its own listings, because parsed texts are cached. The listings that are published alone are also
    published beside the others.
    """
    firsts, publishes, again, ceilings, crowded, late = [], [], [], [], [], []
    others = rows(OTHERS, first=1_000_000, prefix="Other ")
    with database(kind, server) as crowd:
        for number in range(0, OTHERS, LISTINGS):
            crawl(crowd, others[number : number + LISTINGS], 0, f"other {number}", "coles")
        del others
        if kind == "postgresql":  # as autovacuum would: the planner then knows the others, but not what follows
            analyse(crowd)
        for turn in range(TURNS):
            items = rows(LISTINGS, first=2_000_000 + turn * LISTINGS, prefix=f"{lettered(turn)} ")
            if turn % 2:
                crowded.append(crawl(crowd, items, 0, "1", f"company{turn}")[0])
                forget()
            with database(kind, server) as engine:
                first, published, _ = crawl(engine, items, 0)
                firsts.append(first)
                publishes.append(published)
                ceilings.append(ceiling(engine, BATCH))  # before the next run: it writes what the first run wrote
                _, unchanged, stalled = crawl(engine, items, 1, staging=stalls)
                again.append(unchanged)
                late += stalled
            if not turn % 2:
                forget()
                crowded.append(crawl(crowd, items, 0, "1", f"company{turn}")[0])
    first = statistics.median(firsts)
    against, share = f"ceiling {statistics.median(ceilings):.2f} s", _ratio(ceilings, firsts)
    yield row(f"publish: first run of {LISTINGS:,} on {kind}", first, "s", against, share, ">= 0.3", share >= 0.3)
    against, ratio = f"publishing it first {statistics.median(publishes):.2f} s", _ratio(publishes, again)
    yield row(f"publish: unchanged store on {kind}", statistics.median(again), "s", against, ratio, ">= 3", ratio >= 3)
    against, grown = f"alone {first:.2f} s", _ratio(crowded, firsts)
    name = f"publish: beside {OTHERS:,} others on {kind}"
    yield row(name, statistics.median(crowded), "s", against, grown, "<= 1.1", grown <= 1.1)
    p99 = sorted(late)[int(0.99 * (len(late) - 1))] * 1000
    yield row(f"publish: event-loop stall p99 on {kind}", p99, "ms", "", None, "< 20 ms", p99 < 20)


def memory(kind: str, server: Server, items: list[dict[str, Any]]) -> Figure:
    """How much more memory five times the rows take."""
    with database(kind, server) as engine:
        target = opening.Target("Woolworths", "woolworths", "1")
        run = opening.open_run(engine, target, spider="woolworths", now=START, host="bench", pid=1)
        for _ in range(2):  # the page cache of SQLite fills once
            asyncio.run(stage(engine, run, items))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(5):
            asyncio.run(stage(engine, run, items))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return row(
        f"publish: memory of staging 5 times the rows on {kind}", grown, "MB more", "", None, "< 10 MB", grown < 10
    )


def crowd(server: Server, items: list[dict[str, Any]]) -> Figure:
    """Eight stores of one company publish at once; how long each waits for its locks."""
    waits: list[float] = []
    real = publishing.lock_store

    def timed(connection: Connection, store_id: int) -> None:
        began = time.perf_counter()
        real(connection, store_id)
        waits.append((time.perf_counter() - began) * 1000)

    with database("postgresql", server) as engine:
        crawl(engine, items, 0, "known")
        with patch.object(publishing, "lock_store", timed), ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda store: crawl(engine, items, 1, str(store)), range(8)))
    p95 = sorted(waits)[int(0.95 * (len(waits) - 1))]
    against = f"{len(waits)} tries for 8 publishes"
    return row(
        "publish: p95 lock wait of 8 stores at once",
        p95,
        "ms",
        against,
        None,
        "< 200 ms",
        p95 < 200 and len(waits) == 8,
    )


def run() -> Iterable[Figure]:
    """All figures of both databases."""
    items = rows(LISTINGS)
    with Server(fsync="on", synchronous_commit="on", full_page_writes="on") as server:
        for kind in ("sqlite", "postgresql"):
            yield memory(kind, server, items)
            yield from measured(kind, server)
        yield crowd(server, items[:5000])
