"""Chains for the benchmarks of grouping: known zones, drawn by seed, as codes in memory or as rows in PostgreSQL."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, text

from models.database import engine as engines
from models.groups.merging import Merger
from models.groups.reading import named_companies
from models.lines import fingerprints, sightings
from models.lines.sightings import Layer, Look
from splitcart.grouping.columns import Codes, Ints
from splitcart.grouping.rules import Rules
from splitcart.periods import Flip
from tests.support.postgres import Server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SEED = 1


def chain(stores: int, listings: int, zones: int, *, local: float = 0.3, noise: float = 0.004) -> tuple[Codes, Ints]:
    """(codes, zone of each store): stores x listings prices in cents, 0 where not ranged.

    `local` of the lines are priced by zone, `noise` of a store's lines differently from its zone. Every fourth store
    ranges all lines, the others 60 to 100%: mostly the popular ones, as in real chains.
    """
    rng = np.random.default_rng(SEED)
    base = rng.integers(100, 3000, listings)
    moved = base * rng.uniform(0.7, 1.3, (zones, listings))
    priced = np.where(rng.random(listings) < local, moved, base).astype(np.uint32)
    zone = rng.permutation(np.arange(stores) % zones)
    codes = priced[zone]
    popular = rng.random(listings)
    widths = np.where(rng.random(stores) < 0.25, 1.1, rng.uniform(0.6, 1.0, stores))
    for row, width in zip(codes, widths, strict=True):
        at = rng.choice(listings, round(noise * listings), replace=False)
        row[at] += rng.integers(1, 50, len(at)).astype(np.uint32)
        row[0.85 * popular + 0.15 * rng.random(listings) >= width] = 0
    return codes, zone


def lay(engine: Engine, codes: Codes) -> int:
    """Writes the chain as rows of stores that were all crawled at NOW, each in a group of its own. The company's id."""
    with engine.begin() as connection:
        company = connection.execute(text("INSERT INTO companies (name, slug) VALUES ('Bench', 'bench') RETURNING id"))
        company_id = int(company.scalar_one())
        _lay_listings(connection, company_id, codes.shape[1])
        _lay_stores(connection, company_id, codes)
        _lay_prices(connection, codes)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) prices"))
    return company_id


def _lay_listings(connection: Connection, company_id: int, count: int) -> None:
    values = {"n": count, "company": company_id}
    connection.execute(
        text(
            "INSERT INTO products (id, name, normalized_key) SELECT i, 'p' || i, 'k' || i FROM generate_series(1, :n) i"
        ),
        values,
    )
    sql = """INSERT INTO listings (id, company_id, sku, ordinal, product_id, name)
        SELECT i, :company, 's' || i, i - 1, i, 'p' || i FROM generate_series(1, :n) i"""
    connection.execute(text(sql), values)


def _lay_stores(connection: Connection, company_id: int, codes: Codes) -> None:
    count = len(codes)
    values = {"n": count, "company": company_id, "now": NOW}
    for sql in (
        """INSERT INTO stores (id, company_id, store_code, store_name, last_scraped)
            SELECT i, :company, i::text, 'Store ' || i, :now FROM generate_series(1, :n) i""",
        """INSERT INTO crawl_runs
            (id, company_id, store_code, store_id, spider, host, pid, started_at, finished_at, status, undo)
            SELECT i, :company, i::text, i, 'bench', 'bench', 1, :now, :now, 'complete', ''
            FROM generate_series(1, :n) i""",
        "INSERT INTO store_groups (id, company_id, anchor_id) SELECT i, :company, i FROM generate_series(1, :n) i",
        "INSERT INTO store_group_memberships (store_id, group_id) SELECT i, i FROM generate_series(1, :n) i",
        """INSERT INTO membership_periods (store_id, from_at, group_id, anchor_id)
            SELECT i, :now, i, i FROM generate_series(1, :n) i""",
        "SELECT setval(pg_get_serial_sequence('store_groups', 'id'), :n)",
    ):
        connection.execute(text(sql), values)
    rows = [_range(number, row) for number, row in enumerate(codes, 1)]
    sql = "INSERT INTO store_ranges (store_id, ranged, available, as_of) VALUES (:store, :bits, :bits, :now)"
    connection.execute(text(sql), rows)
    for number, row in enumerate(codes, 1):
        look = Look(sightings.sighting(Flip(), "Australia/Sydney", NOW), number)
        sightings.write(connection, number, NOW, [Layer(look, row != 0)], complete=True)


def _range(number: int, row: Codes) -> dict[str, Any]:
    return {"store": number, "bits": np.packbits(row != 0, bitorder="little").tobytes(), "now": NOW}


def _lay_prices(connection: Connection, codes: Codes) -> None:
    names = "store_id, listing_id, price_cents, price_basis, is_estimated, is_on_special, changed_at, crawl_run_id"
    cursor: Any = connection.connection.cursor()
    now = NOW.isoformat()
    for number, row in enumerate(codes, 1):
        lines = "".join(
            f"{number}\t{i + 1}\t{row[i]}\teach\tf\tf\t{now}\t{number}\n" for i in np.flatnonzero(row).tolist()
        )
        cursor.copy_expert(f"COPY prices ({names}) FROM STDIN", io.StringIO(lines))
    cursor.close()


def make_fingerprints(engine: Engine, stores: int) -> None:
    """Computes each store's fingerprint, as publishing does."""
    with engine.begin() as connection:
        for store_id in range(1, stores + 1):
            fingerprints.refresh(connection, store_id)


def merger(engine: Engine) -> Merger:
    """A merger of the chain's groups, an hour after its crawls."""
    with engine.connect() as connection:
        company = named_companies(connection, "bench")[0]
    return Merger(engine, company, Rules(), lambda: NOW + timedelta(hours=1))


@contextmanager
def grouped(stores: int, listings: int, zones: int) -> Iterator[Engine]:
    """A chain in a PostgreSQL database of its own (on the server that the tests start), grouped and analysed."""
    with Server() as server:
        engine = engines.create(server.url(server.create_database()))
        engines.migrate(engine)
        codes, _ = chain(stores, listings, zones)
        lay(engine, codes)
        make_fingerprints(engine, stores)
        merger(engine).run()
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        yield engine
        engine.dispose()
