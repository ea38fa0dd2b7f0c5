"""Helpers for tests of the storage: stage rows, judge, publish."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from models.checks.checking import check
from models.prices.queries import EffectivePrice, effective_prices
from models.publishing.publish import Published, publish
from models.runs import opening
from models.runs.endings import Ending
from models.staging.writer import StagingWriter, Totals
from splitcart.runs.verdict import Category, Verdict

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def day(number: float) -> datetime:
    """`number` days after the tests' first crawl."""
    return START + timedelta(days=number)


def target(store: str = "1147", slug: str = "woolworths") -> opening.Target:
    names = {"woolworths": "Woolworths", "coles": "Coles", "aldi": "ALDI", "iga": "IGA"}
    return opening.Target(company=names[slug], slug=slug, store_code=store)


def row(sku: object, price: int | None = 100, **fields: Any) -> dict[str, Any]:
    """A product row as the last pipeline hands it over."""
    was = fields.get("was_price_cents")
    base = {
        "sku": str(sku),
        "name": f"Product {sku}",
        "brand": "Brand",
        "size": "500g",
        "price_cents": price,
        "price_basis": "each",
        "is_on_special": was is not None,
        "is_available": price is not None,
        "category_path": ("Pantry", "Tins"),
        "category_key": "tins",
        "scraped_at": START,
    }
    return base | fields


def stage(engine: Engine, run_id: int, rows: Iterable[Mapping[str, Any]], **options: Any) -> Totals:
    """Stages rows through the real writer."""

    async def work() -> Totals:
        writer = StagingWriter(engine, run_id, **options)
        writer.start()
        for item in rows:
            await writer.put(dict(item))
        return await writer.close()

    return asyncio.run(work())


def open_run(engine: Engine, store: str = "1147", slug: str = "woolworths", *, now: datetime = START, **options: Any):
    return opening.open_run(engine, target(store, slug), spider=slug, now=now, **({"host": "test", "pid": 1} | options))


def category(key: str = "tins", seen: int = 1, **fields: Any) -> Category:
    return Category(**({"key": key, "expected": seen, "seen": seen, "ended": True} | fields))


def judged(status: str = "complete", reason: str = "finished", **figures: Any) -> Verdict:
    publishes = {"complete": "all", "partial": "seen"}.get(status, "nothing")
    return Verdict(status, reason, publishes, figures)


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(found) for found in connection.execute(text(sql), values)]


def value(engine: Engine, sql: str, **values: Any) -> Any:
    return query(engine, sql, **values)[0][0]


def measured(engine: Engine, run: opening.Run) -> dict[str, Any]:
    """The counts that the database gives of a run, as a run's ending takes them."""
    return asdict(opening.measure(engine, run))


def crawl(
    engine: Engine,
    rows: Iterable[Mapping[str, Any]],
    *,
    store: str = "1147",
    slug: str = "woolworths",
    now: datetime = START,
    status: str = "complete",
    reason: str = "finished",
    categories: Iterable[Category] = (),
    **options: Any,
) -> tuple[opening.Run, Published]:
    """One complete run: opened, staged, published."""
    run = open_run(engine, store, slug, now=now, **options)
    stage(engine, run.id, rows)
    ending = Ending(verdict=judged(status, reason), now=now, categories=list(categories), counts=measured(engine, run))
    return run, publish(engine, run, ending)


def effective(engine: Engine, store: str = "1147", now: datetime | None = None) -> dict[str, EffectivePrice]:
    """The store's effective prices by sku; `now` is the time for which `flip_since` is computed."""
    [(store_id,)] = query(engine, "SELECT id FROM stores WHERE store_code = :s", s=store)
    with engine.connect() as connection:
        skus = {listing: sku for listing, sku in connection.execute(text("SELECT id, sku FROM listings"))}  # noqa: C416
        return {skus[one.listing_id]: one for one in effective_prices(connection, [store_id], now)}


def cents(engine: Engine, store: str = "1147") -> dict[str, int]:
    return {sku: one.offer["price_cents"] for sku, one in effective(engine, store).items()}


def check_sound(engine: Engine) -> None:
    """Asserts that every promise of the database holds."""
    with engine.connect() as connection:
        assert list(check(connection)) == []
