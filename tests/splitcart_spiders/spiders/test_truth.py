"""The database after a crawl equals the sandbox's truth, row by row: every chain, several worlds, two days."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import crawl, on_day
from tests.support.truth import check_truth

CHAINS = ("woolworths", "coles", "aldi", "iga")
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    """One world of each seed for all chains."""
    with SandboxServer(World(seed=request.param, products=220, stores=2)) as server:
        yield server


@pytest.mark.parametrize("chain", CHAINS)
def test_two_days_of_a_store_are_stored_as_they_are_true(
    sandbox: SandboxServer, chain: str, engine: Engine, database_url: str
) -> None:
    world = sandbox.world
    store = next(store.store_code for store in world.stores(chain) if store.is_online)
    earlier: list[dict[str, object]] = []
    for day in (0, 1):
        sandbox.day = day
        outcome = crawl(chain, sandbox.url, database_url, overrides=on_day(world, day), store=store)
        assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
        truth = world.truth(chain, store, day)
        check_truth(engine, chain, store, truth, earlier)
        earlier = truth
