"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from models import bulk
from models.brand_rows import brand_ids
from models.category_rows import category_ids
from models.dialect import among, is_postgres, listed, new_ids
from models.identify import Catalogue, Found, size_fields, size_of
from models.learning import learn
from models.offers import chosen
from models.retry import retried
from models.run import Run
from models.tables import companies, listings, product_categories, products
from splitcart import identity
from splitcart.identity import Listing

BATCH = 2500
"""Listings a transaction: what bounds the time for which the company's lock is held."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What a run says of one sku, prices apart."""

    sku: str
    name: str
    brand: str | None
    gtin: str | None
    size: str | None
    url: str | None
    image_url: str | None
    path: str | None
    category_key: str | None
    is_promo: bool


TEXTS = ("name", "brand", "gtin", "size", "url", "image_url")


@dataclass(frozen=True, slots=True)
class Told:
    """A known listing of which a run says other things than the database does, or of which another text is pending."""

    listing_id: int
    staged: Staged


def read(engine: Engine, run: Run) -> tuple[list[Staged], list[Told]]:
    """Skus without a listing, and listings told otherwise; both empty for most runs. One query."""
    with engine.connect() as connection:
        operator = "IS DISTINCT FROM" if is_postgres(connection) else "IS NOT"
        differ = " OR ".join(f"(s.{name} IS NOT NULL AND s.{name} {operator} l.{name})" for name in TEXTS)
        sql = f"""
            WITH chosen AS ({chosen(connection)})
            SELECT l.id, s.sku, {", ".join(f"s.{name}" for name in TEXTS)}, c.category_path, c.category_key, c.is_promo
            FROM chosen JOIN staged_items s ON s.run_id = :run AND s.seq = chosen.seq
            LEFT JOIN staged_items c ON c.run_id = :run AND c.seq = chosen.category_seq
            LEFT JOIN listings l ON l.company_id = :company AND l.sku = chosen.sku
            LEFT JOIN categories k ON k.id = l.category_id
            WHERE l.id IS NULL OR l.pending IS NOT NULL OR {differ}
                OR (c.category_path IS NOT NULL AND c.category_path {operator} k.path)"""  # noqa: S608 fixed text
        rows = connection.execute(text(sql), {"run": run.id, "company": run.company_id}).all()
    new = [Staged(*row[1:]) for row in rows if row[0] is None]
    told = [Told(row[0], Staged(*row[1:])) for row in rows if row[0] is not None]
    return new, sorted(told, key=lambda one: one.listing_id)


def add(engine: Engine, run: Run, company: str, new: Sequence[Staged], now: datetime) -> int:
    """Makes the listings of new skus; returns how many. The result does not depend on the order of `new`.

    Keys are worked out by a thread while the database writes the batch before.
    """
    ordered = sorted(new, key=lambda one: (one.gtin is None, one.gtin or "", one.sku))
    batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    made = 0
    with ThreadPoolExecutor(1, thread_name_prefix="keys") as pool:
        coming = [pool.submit(keys_of, batch) for batch in batches]
        for batch, keys in zip(batches, coming, strict=True):
            made += _add_batch(engine, _Batch(run, company, now, batch, keys.result()))
    return made


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
