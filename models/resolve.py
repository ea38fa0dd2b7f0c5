"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, text

from models import bulk
from models.brand_rows import brand_ids
from models.catalogue import Catalogue, Found, Since
from models.category_rows import add_to_categories, category_ids
from models.dialect import among, listed, newest_id
from models.identify import catalogue_of, identified
from models.learning import learn
from models.retry import retried
from models.run import Run
from models.staged_texts import TEXTS, News, Row, Staged, staged_texts, texts_of
from models.tables import companies, listings, product_categories
from splitcart import identity

BATCH = 1500
"""Listings a transaction: what bounds the time for which the company's lock is held, and the memory this takes."""
FIRST = 500
"""Listings of the first transaction: the database waits for them."""


class _Batch(NamedTuple):
    """Some of the new listings, and what was found out about them before their transaction began."""

    staged: Sequence[Staged]
    keys: Sequence[str]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class _Before:
    """What the transactions before have committed; rows of brands and categories never go."""

    listings: int
    """How many listings the company has where nobody else adds any."""
    brands: dict[str, int] = field(default_factory=dict)
    categories: dict[str | None, int | None] = field(default_factory=lambda: {None: None})
    since: Since | None = None
    """What the latest of them did: the catalogue of the next batch was loaded meanwhile."""


@dataclass(frozen=True, slots=True)
class _Adding:
    engine: Engine
    run: Run
    company: str
    now: datetime


def add(engine: Engine, run: Run, company: str, news: News, now: datetime) -> int:
    """Makes the listings of new skus, in the order that `staged_texts.read` gives; returns how many.

    While the database writes one batch, a thread reads the next, works out its keys and looks up what they mean, on a
    connection of its own; it goes no further ahead, so that memory follows the batch and not the store.
    """
    adding = _Adding(engine, run, company, now)
    before = _Before(news.listings)
    made = 0
    first = min(FIRST, BATCH)
    parts = [news.new[:first], *(news.new[n : n + BATCH] for n in range(first, len(news.new), BATCH))]
    with ThreadPoolExecutor(1, thread_name_prefix="look-up") as pool:
        for batch in _ahead(pool, adding, parts if news.new else []):
            added, before = _add_batch(adding, batch, before)
            made += added
    return made


def _ahead(pool: ThreadPoolExecutor, adding: _Adding, parts: Sequence[Sequence[Row]]) -> Iterator[_Batch]:
    """Each part prepared; the next is being prepared from the moment when one is asked for."""
    waiting = deque[Future[_Batch]]()
    for part in parts:
        waiting.append(pool.submit(_prepared, adding, part))
        if len(waiting) == 2:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _prepared(adding: _Adding, rows: Sequence[Row]) -> _Batch:
    """What staging says of some listings, their normalized keys, and the products that they may be."""

    def work() -> _Batch:
        with adding.engine.connect() as connection:
            staged = staged_texts(connection, adding.run, rows)
            return _looked_up(connection, staged, list(_keys(staged)))

    return retried(adding.engine, work, what=f"reading run {adding.run.id}")


def _looked_up(connection: Connection, staged: Sequence[Staged], keys: Sequence[str]) -> _Batch:
    catalogue = catalogue_of(staged, keys)
    catalogue.load(connection)
    return _Batch(staged, keys, catalogue)


def _keys(staged: Sequence[Staged]) -> Iterator[str]:
    for number, one in enumerate(staged):
        if number % 48 == 0:  # some 0.4 ms
            time.sleep(0)  # The thread that writes would wait 5 ms for the interpreter, and the database for it.
        yield identity.normalized_key(one.brand, one.name, one.size)


def _add_batch(adding: _Adding, batch: _Batch, before: _Before) -> tuple[int, _Before]:
    """How many listings one transaction made, and what is known once it is committed."""
    untried = [batch]

    def work() -> tuple[int, _Before]:
        with adding.engine.begin() as connection:
            lock = select(companies.c.id).where(companies.c.id == adding.run.company_id).with_for_update()
            connection.execute(lock).all()
            sql = f"""SELECT coalesce(max(ordinal), -1) + 1, {newest_id(connection, "products")}
                FROM listings WHERE company_id = :company"""  # noqa: S608 our own name
            count, newest = connection.execute(text(sql), {"company": adding.run.company_id}).one()
            if not untried or count != before.listings or not _still_holds(batch.catalogue, before.since, newest):
                fresh = _fresh(connection, adding, batch)
            else:
                fresh = untried.pop()
                if before.since:
                    fresh.catalogue.renew(connection, before.since)
            return _add(connection, adding, fresh, replace(before, listings=int(count)), int(newest))

    return retried(adding.engine, work, what=f"resolving run {adding.run.id}")


def _still_holds(catalogue: Catalogue, since: Since | None, newest: int) -> bool:
    """Whether nobody but the batch before has added a product since the catalogue was loaded."""
    if since is None:
        return newest == catalogue.newest
    return newest == since.newest and catalogue.newest >= since.began


def _fresh(connection: Connection, adding: _Adding, batch: _Batch) -> _Batch:
    """The batch as it is now: without the listings that another run of the company has added since they were read."""
    sql = f"SELECT sku FROM listings WHERE company_id = :company AND {among(connection, 'sku', 'skus')}"  # noqa: S608
    values = {"company": adding.run.company_id, "skus": listed(connection, [one.sku for one in batch.staged])}
    there = set(connection.execute(text(sql), values).scalars())
    left = [(one, key) for one, key in zip(batch.staged, batch.keys, strict=True) if one.sku not in there]
    return _looked_up(connection, [one for one, _ in left], [key for _, key in left])


def _add(connection: Connection, adding: _Adding, batch: _Batch, before: _Before, newest: int) -> tuple[int, _Before]:
    run, staged = adding.run, batch.staged
    brands = brand_ids(connection, [one.brand for one in staged], before.brands)
    categories = category_ids(connection, run.company_id, staged, before.categories)
    product_id, compared = identified(connection, adding.company, staged, batch.keys, brands, batch.catalogue)
    category_id = [categories[one.path] for one in staged]
    places = enumerate(zip(staged, product_id, category_id, strict=True), before.listings)
    rows = [(run.company_id, one.sku, n, product, category, *texts_of(one)) for n, (one, product, category) in places]
    names = ("company_id", "sku", "ordinal", "product_id", "category_id", *TEXTS)
    bulk.insert(connection, listings, names, rows)
    _categorise(connection, list(zip(product_id, category_id, strict=True)), compared.keys())
    if compared:
        learn(connection, run, list(compared.values()), [staged[place].sku for place in compared], adding.now)
    new = len(staged) - len(compared) + len(batch.catalogue.made)
    since = _since(batch, compared.values(), newest, newest + new)
    return len(rows), _Before(before.listings + len(rows), brands, categories, since)


def _categorise(connection: Connection, pairs: Sequence[tuple[int, int | None]], compared: Collection[int]) -> None:
    """Puts each product into its category, if any; only those that were compared may be there already."""
    alone = [pair for place, pair in enumerate(pairs) if pair[1] is not None and place not in compared]
    bulk.insert(connection, product_categories, ("product_id", "category_id"), sorted(alone))
    if compared:
        found = (pairs[place] for place in compared)
        add_to_categories(connection, {(product, category) for product, category in found if category is not None})


def _since(batch: _Batch, found: Collection[Found], began: int, newest: int) -> Since:
    """What the next batch, which was looked up meanwhile, cannot know."""
    learned = (value for one in found for _, value in one.learned)
    told = batch.catalogue.gtins | batch.catalogue.keys
    return Since(told.union(learned), frozenset(int(one.product.id or 0) for one in found), began, newest)
