"""Gives every sku of a run its listing, product, brand and category, in short transactions just before publishing.

All of it only adds, in key order and under the company's lock, so that it may be repeated and leaves nothing wrong when
the publish after it fails. Texts of known listings change elsewhere (models.texts).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from models import arrivals
from models.brand_rows import brand_ids
from models.catalogue import Catalogue, Found, Product
from models.category_rows import category_ids
from models.dialect import is_postgres
from models.learning import learn
from models.retry import retried
from models.run import Run
from splitcart.identity import Listing

BATCH = 5000
"""Listings a transaction: what bounds the time for which the company's lock is held."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the transactions before have committed; rows of brands and categories never go."""

    listings: int
    """How many listings the company has where nobody else adds any."""
    whole: bool = True
    """Nobody else has added any since the new skus were found to be new."""
    brands: dict[str, int] = field(default_factory=dict)
    categories: dict[str | None, int | None] = field(default_factory=lambda: {None: None})


def listings_of(connection: Connection, run: Run) -> int:
    """How many listings the company has; also the ordinal of its next."""
    count = text("SELECT coalesce(max(ordinal), -1) + 1 FROM listings WHERE company_id = :company")
    return int(connection.execute(count, {"company": run.company_id}).scalar_one())


def add(connection: Connection, run: Run, company: str, count: int, listings: int, now: datetime) -> int:
    """Makes the listings of the `count` skus in publish_arrivals; returns how many it made.

    `listings`: how many the company had, at the latest, when those were found to have none.

    On PostgreSQL its transactions do not wait for the log: the publish, which does, follows them in it. A crash that
    loses one ends this connection, and empties the staging, without which nothing is published.
    """
    made, known = 0, _Known(listings)
    for low in range(1, count + 1, BATCH):
        high = min(low + BATCH - 1, count)
        part = {"run": run.id, "company": run.company_id, "low": low, "high": high}

        def work(part: Mapping[str, Any] = part, known: _Known = known) -> tuple[int, _Known]:
            with connection.begin():
                return _add(connection, run, company, part, known, now)

        added, known = retried(connection.engine, work, what=f"resolving run {run.id}", on=connection)
        made += added
    return made


def _add(
    connection: Connection, run: Run, company: str, part: Mapping[str, Any], known: _Known, now: datetime
) -> tuple[int, _Known]:
    """How many listings one transaction makes, and what is known once it is committed."""
    later = "set_config('synchronous_commit', 'off', true)" if is_postgres(connection) else "1"
    lock = "FOR UPDATE" if is_postgres(connection) else ""
    connection.execute(text(f"SELECT {later} FROM companies WHERE id = :company {lock}"), part).all()  # noqa: S608
    first = listings_of(connection, run)
    whole = known.whole and first == known.listings
    count = arrivals.claim(connection, part, checked=whole)
    compared = _compare(connection, company, part)
    names = arrivals.distinct(connection, part, "brand")
    brands = brand_ids(connection, names, known.brands)
    paths = arrivals.distinct(connection, part, "path")
    new = [path for path in paths if path not in known.categories]
    shelved = arrivals.shelved(connection, part, new) if new else ()
    categories = category_ids(connection, run.company_id, shelved, known.categories)
    ids = {path: found for path in paths if (found := categories[path]) is not None}
    arrivals.write(connection, part, {name: brands[name] for name in names if name in brands}, ids, first, count)
    arrivals.categorise(connection, part, first, compared=bool(compared))
    if compared:
        learn(connection, run, [found for found, _ in compared], [sku for _, sku in compared], now)
    return count, _Known(first + count, whole, brands, categories)


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
