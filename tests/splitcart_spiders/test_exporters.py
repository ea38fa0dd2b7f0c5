"""A feed has one row a sku, the one that publishing would choose. A CSV feed holds no formula; others are exact."""

import csv
import json
from dataclasses import replace
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.utils.misc import load_object
from scrapy.utils.project import get_project_settings
from sqlalchemy import create_engine, text

from models.database import engine as engines
from models.runs.chosen_rows import chosen_rows
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.exporters import Choice
from splitcart_spiders.items import BarcodeItem, ProductItem
from tests.support.crawls import crawl
from tests.support.storage import query

HOSTILE = ["=1+1", "+61", "-196 Lemon", "@SUM(A1)", "\t=1", "\r=1"]


def exported(kind: str, item: ProductItem) -> str:
    settings = get_project_settings()
    exporters = settings.getwithbase("FEED_EXPORTERS")
    target = BytesIO()
    exporter = load_object(exporters[kind])(target, fields_to_export=settings.getlist("FEED_EXPORT_FIELDS"))
    exporter.start_exporting()
    exporter.export_item(item)
    exporter.finish_exporting()
    return target.getvalue().decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_cell_is_defused_and_a_number_is_not(text):
    item = ProductItem(company="IGA", store_id="1", sku="2", name=text, price_cents=-5, category_path=(text, "b"))
    [row] = csv.DictReader(StringIO(exported("csv", item), newline=""))
    assert row["name"] == f"'{text}"
    assert row["category_path"] == f"'{text},b"
    assert row["price_cents"] == "-5"
    assert json.loads(exported("json", item))[0]["name"] == text
    assert json.loads(exported("jsonlines", item))["name"] == text


PATHS = [(), ("Bakery",), ("Dairy", "Milk"), ("Specials",)]
ROWS = st.lists(
    st.builds(
        ProductItem,
        company=st.just("IGA"),
        store_id=st.just("1"),
        sku=st.sampled_from("ab"),
        name=st.just("Milk"),
        price_cents=st.sampled_from([None, 100, 200]),
        is_unreadable=st.booleans(),
        sponsored=st.booleans(),
        category_path=st.sampled_from(PATHS),
    ),
    max_size=8,
)


def published(items: list[ProductItem]) -> dict[str, ProductItem]:
    """By sku the row that the database's own statement chooses, with the category that it chooses."""
    engine = create_engine("sqlite://")
    columns = "run_id, seq, sku, sponsored, is_promo, price_cents, is_unreadable, category_path"
    rows = [
        {
            "seq": seq, "sku": item.sku, "sponsored": item.sponsored, "is_promo": item.category_path == ("Specials",),
            "price": item.price_cents, "unreadable": item.is_unreadable, "path": str(item.category_path or "") or None,
        }
        for seq, item in enumerate(items)
    ]  # fmt: skip
    insert = "INSERT INTO staged_items VALUES (1, :seq, :sku, :sponsored, :is_promo, :price, :unreadable, :path)"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE staged_items ({columns})"))
        if rows:
            connection.execute(text(insert), rows)
        found = connection.execute(chosen_rows(1)).all()
    engine.dispose()
    return {
        sku: replace(items[seq], category_path=() if category is None else items[category].category_path)
        for _, sku, seq, category, _ in found
    }


@given(ROWS)
def test_the_row_of_a_sku_is_the_one_that_publishing_chooses(items):
    choice = Choice(frozenset({"specials"}))
    for item in items:
        choice.add(item)
    assert {row.sku: row for row in choice.rows()} == published(items)
    assert [row.sku for row in choice.rows()] == list(dict.fromkeys(item.sku for item in items))


def test_the_row_gets_the_barcode_of_its_product_page():
    choice = Choice()
    choice.add(ProductItem(company="Coles", store_id="1", sku="5", name="Milk"))
    choice.barcode(BarcodeItem(company="Coles", store_id="1", sku="5", gtin="09300601768226"))
    assert [row.gtin for row in choice.rows()] == ["09300601768226"]


@pytest.fixture(scope="module")
def sandbox():
    with SandboxServer(World(seed=9, products=60, stores=1)) as server:
        yield server


@pytest.mark.parametrize("chain", ["aldi", "coles", "iga", "woolworths"])
def test_a_feed_has_the_products_of_a_store_and_nothing_else_on_every_chain(chain, sandbox, sqlite_url, tmp_path):
    store = sandbox.world.stores(chain)[0].store_code
    feeds = {str(tmp_path / f"items.{kind}"): {"format": kind} for kind in ("jsonl", "csv")}
    outcome = crawl(chain, sandbox.url, sqlite_url, store=store, overrides={"FEEDS": feeds})
    assert outcome.status == "complete"
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    engine = engines.create(sqlite_url)
    sql = """SELECT l.sku, l.name, l.gtin, p.price_cents, c.path FROM listings l
        LEFT JOIN prices p ON p.listing_id = l.id LEFT JOIN categories c ON c.id = l.category_id ORDER BY l.sku"""
    stored = [(sku, name, gtin, cents, json.loads(path or "[]")) for sku, name, gtin, cents, path in query(engine, sql)]
    engine.dispose()
    names = ("sku", "name", "gtin", "price_cents", "category_path")
    assert sorted(tuple(row[name] for name in names) for row in rows) == stored
    assert list(rows[0]) == [name for name in get_project_settings()["FEED_EXPORT_FIELDS"] if name in rows[0]]
    with (tmp_path / "items.csv").open(newline="") as file:
        assert [row["sku"] for row in csv.DictReader(file)] == [row["sku"] for row in rows]


def test_categories_follow_the_products_on_request(sandbox, sqlite_url, tmp_path):
    store = sandbox.world.stores("iga")[0].store_code
    overrides = {"FEEDS": {str(tmp_path / "items.jsonl"): {"format": "jsonl"}}, "EXPORT_CATEGORIES": "1"}
    outcome = crawl("iga", sandbox.url, sqlite_url, store=store, overrides=overrides)
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    categories = [row for row in rows if "category_key" in row]
    assert len(categories) == outcome.stats["splitcart/staging/categories"]
    assert set(categories[0]) == {"company", "store_id", "category_key", "category_path", "is_promo"}
    assert rows[-len(categories) :] == categories
