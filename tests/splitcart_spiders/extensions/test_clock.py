"""A crawl or locator whose clock cannot be right fails before its first request, unless `-a clock=trust` is passed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.extensions import clock
from tests.support.crawls import Outcome, crawl
from tests.support.storage import query

DAY = 86_400
YEARS = {"CLOCK_AHEAD": 3650 * DAY}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=9, products=60, stores=1)) as server:
        yield server


def run(sandbox: SandboxServer, url: str, spider: str = "iga", settings: Any = None, **arguments: str) -> Outcome:
    store = {"store": sandbox.world.stores("iga")[0].store_code} if spider == "iga" else {}
    return crawl(spider, sandbox.url, url, overrides=settings or {}, **store, **arguments)


@pytest.mark.parametrize("spider", ["iga", "iga_stores"])
def test_a_fast_clock_is_refused_before_the_first_request(
    sandbox: SandboxServer, engine: Engine, database_url: str, spider: str
) -> None:
    assert run(sandbox, database_url).status == "complete"
    asked = len(sandbox.log)
    outcome = run(sandbox, database_url, spider, YEARS)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "after the latest time in the database" in str(outcome.reason)
    assert "pass -a clock=trust" in str(outcome.reason)
    assert len(sandbox.log) == asked
    assert query(engine, "SELECT count(*) FROM crawl_runs") == [(1,)]


@pytest.mark.parametrize("spider", ["iga", "iga_stores"])
def test_a_trusted_clock_dates_the_run_and_its_risk_is_logged(
    sandbox: SandboxServer, engine: Engine, database_url: str, spider: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(sandbox, database_url).status == "complete"
    outcome = run(sandbox, database_url, spider, YEARS, clock="trust")
    assert outcome.exit_code == 0, outcome.reason
    assert "every later run of the store is dated after it" in caplog.text
    assert query(engine, "SELECT count(*) FROM crawl_runs") == [(2,)]


def test_a_first_run_accepts_any_clock_that_agrees_with_its_server(sandbox: SandboxServer, database_url: str) -> None:
    assert run(sandbox, database_url, settings=YEARS).status == "complete"


def test_clock_most_days_limits_how_far_a_clock_may_be_ahead(sandbox: SandboxServer, database_url: str) -> None:
    assert run(sandbox, database_url).status == "complete"
    ahead = {"CLOCK_AHEAD": 3 * DAY}
    assert run(sandbox, database_url, settings={**ahead, "CLOCK_MOST_DAYS": 2}).exit_code == 1
    assert run(sandbox, database_url, settings=ahead).status == "complete"


@pytest.mark.parametrize("minutes", [-6, 6])
@pytest.mark.parametrize("spider", ["iga", "iga_stores"])
def test_a_machine_whose_clock_is_off_the_postgresql_servers_is_refused(
    sandbox: SandboxServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch, minutes: int, spider: str
) -> None:
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + timedelta(minutes=minutes))
    asked = len(sandbox.log)
    outcome = run(sandbox, postgres_url, spider)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "more than 5 minutes apart" in str(outcome.reason)
    assert len(sandbox.log) == asked
    assert run(sandbox, postgres_url, spider, clock="trust").exit_code == 0


def test_a_rehearsals_clock_is_not_compared_with_the_servers(sandbox: SandboxServer, postgres_url: str) -> None:
    """CLOCK_AHEAD passes days in dev: the machine's own clock is what the server's is compared with."""
    for days in range(3):
        assert run(sandbox, postgres_url, settings={"CLOCK_AHEAD": days * DAY}).status == "complete"
