"""After a rule has changed, stored keys, sizes and brands are updated, and no product is split or lost."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from models.database import engine as engines
from models.products import keys
from tests.support.storage import check_sound, crawl, day, query, row

NOW = datetime(2026, 3, 9, tzinfo=UTC)
LINERS = {"name": "Acme\u2122 Bin Liners Tie Top", "brand": "Acme\u2122", "size": "60 Gummies"}
EARLIER = (
    "UPDATE products SET normalized_key = 'acmetm|bin liners tie top|', size_amount_e3 = NULL, size_unit = NULL,"
    " size_count = NULL, size_is_approx = NULL",
    "UPDATE brands SET key = 'acmetm', name = 'Acme\u2122'",
)
"""Makes the stored values those of code that reads neither the trade mark nor the size."""


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def earlier(request: pytest.FixtureRequest) -> Engine:
    """One product, as it was stored before the rules changed."""
    made = engines.create(request.getfixturevalue(request.param))
    crawl(made, [row("w", **LINERS)], slug="woolworths", store="w")
    with made.begin() as connection:
        for statement in EARLIER:
            connection.execute(text(statement))
    yield made
    made.dispose()


def rework(engine: Engine) -> int:
    with engine.begin() as connection:
        return keys.rework(connection, NOW)


def test_a_new_listing_finds_its_product_by_the_key_of_the_new_rules(earlier: Engine) -> None:
    assert rework(earlier) == 1
    crawl(earlier, [row("c", **LINERS)], slug="coles", store="c", now=day(1))
    assert query(earlier, "SELECT count(*), count(DISTINCT product_id) FROM listings") == [(2, 1)]
    assert query(earlier, "SELECT count(*) FROM products") == [(1,)]
    check_sound(earlier)


def test_without_the_rework_the_new_listing_becomes_another_product(earlier: Engine) -> None:
    crawl(earlier, [row("c", **LINERS)], slug="coles", store="c", now=day(1))
    assert query(earlier, "SELECT count(*) FROM products") == [(2,)]


def test_key_size_and_brand_are_updated_and_the_earlier_key_stays_an_alias(earlier: Engine) -> None:
    rework(earlier)
    sizes = "normalized_key, size_amount_e3, size_unit, size_count"
    assert query(earlier, f"SELECT {sizes} FROM products") == [("acme|bin liners tie top|60eagummy", 60_000, "ea", 1)]
    assert query(earlier, "SELECT kind, value, reason, sku FROM product_aliases") == [
        ("key", "acmetm|bin liners tie top|", "rule_changed", "w")
    ]
    assert query(earlier, "SELECT key, name FROM brands") == [("acme", "Acme")]


def test_products_move_to_the_brand_that_already_has_the_new_key(earlier: Engine) -> None:
    with earlier.begin() as connection:
        connection.execute(text("INSERT INTO brands (key, name) VALUES ('acme', 'Acme')"))
    rework(earlier)
    assert query(earlier, "SELECT b.name FROM products p JOIN brands b ON b.id = p.brand_id") == [("Acme",)]


def test_repeating_the_rework_changes_nothing(earlier: Engine) -> None:
    assert (rework(earlier), rework(earlier)) == (1, 0)
    assert query(earlier, "SELECT count(*) FROM product_aliases") == [(1,)]
