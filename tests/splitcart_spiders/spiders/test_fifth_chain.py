"""docs/adding-a-chain.md is true: a made-up chain is one mapping and one spider, and nothing else is edited."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import create_engine, select

from models import tables
from tests.support.crawls import crawl
from tests.support.truth import stored

MAPPING = '''
"""Corner: a made-up chain. Amounts are dollars."""

from splitcart_spiders.crawl import fields
from splitcart_spiders.crawl.mapping import Seen, mapping
from splitcart_spiders.items import ProductItem

COMPANY = "Corner"
SLUG = "corner"
SKIP_ROOTS = frozenset({"cigarettes"})
PROMO_ROOTS = frozenset({"bargains"})


def records(body: object) -> list:
    return fields.rows(fields.obj(body).get("goods"))


@mapping
def to_item(raw: dict, seen: Seen) -> ProductItem:
    sku = fields.sku(raw.get("id"))
    sent, name = raw.get("price", ""), fields.name(raw.get("name"))
    price, unreadable = fields.price(sent, available=True, cents=fields.cents(sent))
    return ProductItem(
        company=COMPANY, store_id=seen.store_code, sku=sku, name=name, price_cents=price,
        is_unreadable=unreadable or name is None, is_available=price is not None,
        category_path=seen.category_path, scraped_at=seen.now,
        shelf_unit_price=fields.shelf_number(raw.get("per_kg")), shelf_unit_measure="1kg",
    )
'''
SPIDER = '''
"""`scrapy crawl corner -a store=7`"""

from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.chains import corner
from splitcart_spiders.crawl.walk import Node, Page


class CornerSpider(ChainSpider):
    name = "corner"
    chain = corner
    page_size = 2

    def tree_request(self):
        return self.request("https://corner.example/tree", self.on_tree, kind="session")

    def tree(self, response):
        return [Node(name, (name,), name in corner.PROMO_ROOTS) for name in self.decoded(response)["aisles"]]

    def page_request(self, node, page):
        return self.listing(f"https://corner.example/goods?aisle={node.key}&page={page}", node, page)

    def page(self, response):
        body = self.decoded(response)
        return Page(corner.records(body), total=body["total"])
'''
GOODS = {
    "fruit": [{"id": n, "name": f"Apple {n}", "price": 1 + n, "per_kg": 4.5} for n in range(1, 6)],
    "bargains": [{"id": 5, "name": "Apple 5", "price": 6}, *({"id": n, "name": "Odd", "price": 0.5} for n in (6, 7))],
    "cigarettes": [{"id": 99, "name": "Smokes", "price": 40}],
}


class Shop(BaseHTTPRequestHandler):
    """The made-up chain's site, under /corner as dev requests have it."""

    def do_GET(self) -> None:
        body: dict[str, object] = {"aisles": list(GOODS)}
        if "goods" in self.path:
            query = dict(part.split("=") for part in self.path.partition("?")[2].split("&"))
            goods, page = GOODS[query["aisle"]], int(query["page"])
            body = {"total": len(goods), "goods": goods[2 * page - 2 : 2 * page]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def corner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files, found as if they lay in the packages."""
    import splitcart_spiders.chains
    import splitcart_spiders.spiders

    for package, text in ((splitcart_spiders.chains, MAPPING), (splitcart_spiders.spiders, SPIDER)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "corner.py").write_text(text)
        extend(package, folder, monkeypatch)


def extend(package: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, f"{package.__name__}.corner", raising=False)


@pytest.mark.usefixtures("corner")
def test_a_new_chain_is_one_mapping_and_one_spider(shop: str, sqlite_url: str) -> None:
    outcome = crawl("corner", shop, sqlite_url, store="7")
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    engine = create_engine(sqlite_url)
    found = stored(engine, "corner", "7")
    assert {sku: row["price_cents"] for sku, row in found.items()} == {
        "1": 200, "2": 300, "3": 400, "4": 500, "5": 600, "6": 50, "7": 50,
    }  # fmt: skip
    assert found["1"]["unit_price_e4"] == 45_000
    with engine.connect() as connection:
        run = connection.execute(select(tables.crawl_runs)).one()
        company = connection.execute(select(tables.companies)).one()
    engine.dispose()
    assert (company.name, company.slug) == ("Corner", "corner")
    assert run.skipped_roots == ["cigarettes"]
