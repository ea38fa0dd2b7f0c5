"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from models import bulk
from models.brand_rows import brand_ids
from models.category_rows import category_ids
from models.dialect import among, listed, new_ids
from models.identify import Catalogue, Found, size_fields, size_of
from models.learning import learn
from models.retry import retried
from models.run import Run
from models.staged_texts import TEXTS, Row, Staged, staged_texts
from models.tables import companies, listings, product_categories, products
from splitcart import identity
from splitcart.identity import Listing

BATCH = 2000
"""Listings a transaction: what bounds the time for which the company's lock is held, and the memory this takes."""


def add(engine: Engine, run: Run, company: str, new: Sequence[Row], now: datetime) -> int:
    """Makes the listings of new skus; returns how many. `new` is in the order that `staged_texts.read` gives.

    A thread works out the keys of the next batch while the database writes one; it goes no further ahead, so that
    memory follows the batch and not the store.
    """
    made = 0
    with ThreadPoolExecutor(1, thread_name_prefix="keys") as pool:
        waiting: tuple[list[Staged], Future[dict[str, str]]] | None = None
        for start in range(0, len(new) + BATCH, BATCH):
            staged = _read(engine, run, new[start : start + BATCH])
            ready, waiting = waiting, (staged, pool.submit(keys_of, staged))
            if ready is not None:
                made += _add_batch(engine, _Batch(run, company, now, ready[0], ready[1].result()))
    return made


def _read(engine: Engine, run: Run, rows: Sequence[Row]) -> list[Staged]:
    def work() -> list[Staged]:
        with engine.connect() as connection:
            return staged_texts(connection, run, rows)

    return retried(engine, work, what=f"reading run {run.id}") if rows else []


def keys_of(staged: Sequence[Staged]) -> dict[str, str]:
    """The normalized key of each, by sku."""
    return {one.sku: identity.normalized_key(one.brand, one.name, one.size) for one in staged}


@dataclass(frozen=True, slots=True)
class _Batch:
    run: Run
    company: str
    now: datetime
    staged: Sequence[Staged]
    keys: dict[str, str]


def _add_batch(engine: Engine, batch: _Batch) -> int:
    def work() -> int:
        with engine.begin() as connection:
            return _add(connection, batch)

    return retried(engine, work, what=f"resolving run {batch.run.id}")


def _add(connection: Connection, batch: _Batch) -> int:
    """One transaction of `add`."""
    run = batch.run
    lock = select(companies.c.id).where(companies.c.id == run.company_id).with_for_update()
    connection.execute(lock).all()
    fresh = list(_fresh(connection, run, batch.staged))
    if not fresh:
        return 0
    category_id = category_ids(connection, run.company_id, fresh)
    found = identified(connection, batch.company, fresh, batch.keys)
    _insert_listings(connection, run, fresh, found, category_id)
    learn(connection, run, found, [one.sku for one in fresh], batch.now)
    return len(fresh)


def _fresh(connection: Connection, run: Run, batch: Sequence[Staged]) -> Iterator[Staged]:
    """Those that no other run of the company has added since they were read."""
    sql = f"SELECT sku FROM listings WHERE company_id = :company AND {among(connection, 'sku', 'skus')}"  # noqa: S608
    values = {"company": run.company_id, "skus": listed(connection, [one.sku for one in batch])}
    known = set(connection.execute(text(sql), values).scalars())
    return (one for one in batch if one.sku not in known)


def identified(connection: Connection, company: str, staged: Sequence[Staged], keys: Mapping[str, str]) -> list[Found]:
    """The product of each listing, in order; new products and brands are inserted. `keys`: as `keys_of` gives them."""
    catalogue = Catalogue()
    catalogue.load(connection, (one.gtin for one in staged if one.gtin), (keys[one.sku] for one in staged))
    found = [
        catalogue.find(Listing(company, one.sku, one.name, one.brand, one.size, one.gtin), keys[one.sku])
        for one in staged
    ]
    brand_id = brand_ids(connection, [one.brand for one in staged])
    rows = []
    ids = new_ids(connection, "products", len(catalogue.made))
    for product_id, product in zip(ids, catalogue.made, strict=True):
        product.id, first = product_id, product.listings[0]
        size = size_fields(size_of(first.size))
        rows.append((product_id, first.name, brand_id.get(first.brand or ""), product.gtin, *size, product.key))
    names = ("id", "name", "brand_id", "gtin", "size_amount_e3", "size_unit", "size_count", "size_is_approx")
    bulk.insert(connection, products, (*names, "normalized_key"), rows)
    return found


def _insert_listings(
    connection: Connection,
    run: Run,
    fresh: Sequence[Staged],
    found: Sequence[Found],
    category_id: dict[str | None, int | None],
) -> None:
    sql = "SELECT coalesce(max(ordinal), -1) + 1 FROM listings WHERE company_id = :company"
    ordinal = int(connection.execute(text(sql), {"company": run.company_id}).scalar_one())
    rows, pairs = [], set()
    for n, (listing_id, one, its) in enumerate(
        zip(new_ids(connection, "listings", len(fresh)), fresh, found, strict=True), ordinal
    ):
        category = category_id[one.path]
        place = (listing_id, run.company_id, one.sku, n, its.product.id, category)
        rows.append((*place, one.name, one.brand, one.gtin, one.size, one.url, one.image_url))
        if category is not None:
            pairs.add((its.product.id, category))
    names = ("id", "company_id", "sku", "ordinal", "product_id", "category_id")
    bulk.insert(connection, listings, (*names, *TEXTS), rows)
    add_categories(connection, pairs)


def add_categories(connection: Connection, pairs: set[tuple[Any, int]]) -> None:
    """Puts products into categories, those that are there already apart."""
    sql = f"SELECT product_id, category_id FROM product_categories WHERE {among(connection, 'product_id', 'ids')}"  # noqa: S608
    known = connection.execute(text(sql), {"ids": listed(connection, sorted({product for product, _ in pairs}))})
    there = {(row.product_id, row.category_id) for row in known}
    bulk.insert(connection, product_categories, ("product_id", "category_id"), sorted(pairs - there))
