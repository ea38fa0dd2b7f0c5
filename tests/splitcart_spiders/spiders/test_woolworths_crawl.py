"""A whole crawl of Woolworths from the sandbox: the database equals the truth, or the run states why not."""

from sqlalchemy import Engine, func, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.middlewares.gate import Gate
from tests.support.crawls import crawl
from tests.support.truth import check_truth, stored


def test_after_a_crawl_the_database_equals_the_truth_row_by_row(engine: Engine, database_url: str) -> None:
    world = World(seed=3, products=400, stores=2)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        outcome = crawl("woolworths", server.url, database_url, store=store)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    check_truth(engine, "woolworths", store, world.truth("woolworths", store, 0))


def test_a_second_day_is_followed_row_by_row(engine: Engine, database_url: str) -> None:
    world = World(seed=4, products=300, stores=2)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        for day in (0, 1):
            server.day = day
            outcome = crawl("woolworths", server.url, database_url, store=store)
            assert outcome.status == "complete", outcome.reason
    found = stored(engine, "woolworths", store)
    for row in world.truth("woolworths", store, 1):
        if row["price_cents"] is not None:
            assert found[row["sku"]]["price_cents"] == row["price_cents"]


def test_a_site_that_answers_for_another_store_writes_no_price(engine: Engine, database_url: str) -> None:
    world = World(seed=3, products=200, stores=2)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        server.switches.add("woolworths_answers_1101")
        outcome = crawl("woolworths", server.url, database_url, store=store)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.reason == "store_mismatch"
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.prices)) == 0


def test_a_limited_crawl_is_partial_by_request_and_exits_zero(sqlite_url: str) -> None:
    world = World(seed=3, products=200, stores=1)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        outcome = crawl("woolworths", server.url, sqlite_url, store=store, categories="bakery")
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("partial", "requested", 0)


def test_a_category_that_the_tree_does_not_have_is_named_and_nothing_is_crawled(sqlite_url: str) -> None:
    world = World(seed=3, products=200, stores=1)
    store = world.stores("woolworths")[0].store_code
    with SandboxServer(world) as server:
        for wanted in ("bakery,bakrey", "nope", "tobacco"):
            asked = len(server.log)
            outcome = crawl("woolworths", server.url, sqlite_url, store=store, categories=wanted)
            assert (outcome.status, outcome.exit_code) == ("failed", 1), outcome.reason
            assert not [one for one in list(server.log)[asked:] if "browse/category" in one.path]
            error = Gate.of(outcome.crawler).error
            assert f"is called {wanted.split(',')[-1]}; the roots are" in str(error)
            assert "-a categories=" in error.remedy
