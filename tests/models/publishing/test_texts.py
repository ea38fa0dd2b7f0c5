"""Which product a listing is, and when its text changes: nothing is lost, and no order of items matters."""

import itertools
import random
import shutil

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from models.database import engine as engines
from tests.support.storage import check_sound, crawl, day, query, row, value

A, B = "09300605123454", "09310072001234"


def listing(engine: Engine, sku: str = "1", *names: str) -> tuple:
    sql = f"SELECT {', '.join(names or ('name', 'size'))} FROM listings WHERE sku = :sku"
    return query(engine, sql, sku=sku)[0]


def test_a_text_changes_when_two_complete_runs_on_different_days_agree(engine: Engine) -> None:
    crawl(engine, [row(1, name="Milk Full Cream 2L", size="2L")])
    renamed = row(1, name="Full Cream Milk 2L", size="2L", url="https://x/1")
    crawl(engine, [renamed], now=day(1))
    assert listing(engine) == ("Milk Full Cream 2L", "2L")
    crawl(engine, [renamed], now=day(1.1))
    assert listing(engine) == ("Milk Full Cream 2L", "2L")
    crawl(engine, [renamed], now=day(2), status="partial", reason="unproven: x")
    assert listing(engine) == ("Milk Full Cream 2L", "2L")
    crawl(engine, [renamed], now=day(2.1))
    assert listing(engine, "1", "name", "url", "pending") == ("Full Cream Milk 2L", "https://x/1", None)


def test_two_stores_of_a_company_may_agree(engine: Engine) -> None:
    crawl(engine, [row(1, name="Old Name")], store="a")
    crawl(engine, [row(1, name="New Name")], store="b", now=day(1))
    crawl(engine, [row(1, name="New Name")], store="c", now=day(2))
    assert listing(engine)[0] == "New Name"


def test_a_text_that_comes_back_clears_what_was_pending(engine: Engine) -> None:
    for number, name in enumerate(["Milk", "Lait", "Milk", "Lait"]):
        crawl(engine, [row(1, name=name)], now=day(number))
    assert listing(engine)[0] == "Milk"


def test_a_listing_that_moves_category_is_in_both_and_stands_in_the_new(engine: Engine) -> None:
    crawl(engine, [row(1)])
    for number in (1, 2):
        crawl(engine, [row(1, category_path=("Fridge", "Milk"), category_key="m")], now=day(number))
    sql = "SELECT k.path FROM listings l JOIN categories k ON k.id = l.category_id"
    assert query(engine, sql) == [('["Fridge", "Milk"]',)]
    assert value(engine, "SELECT count(*) FROM product_categories") == 2


def test_a_row_with_fewer_texts_erases_nothing(engine: Engine) -> None:
    crawl(engine, [row(1, url="https://x/1", gtin=A)])
    for number in (1, 2):
        crawl(engine, [row(1, brand=None, size=None, category_path=())], now=day(number))
    assert listing(engine, "1", "brand", "size", "url", "gtin") == ("Brand", "500g", "https://x/1", A)


def test_another_size_of_a_sku_is_another_product(engine: Engine) -> None:
    crawl(engine, [row(1, name="Choc Bar", size="200g")])
    for number in (1, 2):
        crawl(engine, [row(1, name="Choc Bar", size="180g")], now=day(number))
    assert listing(engine, "1", "size", "product_id") == ("180g", 2)
    assert query(engine, "SELECT kind, value FROM product_aliases") == [("product", "1:1")]


def test_a_sku_whose_gtin_changes_is_a_new_product_unless_all_else_agrees(engine: Engine) -> None:
    crawl(engine, [row(1, name="Choc Bar", gtin=A), row(2, name="Corn Flakes", gtin=B)])
    changed = [row(1, name="Choc Bar", gtin="09300605000007"), row(2, name="Other Flakes", gtin="09300605000014")]
    for number in (1, 2):
        crawl(engine, changed, now=day(number))
    products = dict(query(engine, "SELECT sku, product_id FROM listings"))
    assert (products["1"], products["2"] > 2) == (1, True)
    assert ("gtin", "09300605000007") in query(engine, "SELECT kind, value FROM product_aliases WHERE product_id = 1")
    assert value(engine, "SELECT gtin FROM products WHERE id = :p", p=products["2"]) == "09300605000014"


ROWS = [
    row("1", name="Choc Bar 200g", size="200g", gtin=A),
    row("2", name="Choc Bar Twin 200g", size="200g", gtin=A),
    row("3", name="Choc Bar 200g", size="200g"),
    row("4", name="Corn Flakes 500g", size="500g", gtin=B),
    row("5", name="Corn Flakes 1kg", size="1kg", gtin=B),
]


def grouping(engine: Engine) -> dict[str, frozenset]:
    """Of each company the sets of skus that are one product."""
    sql = "SELECT c.slug, l.sku, l.product_id FROM listings l JOIN companies c ON c.id = l.company_id"
    found: dict[str, dict[int, set[str]]] = {}
    for slug, sku, product in query(engine, sql):
        found.setdefault(slug, {}).setdefault(product, set()).add(sku)
    return {slug: frozenset(map(frozenset, products.values())) for slug, products in found.items()}


def test_products_do_not_depend_on_the_order_of_items(engine: Engine) -> None:
    orders = random.Random(1).sample(list(itertools.permutations(ROWS)), 4)
    for order, slug in zip(orders, ("woolworths", "coles", "aldi", "iga"), strict=True):
        crawl(engine, order, store=slug, slug=slug)
    assert len(grouping(engine)) == 4
    assert len(set(grouping(engine).values())) == 1


FIRST = [
    *ROWS,
    row("8", name="Milk", size="2L"),
    row("8", name="Milk", size="2L", category_path=("Sale",), is_promo=True),
]
LATER = [
    row("1", name="Choc Bar 180g", size="180g", gtin=A),  # another size
    row("2", name="Choc Bar 200g", size="200g", gtin=A),  # another variant
    row("3", name="Choc Bar 200g", size="200g", gtin=A),  # a barcode at last
    row("4", name="Corn Flakes 500g", size="500g", gtin="09300605000007"),  # another barcode, the same product
    row("5", name="Corn Flakes 1kg", size="1kg"),  # a barcode no more
    row("8", name="Milk", size="2L", category_path=("Fridge", "Milk")),  # another category
    row("9", name="Choc Bar 180g", size="180g"),
]


def as_it_stands(engine: Engine) -> tuple:
    """Every listing with its text, category and price, and which share a product with which GTIN; no ids."""
    sql = """SELECT l.sku, l.name, l.gtin, l.size, k.path, p.price_cents FROM listings l JOIN prices p
        ON p.listing_id = l.id LEFT JOIN categories k ON k.id = l.category_id ORDER BY l.sku"""
    shared = "SELECT d.gtin, d.normalized_key, l.sku FROM products d JOIN listings l ON l.product_id = d.id ORDER BY 3"
    return tuple(query(engine, sql)), tuple(query(engine, shared)), grouping(engine)["woolworths"]


@settings(max_examples=4, phases=[Phase.generate])
@given(orders=st.tuples(st.permutations(FIRST), st.permutations(LATER), st.permutations(LATER)))
def test_nothing_that_a_sku_becomes_depends_on_the_order_of_items(sqlite_template, tmp_path_factory, orders) -> None:
    outcomes = []
    for days in (orders, (FIRST, LATER, LATER)):
        path = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("order") / "o.db")
        engine = engines.create(f"sqlite:///{path}")
        for number, rows in enumerate(days):
            crawl(engine, rows, now=day(number))
        outcomes.append(as_it_stands(engine))
        engine.dispose()
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) == 7


def test_one_gtin_with_two_names_and_two_skus_loses_nothing(engine: Engine) -> None:
    _, published = crawl(engine, ROWS)
    assert published.inserted == 5
    names = dict(query(engine, "SELECT sku, name FROM listings"))
    assert names == {one["sku"]: one["name"] for one in ROWS}
    products = dict(query(engine, "SELECT sku, product_id FROM listings"))
    assert products["4"] != products["5"]  # a size is a veto, whatever the barcode says
    assert value(engine, "SELECT count(*) FROM products WHERE gtin = :b", b=B) == 1
    check_sound(engine)


def test_chains_meet_in_one_product_by_gtin_and_by_key(engine: Engine) -> None:
    crawl(engine, [row("w", name="Brand Choc Bar 200g", size="200g", gtin=A)])
    crawl(engine, [row("i", name="BRAND choc bar", size="200 g", gtin=A)], store="x", slug="iga")
    crawl(engine, [row("c", name="Choc Bar", size="200g")], store="y", slug="coles")
    assert value(engine, "SELECT count(DISTINCT product_id) FROM listings") == 1
    assert value(engine, "SELECT count(*) FROM brands") == 1


@pytest.mark.parametrize("promo_first", [True, False])
def test_a_promotional_root_gives_a_category_only_where_nothing_else_does(engine: Engine, promo_first: bool) -> None:
    promo = {"category_path": ("Specials",), "category_key": "s", "is_promo": True}
    both = [row(1, **promo), row(1)] if promo_first else [row(1), row(1, **promo)]
    crawl(engine, [*both, row(2, **promo), row(3, sponsored=True)])
    sql = "SELECT l.sku, k.name FROM listings l LEFT JOIN categories k ON k.id = l.category_id ORDER BY 1"
    assert query(engine, sql) == [("1", "Tins"), ("2", "Specials"), ("3", None)]
