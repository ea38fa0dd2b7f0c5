"""Compares a database with the truth of the sandbox, row by row."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, select

from models import tables

UNSEEN = {"price_cents": None}
OFFER = (
    "price_cents", "was_price_cents", "price_basis", "typical_grams", "is_estimated", "is_on_special",
    "unit_of_measure", "multibuy_quantity", "multibuy_total_cents", "member_price_cents", "member_multibuy_quantity",
    "member_multibuy_total_cents",
)  # fmt: skip
TEXT = ("name", "brand", "gtin", "size")


def stored(engine: Engine, chain: str, store_code: str) -> dict[str, dict[str, Any]]:
    """Every price row of a store by sku, with its listing's texts; unit_price in 1/10,000 dollar."""
    prices, listings, stores, companies = tables.prices, tables.listings, tables.stores, tables.companies
    query = (
        select(
            listings.c.sku,
            *(listings.c[name] for name in TEXT),
            *(prices.c[name] for name in OFFER),
            prices.c.unit_price_e4,
        )
        .join_from(prices, listings, prices.c.listing_id == listings.c.id)
        .join(stores, stores.c.id == prices.c.store_id)
        .join(companies, companies.c.id == stores.c.company_id)
        .where(companies.c.slug == chain, stores.c.store_code == store_code)
    )
    with engine.connect() as connection:
        return {row["sku"]: dict(row) for row in connection.execute(query).mappings()}


def ranges(engine: Engine, chain: str, store_code: str) -> tuple[set[str], set[str]]:
    """The skus that a store ranges, and those that it has in stock, read from its bit strings."""
    listings, stores, companies, bits = tables.listings, tables.stores, tables.companies, tables.store_ranges
    with engine.connect() as connection:
        row = connection.execute(
            select(bits.c.ranged, bits.c.available)
            .join_from(bits, stores, stores.c.id == bits.c.store_id)
            .join(companies, companies.c.id == stores.c.company_id)
            .where(companies.c.slug == chain, stores.c.store_code == store_code)
        ).one()
        known = connection.execute(
            select(listings.c.ordinal, listings.c.sku)
            .join_from(listings, companies, companies.c.id == listings.c.company_id)
            .where(companies.c.slug == chain)
        ).all()
    return tuple({sku for ordinal, sku in known if bit(field, ordinal)} for field in row)  # type: ignore[return-value]


def bit(field: bytes, ordinal: int) -> bool:
    byte, place = divmod(ordinal, 8)
    return byte < len(field) and bool(field[byte] >> place & 1)


def check_truth(
    engine: Engine,
    chain: str,
    store_code: str,
    truth: list[dict[str, Any]],
    earlier: Iterable[dict[str, Any]] = (),
    *,
    texts: bool = True,
) -> None:
    """Assert that no price is missing, none extra, none wrong, and that range and stock are as they should be.

    What had a price in the `earlier` truth and has none now keeps that price, and is not offered. `texts` False leaves
    out names and brands: a listing has one text, that of the store which was crawled first.
    """
    true = {row["sku"]: row for row in truth}
    before = {row["sku"]: row for row in earlier}
    kept = {sku: row for sku, row in before.items() if true.get(sku, UNSEEN)["price_cents"] is None}
    priced = {sku: row for sku, row in (true | kept).items() if row["price_cents"] is not None}
    found = stored(engine, chain, store_code)
    assert set(priced) - set(found) == set(), "missing prices"
    assert set(found) - set(priced) == set(), "invented prices"
    wrong = {sku: different for sku, row in priced.items() if (different := differences(found[sku], row, texts))}
    assert not wrong, dict(list(wrong.items())[:3])
    ranged, available = ranges(engine, chain, store_code)
    unseen = before.keys() - true.keys()
    assert ranged - unseen == {sku for sku, row in true.items() if row["is_ranged"]}
    assert available == {sku for sku, row in true.items() if row["is_available"]}


def differences(found: dict[str, Any], row: dict[str, Any], texts: bool) -> dict[str, Any]:
    """Fields whose stored value is neither true nor acceptable: (stored, true)."""
    also = row.get("acceptable", {})
    return {
        name: (found[name], want)
        for name, want in expected(row).items()
        if (texts or name not in TEXT) and found[name] != want and found[name] not in also.get(name, ())
    }


def expected(row: dict[str, Any]) -> dict[str, Any]:
    unit = None if row["unit_price"] is None else round(row["unit_price"] * 10_000)
    return {name: row[name] for name in (*TEXT, *OFFER)} | {"unit_price_e4": unit}
