"""What goods cost in a store, by a database and by the sandbox. The demo and the chaos script share it."""

from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from models.prices import queries
from models.prices.queries import EffectivePrice
from models.tables import companies, crawl_runs, listings, stores
from sandbox.world import World

FIELDS = ("price_cents", "was_price_cents", "multibuy_quantity", "multibuy_total_cents")
Price = tuple[int | None, ...]
"""The FIELDS of one offer."""


def last_run(engine: Engine, chain: str, store_code: str) -> Row[Any] | None:
    """The row of a store's last run; None: it has none."""
    query = (
        select(crawl_runs)
        .join(companies, companies.c.id == crawl_runs.c.company_id)
        .where(companies.c.slug == chain, crawl_runs.c.store_code == store_code)
        .order_by(crawl_runs.c.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        return connection.execute(query).first()


def offers(connection: Connection, chain: str, store_code: str) -> dict[str, tuple[Any, EffectivePrice]]:
    """sku -> (listing, effective price) of what a store ranges and its last complete run saw.

    Empty for a store never published.
    """
    query = (
        select(stores.c.id)
        .join(companies, companies.c.id == stores.c.company_id)
        .where(companies.c.slug == chain, stores.c.store_code == store_code)
    )
    known = connection.execute(query).scalar()
    effective = queries.effective_prices(connection, [known]) if known is not None else []
    found = {row.listing_id: row for row in effective if row.missing_since is None}
    named = select(listings.c.id, listings.c.sku, listings.c.name, listings.c.size)
    return {row.sku: (row, found[row.id]) for row in connection.execute(named) if row.id in found}


def stored(engine: Engine, chain: str, store_code: str) -> dict[str, Price]:
    """sku -> what it costs in a store by the database."""
    with engine.connect() as connection:
        found = offers(connection, chain, store_code)
    return {sku: tuple(price.offer[field] for field in FIELDS) for sku, (_, price) in found.items()}


def offered(world: World, chain: str, store_code: str, day: int) -> dict[str, Price]:
    """sku -> what it costs in a store by the sandbox, for all that the store ranges; all None without a price today."""
    rows = (row for row in world.truth(chain, store_code, day) if row["is_ranged"])
    return {row["sku"]: tuple(row[field] for field in FIELDS) for row in rows}


def expected(before: dict[str, Price], truth: dict[str, Price]) -> dict[str, Price]:
    """What a complete crawl of `truth` leaves: a listing without a price today keeps the one it had, if any."""
    prices = {sku: price if price[0] is not None else before.get(sku) for sku, price in truth.items()}
    return {sku: price for sku, price in prices.items() if price is not None}


def differences(before: dict[str, Price], found: dict[str, Price], truth: dict[str, Price]) -> list[str]:
    """Where `found` is not what a complete crawl of `truth` makes of `before`: one line a sku."""
    right = expected(before, truth)
    skus = sorted(right.keys() | found.keys())
    return [f"{sku}: {found.get(sku)} instead of {right.get(sku)}" for sku in skus if found.get(sku) != right.get(sku)]
