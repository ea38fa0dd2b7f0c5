"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, text

from models import arrivals
from models.arrivals import Names
from models.brand_rows import brand_ids
from models.catalogue import Catalogue, Found, Product
from models.category_rows import category_ids
from models.dialect import by_hash, is_postgres, unguessed
from models.learning import learn
from models.retry import retried
from models.run import Run
from splitcart.identity import Listing

_T = TypeVar("_T")

BATCH = 5000
"""Listings a transaction: what bounds the time for which the company's lock is held."""


class Added(NamedTuple):
    """How many listings were made, and whether nobody else has made any of them since they were found to be new."""

    made: int
    whole: bool


def listings_of(connection: Connection, run: Run) -> int:
    """How many listings the company has; also the ordinal of its next."""
    mine = unguessed(connection, "company")
    count = text(f"SELECT coalesce(max(ordinal), -1) + 1 FROM listings WHERE company_id = {mine}")  # noqa: S608
    return int(connection.execute(count, {"company": run.company_id}).scalar_one())


def add(connection: Connection, run: Run, company: str, count: int, listings: int, now: datetime) -> Added:
    """Makes the listings of the `count` skus in publish_arrivals.

    `listings`: how many the company had, at the latest, when those were found to have none.

    On PostgreSQL its transactions do not wait for the log: the publish, which does, follows them in it. A crash that
    loses one ends this connection, and empties the staging, without which nothing is published.
    """
    if not count:
        return Added(0, True)

    def transaction(work: Callable[[], _T]) -> _T:
        def whole() -> _T:
            with connection.begin():
                _lock(connection, run)
                return work()

        return retried(connection.engine, whole, what=f"resolving run {run.id}", on=connection)

    names, made, whole = transaction(lambda: _names(connection, run)), 0, True
    for low in range(1, count + 1, BATCH):
        part = {"run": run.id, "company": run.company_id, "low": low, "high": min(low + BATCH - 1, count)}
        work = partial(_add, connection, run, company, part, names, listings + made, whole, now)
        added, whole = transaction(work)
        made += added
    return Added(made, whole)


def _lock(connection: Connection, run: Run) -> None:
    """Locks the company."""
    later = "set_config('synchronous_commit', 'off', true)" if is_postgres(connection) else "1"
    lock = "FOR UPDATE" if is_postgres(connection) else ""
    sql = f"SELECT {later} FROM companies WHERE id = :company {lock}"  # noqa: S608 fixed text
    connection.execute(text(sql), {"company": run.company_id}).all()


def _names(connection: Connection, run: Run) -> Names:
    """The brands and categories of all arrivals, which never go once they are there; adds what is missing."""
    told = arrivals.texts(connection, run)
    brands = brand_ids(connection, told.brands)
    categories = category_ids(connection, run.company_id, told.shelves)
    paths = {path: found for path, found in categories.items() if path is not None and found is not None}
    return Names.of(connection, brands, paths, told.sizes)


def _add(
    connection: Connection,
    run: Run,
    company: str,
    place: Mapping[str, Any],
    names: Names,
    listings: int,
    whole: bool,
    now: datetime,
) -> Added:
    """What one transaction makes. `listings`: how many the company has where nobody else has added any."""
    first = listings_of(connection, run)
    part = {**place, "first": first}
    count = arrivals.claim(connection, part, checked=whole and first == listings)
    compared = _compare(connection, company, part)
    with by_hash(connection, looks_up=True):
        arrivals.write(connection, part, names, whole=count == part["high"] - part["low"] + 1)
        arrivals.categorise(connection, part, names, compared=bool(compared))
    if compared:
        learn(connection, run, [found for found, _ in compared], [sku for _, sku in compared], now)
    return Added(count, whole and first == listings)


def _compare(connection: Connection, company: str, part: Mapping[str, Any]) -> list[tuple[Found, str]]:
    """What was found of the arrivals that may be products which are there, or one product, with the sku of each."""
    rows = arrivals.to_compare(connection, part)
    if not rows:
        return []
    catalogue = Catalogue((row.gtin for row in rows if row.gtin), (row.normalized_key for row in rows))
    catalogue.load(connection)
    found, places = list[tuple[Found, str]](), list[tuple[int, Product, bool]]()
    for row in rows:
        listing = Listing(company, row.sku, row.name, row.brand, row.size, row.gtin)
        one = catalogue.find(listing, row.normalized_key)
        places.append((row.place, one.product, one.product.id is None))
        if one.product.id is None:
            one.product.id = row.product_id
        found.append((one, row.sku))
    told = [(place, int(product.id or 0), int(is_new), product.gtin) for place, product, is_new in places]
    arrivals.place(connection, told)
    return found
