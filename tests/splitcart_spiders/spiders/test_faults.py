"""Every fault that a site can show, for every chain: the status of design's section 5, and never a wrong price."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select

from models import tables
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import Outcome, crawl, load
from tests.support.truth import stored

CHAINS = ("woolworths", "coles", "aldi", "iga")
LISTING = {
    "woolworths": r"POST .*/browse/category",
    "coles": r"/en/browse/.+\.json",
    "aldi": r"/v3/product-search",
    "iga": r"/categories/[^/]+/search",
}
TREE = {
    "woolworths": r"PiesCategoriesWithSpecials",
    "coles": r"GET /browse\s*$",
    "aldi": r"product-category-tree",
    "iga": r"categoryHierarchy",
}


@dataclass(frozen=True)
class Expected:
    """What a fault may lead to."""

    status: set[str]
    exit_code: set[int]
    publishes: bool
    reason: str = ""


BLOCKED = Expected({"blocked"}, {4}, False, "blocked")
DOWN = Expected({"failed"}, {5}, False, "network_down")
PARTIAL = Expected({"partial"}, {2}, True)
FAILED = Expected({"failed"}, {1}, False)
# Advertisements may show what the listing lacks: then nothing is missing, or no more than a proof allows.
TRUE_IF_COMPLETE = Expected({"partial", "complete"}, {0, 2}, True)
COMPLETE = Expected({"complete"}, {0}, True)

LISTING_FAULTS: dict[str, tuple[dict[str, Any], Expected]] = {
    "a denial on the third page": ({"kind": "status", "status": 403, "after": 2}, BLOCKED),
    "an imperva page with status 200": ({"kind": "block", "form": "imperva", "after": 2}, BLOCKED),
    "an incapsula script with status 200": ({"kind": "block", "form": "imperva_script", "after": 2}, BLOCKED),
    "a cloudflare challenge": ({"kind": "block", "form": "cloudflare", "after": 2}, BLOCKED),
    "an akamai page with status 200": ({"kind": "block", "form": "akamai", "after": 2}, BLOCKED),
    "500 once": ({"kind": "status", "status": 500, "times": 1}, COMPLETE),
    "503 once": ({"kind": "status", "status": 503, "times": 1}, COMPLETE),
    "500 for ever": ({"kind": "status", "status": 500, "after": 3}, PARTIAL),
    "a reset connection once": ({"kind": "reset", "times": 1}, COMPLETE),
    "connections reset for ever": ({"kind": "reset", "after": 3}, DOWN),
    "half a body once": ({"kind": "cut", "times": 1}, COMPLETE),
    "half a JSON once": ({"kind": "truncate", "times": 1}, COMPLETE),
    "half a JSON for ever": ({"kind": "truncate", "after": 3}, PARTIAL),
    "no JSON for ever": ({"kind": "invalid_json", "after": 3}, PARTIAL),
    "a page where JSON is due, once": ({"kind": "html", "times": 1}, COMPLETE),
    "a page where JSON is due, for ever": ({"kind": "html", "after": 3}, PARTIAL),
    "a total without rows": ({"kind": "no_rows"}, FAILED),
    "9% of the rows gone": ({"kind": "gone", "value": 0.09}, TRUE_IF_COMPLETE),
    "an empty store": ({"kind": "empty"}, FAILED),
}
TREE_FAULTS: dict[str, tuple[dict[str, Any], Expected]] = {
    "no network for the tree": ({"kind": "reset"}, DOWN),
    "a denial for the tree": ({"kind": "status", "status": 403}, BLOCKED),
    "no JSON for the tree": ({"kind": "invalid_json"}, FAILED),
    "500 for the tree": ({"kind": "status", "status": 500}, FAILED),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=5, products=160, stores=2)) as server:
        yield server


@pytest.fixture
def site(sandbox: SandboxServer) -> Iterator[SandboxServer]:
    """The sandbox without the faults of the test before."""
    sandbox.faults.clear()
    yield sandbox
    sandbox.faults.clear()


def run(site: SandboxServer, chain: str, url: str, spider: Any = None) -> Outcome:
    store = next(store.store_code for store in site.world.stores(chain) if store.is_online)
    quick = {"RETRY_TIMES": 2, "BROWSER": False}
    more = {"gtins": "0"} if chain == "coles" else {}
    return crawl(spider or chain, site.url, url, overrides=quick, store=store, **more)


def judge(site: SandboxServer, chain: str, url: str, expected: Expected) -> None:
    outcome = run(site, chain, url)
    assert outcome.status in expected.status, (outcome.status, outcome.reason)
    assert outcome.exit_code in expected.exit_code
    if expected.reason:
        assert str(outcome.reason).startswith(expected.reason)
    no_price_is_wrong(site, chain, url, expected.publishes, whole=outcome.status == "complete")


def no_price_is_wrong(site: SandboxServer, chain: str, url: str, publishes: bool, *, whole: bool = False) -> None:
    engine = create_engine(url)
    store = next(store.store_code for store in site.world.stores(chain) if store.is_online)
    true = {row["sku"]: row["price_cents"] for row in site.world.truth(chain, store, 0)}
    found = {sku: row["price_cents"] for sku, row in stored(engine, chain, store).items()}
    engine.dispose()
    assert {sku: price for sku, price in found.items() if true.get(sku) != price} == {}
    assert bool(found) == publishes
    unseen = [sku for sku, price in true.items() if price is not None and sku not in found]
    assert not whole or len(unseen) <= 1, "more than the one listing that a proof allows"


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", LISTING_FAULTS)
def test_a_fault_of_listings_has_its_status_and_leaves_no_wrong_price(
    site: SandboxServer, chain: str, name: str, sqlite_url: str
) -> None:
    fault, expected = LISTING_FAULTS[name]
    site.faults.add(fault["kind"], chain, LISTING[chain], **{key: fault[key] for key in fault if key != "kind"})
    judge(site, chain, sqlite_url, expected)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", TREE_FAULTS)
def test_a_fault_of_the_category_tree_ends_the_crawl_at_once(
    site: SandboxServer, chain: str, name: str, sqlite_url: str
) -> None:
    fault, expected = TREE_FAULTS[name]
    site.faults.add(fault["kind"], chain, TREE[chain], **{key: fault[key] for key in fault if key != "kind"})
    asked = len(site.log)
    judge(site, chain, sqlite_url, expected)
    listing = re.compile(LISTING[chain])
    assert not [request for request in list(site.log)[asked:] if listing.search(f"{request.method} {request.path}")]


@pytest.mark.parametrize(
    ("chain", "size", "products"), [("woolworths", 24, 400), ("coles", 48, 1200), ("aldi", 12, 300), ("iga", 3, 300)]
)
def test_a_category_whose_pages_all_answer_page_1_is_not_complete(
    chain: str, size: int, products: int, sqlite_url: str
) -> None:
    spider = type("Short", (load(chain),), {"page_size": size})
    with SandboxServer(World(seed=5, products=products, stores=1)) as site:
        site.faults.add("page_one", chain, LISTING[chain])
        outcome = run(site, chain, sqlite_url, spider)
        assert (outcome.status, outcome.exit_code) == ("partial", 2), outcome.reason
        no_price_is_wrong(site, chain, sqlite_url, True)


@pytest.mark.parametrize("chain", CHAINS)
def test_doubled_prices_are_not_published(site: SandboxServer, chain: str, engine: Engine, database_url: str) -> None:
    assert run(site, chain, database_url).status == "complete"
    site.faults.add("prices", chain, value=2.0)
    outcome = run(site, chain, database_url)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("implausible")
    no_price_is_wrong(site, chain, database_url, True)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_missing_category_is_not_complete(site: SandboxServer, chain: str, sqlite_url: str) -> None:
    assert run(site, chain, sqlite_url).status == "complete"
    engine = create_engine(sqlite_url)
    runs = tables.crawl_run_categories
    with engine.connect() as connection:
        largest = connection.execute(
            select(runs.c.key).where(runs.c.held).order_by(runs.c.seen.desc()).limit(1)
        ).scalar_one()
        before = connection.scalar(select(func.count()).select_from(tables.prices))
    site.faults.add("missing_category", chain, value=largest.split("/")[-1])
    outcome = run(site, chain, sqlite_url)
    assert (outcome.status, outcome.exit_code) == ("partial", 2), outcome.reason
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.prices)) == before
        assert connection.scalar(select(func.count()).select_from(tables.missing_listings)) == 0
    engine.dispose()
