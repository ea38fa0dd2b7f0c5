"""Which product a listing is: the same for any order of items, and no listing of the product vetoes it."""

import random
from itertools import combinations, permutations
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import Engine

from models.database import engine as engines
from splitcart.identity.matching import vetoed
from tests.support.products import Products, products
from tests.support.storage import crawl, day, query, row

FIRST, SECOND = "09300605123454", "09310072000282"
COMPANIES = ("woolworths", "coles", "iga", "aldi")
SPREAD = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
MILK = {"name": "Full Cream Milk", "brand": "Coles", "size": "2L"}
ITEMS = [
    ("woolworths", row("w1", **SPREAD | {"name": "Vegemite Spread 380g"}, gtin=FIRST)),
    ("woolworths", row("w2", **SPREAD | {"name": "Vegemite"}, gtin=FIRST)),
    ("coles", row("c1", **SPREAD)),
    ("coles", row("c2", **SPREAD, gtin=SECOND)),
    ("iga", row("i1", **SPREAD, gtin=FIRST)),
    ("aldi", row("a1", **SPREAD | {"size": "560g"}, gtin=FIRST)),
    ("coles", row("c3", **MILK)),
    ("iga", row("i2", **MILK)),
]


def crawled(file: Path, template: Path, companies, items) -> Products:
    """Each company is crawled once, in this order, its rows staged in the order of the items."""
    engine = engines.create(f"sqlite:///{copyfile(template, file)}")
    for number, slug in enumerate(companies):
        rows = [item for company, item in items if company == slug]
        crawl(engine, rows, slug=slug, store=slug, now=day(number / 10))
    found = products(engine)
    engine.dispose()
    return found


def test_the_order_of_a_crawls_items_does_not_change_the_products(tmp_path: Path, sqlite_template: Path) -> None:
    rng, found = random.Random(1), set()
    for number in range(8):
        items = rng.sample(ITEMS, len(ITEMS))
        found.add(crawled(tmp_path / f"{number}.db", sqlite_template, COMPANIES, items))
    assert len(found) == 1


@pytest.mark.parametrize("companies", list(permutations(COMPANIES))[::3], ids="-".join)
def test_no_product_has_listings_that_veto_each_other_in_any_order_of_companies(
    tmp_path: Path, sqlite_template: Path, companies
) -> None:
    """Two barcodes with one listing between them that has none; another size; a private label of another company."""
    for product in crawled(tmp_path / "one.db", sqlite_template, companies, ITEMS):
        assert [(a.sku, b.sku) for a, b in combinations(product, 2) if vetoed(a, b)] == []


def test_the_stored_size_of_a_product_comes_from_its_size_and_its_name_together(engine: Engine) -> None:
    rows = [row("m", **MILK), row("b", name="Kitchen Tidy Bags 50 pack", brand="Acme", size="27L")]
    crawl(engine, rows, slug="coles", store="1", now=day(0))
    sql = "SELECT name, size_amount_e3, size_unit FROM products ORDER BY name"
    assert query(engine, sql) == [("Full Cream Milk", 2_000_000, "ml"), ("Kitchen Tidy Bags 50 pack", 50_000, "ea")]
