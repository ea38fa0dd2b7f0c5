"""How fast many processes take the stores of one company, on both databases; each store goes to exactly one of them."""

import tempfile
from collections.abc import Iterator

from sqlalchemy import text

from benchmarks.figures import Figure, row
from models.database import engine as engines
from tests.support.postgres import Server
from tests.support.schedules import company_of, timed_takings

STORES, DEADLINE = 2_000, 1_800
PROCESSES = {"PostgreSQL": 16, "SQLite": 8}


def takings(url: str, name: str, processes: int) -> Figure:
    """The row of one database: a fresh one, with STORES stores that were never crawled."""
    engine = engines.create(url)
    engines.migrate(engine)
    codes = [str(number) for number in range(STORES)]
    company_of(engine, codes)
    if name == "PostgreSQL":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    engine.dispose()
    seconds, results = timed_takings(url, processes, deadline=DEADLINE)
    taken = [store for stores, _ in results for store, _ in stores]
    once = sorted(taken) == sorted(codes)
    shares = sorted(len(stores) for stores, _ in results)
    against = f"{shares[0]} to {shares[-1]} for each process"
    label = f"schedule: {STORES:,} stores taken by {processes} processes, {name}"
    return row(label, STORES / seconds, "takes/s", against, None, "each exactly once", once)


def run() -> Iterator[Figure]:
    """The rows; needs a PostgreSQL server (the one that the tests start)."""
    with Server() as server:
        yield takings(server.url(server.create_database()), "PostgreSQL", PROCESSES["PostgreSQL"])
    with tempfile.TemporaryDirectory() as folder:
        yield takings(f"sqlite:///{folder}/splitcart.db", "SQLite", PROCESSES["SQLite"])
