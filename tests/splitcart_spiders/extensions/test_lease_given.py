"""A crawl that takes over the lease that a scheduler took for it."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import crawl
from tests.support.schedules import change, company_of, taken
from tests.support.storage import query


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=3, products=30, stores=1)) as server:
        yield server


@pytest.fixture
def given(server, engine):
    """The lease of the sandbox's store, just taken."""
    server.log.clear()
    company_of(engine, [server.world.stores("iga")[0].store_code], "iga")
    return taken(engine, datetime.now(UTC), slug="iga")


def test_a_crawl_takes_the_lease_over_and_leaves_the_lock_out(server, engine, database_url, given):
    outcome = crawl("iga", server.url, database_url, store=given.store_code, lease=given.lease_token)
    assert (outcome.status, outcome.exit_code) == ("complete", 0)
    assert query(engine, "SELECT status FROM crawl_runs") == [("complete",)]
    assert query(engine, "SELECT lease_token, scheduled_at IS NULL, fail_count FROM stores") == [(None, False, 0)]
    assert taken(engine, datetime.now(UTC), slug="iga").reasons == {"scheduled": 1}


@pytest.mark.parametrize("lease", [None, "f" * 32])
def test_a_crawl_without_the_lease_or_with_another_exits_3_before_its_first_request(
    server, engine, database_url, given, lease
):
    outcome = crawl("iga", server.url, database_url, store=given.store_code, **({"lease": lease} if lease else {}))
    assert (outcome.status, outcome.exit_code) == ("held", 3)
    assert "held by a worker that took it from the scheduler until" in outcome.reason
    assert server.log == []
    assert query(engine, "SELECT lease_token FROM stores") == [(given.lease_token,)]


@pytest.mark.parametrize("ago", [0, 1])
def test_a_crawl_with_a_lease_that_is_over_exits_1_before_its_first_request(server, engine, database_url, given, ago):
    over = {"lease_until": datetime.now(UTC) - timedelta(seconds=ago)} if ago else {"lease_until": None}
    change(engine, given.store_code, **over, **({} if ago else {"lease_token": None}))
    outcome = crawl("iga", server.url, database_url, store=given.store_code, lease=given.lease_token)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert f"the lease given for store {given.store_code} cannot be taken over" in outcome.reason
    assert "scripts/next_store.py" in outcome.reason
    assert server.log == []
    assert query(engine, "SELECT count(*) FROM crawl_runs") == [(0,)]
