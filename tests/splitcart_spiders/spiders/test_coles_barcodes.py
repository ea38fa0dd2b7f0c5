"""Coles' barcodes: a product page for each unknown one, once; the result is stored, also that there is none."""

import json

import pytest
from scrapy.http import TextResponse
from scrapy.utils.test import get_crawler
from sqlalchemy import create_engine, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.spiders.coles import ColesSpider
from tests.support.crawls import Outcome, crawl


def product_pages(server: SandboxServer, since: int) -> int:
    return sum("/en/product/" in request.path for request in list(server.log)[since:])


def run(server: SandboxServer, url: str, store: str, **args: str) -> tuple[Outcome, int]:
    since = len(server.log)
    outcome = crawl("coles", server.url, url, store=store, **args)
    assert outcome.status == "complete", outcome.reason
    return outcome, product_pages(server, since)


def barcodes(url: str) -> dict[str, str | None]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {row.sku: row.gtin for row in connection.execute(select(tables.listings))}
    engine.dispose()
    return found


def test_the_first_fill_is_spread_and_the_last_crawl_asks_nothing(sqlite_url: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_code
    true = {row["sku"]: row for row in world.truth("coles", store, 0)}
    with SandboxServer(world) as server:
        assert run(server, sqlite_url, store, gtins="0")[1] == 0
        assert run(server, sqlite_url, store, gtins="25")[1] == 25
        assert sum(1 for gtin in barcodes(sqlite_url).values() if gtin) > 0
        assert run(server, sqlite_url, store)[1] >= len(true) - 25
        assert run(server, sqlite_url, store)[1] == 0
    found = barcodes(sqlite_url)
    wrong = {
        sku: (found[sku], row["gtin"])
        for sku, row in true.items()
        if found[sku] != row["gtin"] and found[sku] not in row["acceptable"].get("gtin", ())
    }
    assert not wrong


def test_a_build_that_turns_stale_in_mid_crawl_loses_nothing(sqlite_url: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_code
    with SandboxServer(world) as server:
        server.faults.add("build", "coles", "/en/browse/", after=5, times=1)
        outcome, _ = run(server, sqlite_url, store, gtins="0")
    assert outcome.stats["splitcart/listing/stale_build"] == 1


NOT_ANSWERED = (
    '{"pageProps": {"__N_REDIRECT": "/", "__N_REDIRECT_STATUS": 307}, "__N_SSP": true}',
    '{"pageProps": {"__N_REDIRECT": "https://example.com/product/x-1"}}',
    '{"notFound": true}',
    '{"pageProps": {"statusCode": 503}}',
    '{"statusCode": 500, "message": "Internal Server Error"}',
    "{}",
    "[]",
    "null",
)


@pytest.mark.parametrize("body", NOT_ANSWERED)
def test_an_answer_that_shows_no_product_leaves_the_barcode_open(sqlite_url: str, body: str) -> None:
    world = World(seed=6, products=30, stores=1)
    store = world.stores("coles")[0].store_code
    with SandboxServer(world) as server:
        fault = server.faults.add("status", "coles", "/en/product/", status=200, body=body)
        outcome, asked = run(server, sqlite_url, store, gtins="6")
        assert (asked, outcome.stats["splitcart/barcodes/not_answered"]) == (6, 6)
        server.faults.clear(number=fault.number)
        outcome, asked = run(server, sqlite_url, store)
    assert asked >= 6
    assert "splitcart/barcodes/not_answered" not in outcome.stats
    assert sum(1 for gtin in barcodes(sqlite_url).values() if gtin) > 0


def test_a_product_page_that_has_moved_on_the_site_is_followed(sqlite_url: str) -> None:
    world = World(seed=6, products=30, stores=1)
    store = world.stores("coles")[0].store_code
    true = {row["sku"]: row for row in world.truth("coles", store, 0)}
    with SandboxServer(world) as server:
        server.switches.add("coles_products_moved")
        outcome, asked = run(server, sqlite_url, store)
    found = barcodes(sqlite_url)
    assert asked == 2 * outcome.stats["splitcart/barcodes/redirected"]
    assert asked >= 2 * len(true)
    assert all(found[sku] in (row["gtin"], *row["acceptable"].get("gtin", ())) for sku, row in true.items())
    assert sum(1 for gtin in found.values() if gtin) > 0


def test_redirects_that_never_end_leave_the_barcode_open() -> None:
    spider = ColesSpider(store="1")
    spider.crawler = get_crawler(ColesSpider)
    spider.build, slug, hops = "1", "a-7", 0
    for step in range(9):
        body = {"pageProps": {"__N_REDIRECT": f"/product/{'ab'[step % 2]}-7"}}
        answer = TextResponse("https://example.com/x", body=json.dumps(body).encode(), encoding="utf-8")
        found = list(spider.on_product(answer, sku="7", slug=slug, hops=hops))
        if not found:
            break
        (request,) = found
        slug, hops = request.cb_kwargs["slug"], request.cb_kwargs["hops"]
    assert (hops, found) == (0, [])
    assert spider.crawler.stats.get_value("splitcart/barcodes/not_answered") == 1


@pytest.mark.parametrize("door", ["/en/browse/", "/en/product/"])
def test_a_stale_build_that_answers_5xx_is_renewed(sqlite_url: str, door: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_code
    with SandboxServer(world) as server:
        server.switches.add("coles_stale_500")
        server.faults.add("build", "coles", door, after=5, times=1)
        outcome, _ = run(server, sqlite_url, store, gtins="20")
    assert outcome.stats["splitcart/listing/stale_build"] == 1
    assert outcome.stats["splitcart/barcodes/found"] > 0
    assert "splitcart/listing/failed" not in outcome.stats


def test_a_5xx_of_the_build_that_holds_fails_its_category_alone(sqlite_url: str) -> None:
    world = World(seed=6, products=90, stores=1)
    store = world.stores("coles")[0].store_code
    with SandboxServer(world) as server:
        server.faults.add("status", "coles", r"/en/browse/bakery\.json", status=503)
        outcome = crawl("coles", server.url, sqlite_url, store=store, gtins="0")
        assert (outcome.status, outcome.stats["splitcart/listing/failed"]) == ("partial", 1)
        server.faults.add("status", "coles", r"GET /coles/browse|GET /browse", after=1, status=503)
        outcome = crawl("coles", server.url, sqlite_url, store=store, gtins="0")
    assert (outcome.status, outcome.stats["splitcart/listing/failed"]) == ("partial", 1)
    assert outcome.stats["splitcart/staging/categories"] > 1
