"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, select, text

from models import bulk
from models.brand_rows import brand_ids
from models.category_rows import add_to_categories, category_ids
from models.dialect import among, listed
from models.identify import identified
from models.learning import learn
from models.retry import retried
from models.run import Run
from models.staged_texts import TEXTS, News, Row, Staged, staged_texts, texts_of
from models.tables import companies, listings, product_categories
from splitcart import identity

BATCH = 1500
"""Listings a transaction: what bounds the time for which the company's lock is held, and the memory this takes."""


@dataclass(slots=True)
class _Known:
    """Ids that earlier batches have committed; rows of brands and categories never go."""

    brands: dict[str, int] = field(default_factory=dict)
    categories: dict[str | None, int | None] = field(default_factory=lambda: {None: None})


@dataclass(frozen=True, slots=True)
class _Batch:
    run: Run
    company: str
    now: datetime
    staged: Sequence[Staged]
    keys: Sequence[str]
    expected: int
    """How many listings the company has where nobody else has added any since the news were read."""
    known: _Known


def add(engine: Engine, run: Run, company: str, news: News, now: datetime) -> int:
    """Makes the listings of new skus, in the order that `staged_texts.read` gives; returns how many.

    A thread reads the next batch and works out its keys while the database writes one; it goes no further ahead, so
    that memory follows the batch and not the store.
    """
    new, made, known = news.new, 0, _Known()
    with ThreadPoolExecutor(1, thread_name_prefix="keys") as pool:
        waiting = pool.submit(_prepared, engine, run, new[:BATCH])
        for start in range(BATCH, len(new) + BATCH, BATCH):
            ready, waiting = waiting, pool.submit(_prepared, engine, run, new[start : start + BATCH])
            batch = _Batch(run, company, now, *ready.result(), news.listings + made, known)
            added, known = _add_batch(engine, batch)
            made += added
    return made


def _prepared(engine: Engine, run: Run, rows: Sequence[Row]) -> tuple[list[Staged], list[str]]:
    """What staging says of one batch, and its normalized keys."""

    def work() -> list[Staged]:
        with engine.connect() as connection:
            return staged_texts(connection, run, rows)

    staged = retried(engine, work, what=f"reading run {run.id}") if rows else []
    return staged, list(_keys(staged))


def _keys(staged: Sequence[Staged]) -> Iterator[str]:
    for number, one in enumerate(staged):
        if number % 16 == 0:
            time.sleep(0)  # The thread that writes would wait 5 ms for the interpreter, and the database for it.
        yield identity.normalized_key(one.brand, one.name, one.size)


def _add_batch(engine: Engine, batch: _Batch) -> tuple[int, _Known]:
    """How many listings one transaction made, and the ids that are known once it is committed."""

    def work() -> tuple[int, _Known]:
        with engine.begin() as connection:
            lock = select(companies.c.id).where(companies.c.id == batch.run.company_id).with_for_update()
            connection.execute(lock).all()
            sql = "SELECT coalesce(max(ordinal), -1) + 1 FROM listings WHERE company_id = :company"
            count = int(connection.execute(text(sql), {"company": batch.run.company_id}).scalar_one())
            fresh = batch if count == batch.expected else _fresh(connection, batch)
            return _add(connection, fresh, count) if fresh.staged else (0, batch.known)

    return retried(engine, work, what=f"resolving run {batch.run.id}")


def _fresh(connection: Connection, batch: _Batch) -> _Batch:
    """The batch without those that another run of the company has added since they were read."""
    sql = f"SELECT sku FROM listings WHERE company_id = :company AND {among(connection, 'sku', 'skus')}"  # noqa: S608
    values = {"company": batch.run.company_id, "skus": listed(connection, [one.sku for one in batch.staged])}
    there = set(connection.execute(text(sql), values).scalars())
    places = [place for place, one in enumerate(batch.staged) if one.sku not in there]
    return replace(
        batch, staged=[batch.staged[place] for place in places], keys=[batch.keys[place] for place in places]
    )


def _add(connection: Connection, batch: _Batch, ordinal: int) -> tuple[int, _Known]:
    run, staged = batch.run, batch.staged
    brands = brand_ids(connection, [one.brand for one in staged], batch.known.brands)
    categories = category_ids(connection, run.company_id, staged, batch.known.categories)
    product_id, compared = identified(connection, batch.company, staged, batch.keys, brands)
    rows = [
        (run.company_id, one.sku, n, product, categories[one.path], *texts_of(one))
        for n, (one, product) in enumerate(zip(staged, product_id, strict=True), ordinal)
    ]
    names = ("company_id", "sku", "ordinal", "product_id", "category_id", *TEXTS)
    bulk.insert(connection, listings, names, rows)
    pairs = {place: (row[3], row[4]) for place, row in enumerate(rows) if row[4] is not None}
    alone = sorted(pair for place, pair in pairs.items() if place not in compared)
    bulk.insert(connection, product_categories, ("product_id", "category_id"), alone)
    if compared:
        add_to_categories(connection, {pairs[place] for place in compared if place in pairs})
        learn(connection, run, list(compared.values()), [staged[place].sku for place in compared], batch.now)
    return len(rows), _Known(brands, categories)
