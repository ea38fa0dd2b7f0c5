"""Writes a chain into a database at once, as if each store had been crawled alone."""

from datetime import datetime

import numpy as np
from sqlalchemy import Engine, insert, select

from models.lines import fingerprints, sightings
from models.lines.sightings import Layer, Look
from models.runs.undo import packed
from models.tables import (
    companies,
    crawl_runs,
    listings,
    membership_periods,
    price_changes,
    prices,
    products,
    store_group_memberships,
    store_groups,
    store_ranges,
    stores,
)
from splitcart.periods import Flip


def lay(engine: Engine, slug: str, columns, at: datetime, *, timezones=("Australia/Sydney",)) -> dict[str, int]:
    """Stores of prices_array's columns (ids, skus, price, was, quantity, total), -1 for none. Their ids by code."""
    ids, skus, *tables = columns
    with engine.begin() as connection:
        company = connection.execute(insert(companies).values(name=slug.title(), slug=slug).returning(companies.c.id))
        company_id = company.scalar_one()
        connection.execute(insert(products), [{"name": s, "normalized_key": f"{slug}|{s}"} for s in skus])
        keys = select(products.c.normalized_key, products.c.id).where(products.c.normalized_key.like(f"{slug}|%"))
        known = dict(connection.execute(keys).all())
        rows = [
            {"company_id": company_id, "sku": s, "ordinal": i, "product_id": known[f"{slug}|{s}"], "name": s}
            for i, s in enumerate(skus)
        ]
        connection.execute(insert(listings), rows)
        wanted = select(listings.c.id).where(listings.c.company_id == company_id).order_by(listings.c.ordinal)
        listing_ids = list(connection.execute(wanted).scalars())
        found = {}
        for number, store in enumerate(ids):
            timezone = timezones[number % len(timezones)]
            line = [table[number] for table in tables]
            found[store] = _store(connection, company_id, slug, store, timezone, listing_ids, line, at)
        for store_id in found.values():
            fingerprints.refresh(connection, store_id)
    return found


def _store(connection, company_id, slug, store, timezone, listing_ids, line, at) -> int:
    values = {"company_id": company_id, "store_code": store, "store_name": store, "timezone": timezone}
    made = connection.execute(insert(stores).values(**values, last_scraped=at).returning(stores.c.id))
    store_id = made.scalar_one()
    run = {"company_id": company_id, "store_code": store, "store_id": store_id, "spider": slug, "host": "h", "pid": 1}
    run |= {"started_at": at, "finished_at": at, "status": "complete", "undo": packed([])}
    run_id = connection.execute(insert(crawl_runs).values(**run).returning(crawl_runs.c.id)).scalar_one()
    group = insert(store_groups).values(company_id=company_id, anchor_id=store_id).returning(store_groups.c.id)
    group_id = connection.execute(group).scalar_one()
    connection.execute(insert(store_group_memberships).values(store_id=store_id, group_id=group_id))
    period = {"store_id": store_id, "from_at": at, "group_id": group_id, "anchor_id": store_id}
    connection.execute(insert(membership_periods).values(**period))
    bits = np.packbits(line[0] >= 0, bitorder="little").tobytes()
    connection.execute(insert(store_ranges).values(store_id=store_id, ranged=bits, available=bits, as_of=at))
    offers = [
        _offer(store_id, listing_ids[i], at, run_id, *(int(t[i]) for t in line)) for i in np.flatnonzero(line[0] >= 0)
    ]
    connection.execute(insert(prices), offers)
    connection.execute(insert(price_changes), offers)
    look = Look(sightings.sighting(Flip(), timezone, at), run_id)
    sightings.write(connection, store_id, at, [Layer(look, line[0] >= 0)], complete=True)
    return store_id


def _offer(store_id, listing_id, at, run_id, price, was, quantity, total) -> dict:
    return {
        "store_id": store_id,
        "listing_id": listing_id,
        "price_cents": price,
        "was_price_cents": was if was > price else None,
        "price_basis": "each",
        "is_estimated": False,
        "is_on_special": was > price,
        "multibuy_quantity": quantity if quantity >= 2 else None,
        "multibuy_total_cents": total if quantity >= 2 else None,
        "changed_at": at,
        "crawl_run_id": run_id,
    }
