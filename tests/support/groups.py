"""Helpers for tests of groups: rows of zones, merges, and what must stay as it was."""

import contextlib
import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from models.groups.merging import Merger, Summary, reset
from models.lines import fingerprints
from models.prices.queries import effective_prices
from models.tables import companies
from splitcart.grouping.rules import Rules
from splitcart.periods import Flip
from tests.support.storage import START, query, row

HOUR = timedelta(hours=1)


def company(engine: Engine, slug: str = "woolworths"):
    with engine.connect() as connection:
        return connection.execute(select(companies).where(companies.c.slug == slug)).one()


def merge(engine: Engine, now=START + HOUR, *, slug: str = "woolworths", dry_run: bool = False, **options) -> Summary:
    rules = Rules.at(options.get("threshold", 0.98), flip=Flip())
    return Merger(engine, company(engine, slug), rules, lambda: now).run(dry_run=dry_run)


def reset_all(engine: Engine, now) -> int:
    return reset(engine, company(engine), lambda: now)


def offers(zone: int = 0, *, lines: int = 100, without=(), changed=()) -> list[dict]:
    """Rows of a store: zone n prices its first 10 x n lines otherwise; `changed` lines cost 9.99."""
    rows = []
    for sku in range(lines):
        if sku not in without:
            price = 999 if sku in changed else 200 + sku + (zone * 5 if sku < 10 * zone else 0)
            rows.append(row(sku, price))
    return rows


def rows(**cents: int | None) -> list[dict]:
    """A hundred lines, those of some skus (s5=999) at other prices, or left out where that is None."""
    changed_prices = {int(name[1:]): price for name, price in cents.items()}
    kept = [one for one in offers() if int(one["sku"]) not in changed_prices]
    return [*kept, *(row(sku, price) for sku, price in changed_prices.items() if price is not None)]


def stores_of(engine: Engine) -> dict[str, int]:
    return dict(query(engine, "SELECT store_code, id FROM stores ORDER BY id"))


def grouped(engine: Engine) -> set[frozenset[str]]:
    sql = "SELECT m.group_id, s.store_code FROM store_group_memberships m JOIN stores s ON s.id = m.store_id"
    found: dict[int, set[str]] = {}
    for group, store in query(engine, sql):
        found.setdefault(group, set()).add(store)
    return {frozenset(g) for g in found.values()}


def prices_now(engine: Engine) -> dict:
    """Every effective price with its whole offer, and whether it can be bought."""
    with engine.connect() as connection:
        found = effective_prices(connection, list(stores_of(engine).values()))
        return {(p.store_id, p.listing_id): (p.offer, p.is_available) for p in found}


def written(engine: Engine) -> list:
    """All rows, byte for byte, that only a store's own runs and their rollback write."""
    tables = {"prices": "1, 2", "price_changes": "1, 2, 3", "sightings": "1, 2"}
    found = [query(engine, f"SELECT * FROM {name} ORDER BY {order}") for name, order in tables.items()]
    return [[tuple(bytes(v) if isinstance(v, memoryview) else v for v in one) for one in rows] for rows in found]


@contextlib.contextmanager
def no_price_read(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """No statement meanwhile names the price rows or their history, nor are they read as columns."""
    read: list = []
    real = fingerprints.columns

    def columns(connection, store_ids, listings=None):
        read.extend(store_ids)
        return real(connection, store_ids, listings)

    def look(connection, cursor, statement, *rest) -> None:
        if re.search(r"\b(prices|price_changes)\b", statement):
            read.append(statement)

    event.listen(engine, "before_cursor_execute", look)
    with monkeypatch.context() as patch:
        patch.setattr(fingerprints, "columns", columns)
        yield
    event.remove(engine, "before_cursor_execute", look)
    assert read == []
