"""How a whole run ends, chain by chain, when the site or the network refuses: status, exit code, nothing published."""

import pytest
from sqlalchemy import create_engine, text

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.middlewares.gate import Gate
from tests.support.crawls import crawl

CHAINS = ("woolworths", "coles", "aldi", "iga")
LISTING = {
    "woolworths": "browse/category",
    "coles": "_next/data/.*/browse/",
    "aldi": "product-search",
    "iga": "/categories/.*/search",
}


@pytest.fixture(scope="module")
def world():
    return World(seed=9, products=120, stores=1)


@pytest.fixture
def server(world):
    with SandboxServer(world) as server:
        yield server


def run(server, url, chain, **settings):
    store = server.world.stores(chain)[0].store_code
    args = {"gtins": "0"} if chain == "coles" else {}
    return crawl(chain, server.url, url, overrides=settings, store=store, **args)


def published(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM prices")).scalar_one()
    engine.dispose()
    return count


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kind", ["status", "block"])
def test_a_block_in_the_middle_ends_the_run_blocked_and_publishes_nothing(server, sqlite_url, chain, kind):
    fault = server.faults.add(kind, chain, LISTING[chain], after=4, status=403 if kind == "status" else None)
    outcome = run(server, sqlite_url, chain)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("blocked", "blocked", 4)
    assert fault.fired <= 4
    assert published(sqlite_url) == 0


@pytest.mark.parametrize("chain", CHAINS)
def test_a_robots_txt_that_is_denied_ends_the_run_before_it_begins(server, sqlite_url, chain):
    server.faults.add("status", chain, "robots.txt", status=403)
    outcome = run(server, sqlite_url, chain, POLITE=True, HOST_RATE=50)
    assert (outcome.status, outcome.exit_code) == ("blocked", 4)
    assert {entry.path for entry in server.log} == {"/robots.txt"}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_network_that_is_down_before_the_first_category_ends_the_run_at_once(server, sqlite_url, chain):
    server.network_down()
    outcome = run(server, sqlite_url, chain)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "network_down", 5)
    assert published(sqlite_url) == 0


@pytest.mark.parametrize("chain", CHAINS)
def test_a_network_that_goes_down_while_crawling_ends_the_run(server, sqlite_url, chain):
    server.faults.add("reset", chain, LISTING[chain], after=3)
    outcome = run(server, sqlite_url, chain)
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("failed", "network_down", 5)
    assert published(sqlite_url) == 0


@pytest.mark.parametrize("chain", CHAINS)
def test_a_category_that_fails_every_time_leaves_the_run_partial(server, sqlite_url, chain):
    server.faults.add("status", chain, LISTING[chain], after=2, times=5, status=500)
    outcome = run(server, sqlite_url, chain, HOST_IN_FLIGHT=1, CONCURRENT_REQUESTS=1)
    assert (outcome.status, outcome.exit_code) == ("partial", 2)
    assert Gate.of(outcome.crawler).error is None


@pytest.mark.parametrize("chain", CHAINS)
def test_mishaps_that_pass_leave_the_run_complete(server, sqlite_url, chain):
    for number, kind in enumerate(("reset", "cut", "html", "truncate", "invalid_json")):
        server.faults.add(kind, chain, LISTING[chain], after=2 * number, times=1)
    server.faults.add("status", chain, LISTING[chain], after=11, times=2, status=503)
    outcome = run(server, sqlite_url, chain)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason


@pytest.mark.parametrize("chain", CHAINS)
def test_the_manners_leave_a_whole_run_complete(server, sqlite_url, chain):
    server.robots[chain] = (200, "User-agent: *\nDisallow: /search\nDisallow: /checkout\n")
    outcome = run(server, sqlite_url, chain, POLITE=True, HOST_RATE=100)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    times = [entry.time for entry in server.log]
    assert times[-1] - times[0] >= (len(times) - 1) / 100


@pytest.mark.parametrize("chain", ["woolworths", "iga"])
def test_locators_have_the_same_manners(server, sqlite_url, chain):
    values = {"POLITE": True, "HOST_RATE": 50, "CONTACT": "someone@example.org"}
    outcome = crawl(f"{chain}_stores", server.url, sqlite_url, overrides=values)
    assert outcome.exit_code == 0, outcome.reason
    assert server.log[0].path == "/robots.txt"
    (agent,) = {entry.headers["User-Agent"] for entry in server.log}
    assert agent.startswith("SplitCart/")
    assert "someone@example.org" in agent
