"""A crawl that lost its lease ends within seconds with exit code 1, however it lost the lease, and its slot is free."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from models.errors import LeaseLost
from models.runs import opening
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.errors import CrawlError, DatabaseLost, StoreLost
from splitcart_spiders.extensions import lease
from splitcart_spiders.extensions import run as run_extension
from splitcart_spiders.extensions.lease import LeaseKeeper
from splitcart_spiders.extensions.threads import in_daemon_thread
from tests.support.crawls import Outcome, crawl, submit
from tests.support.processes import DEADLINE, start, until
from tests.support.storage import query, target, value

SLOW = 300.0
"""Seconds that an answer under way takes: the crawl must not wait for it."""
BEAT = {"HEARTBEAT_SECONDS": 0.1}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=9, products=60, stores=1)) as server:
        yield server


def store(sandbox: SandboxServer) -> str:
    return sandbox.world.stores("iga")[0].store_code


def begin(sandbox: SandboxServer, database_url: str, **settings: Any) -> Future[Outcome]:
    """A crawl under way, one of whose requests will not be answered."""
    fault = sandbox.faults.add("delay", "iga", "/categories/", after=3, seconds=SLOW)
    crawling = submit("iga", sandbox.url, database_url, args={"store": store(sandbox)}, **BEAT, **settings)
    until("an answer under way", lambda: fault.fired or crawling.done())
    assert not crawling.done()
    return crawling


def taken_over(engine: Engine, sandbox: SandboxServer, *, resume: bool = False) -> opening.Run:
    """Another machine opens a run of the store, and believes that ours is dead."""
    late = datetime.now(UTC) + timedelta(hours=1)
    wanted = target(store(sandbox), "iga")
    return opening.open_run(engine, wanted, spider="iga", now=late, host="elsewhere", pid=1, resume=resume)


@contextlib.contextmanager
def unchecked(engine: Engine) -> Iterator[Connection]:
    """A transaction without foreign keys, as an operator who deletes rows by hand may have one."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.execution_options(splitcart_writes=True).begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
        connection.invalidate()


def do(*statements: str) -> Callable[[Engine, SandboxServer], None]:
    def strike(engine: Engine, _: SandboxServer) -> None:
        with unchecked(engine) as connection:
            for statement in statements:
                connection.execute(text(statement))

    return strike


END = "finished_at = started_at, lease_token = NULL, lease_until = NULL, reason = 'by hand'"
STRIKES: dict[str, Callable[[Engine, SandboxServer], Any]] = {
    "taken over": taken_over,
    "resumed by another": lambda engine, sandbox: taken_over(engine, sandbox, resume=True),
    "abandoned": do(f"UPDATE crawl_runs SET status = 'abandoned', {END} WHERE status = 'running'"),
    "ended by another": do(f"UPDATE crawl_runs SET status = 'failed', {END} WHERE status = 'running'"),
    "another token": do("UPDATE crawl_runs SET lease_token = 'other' WHERE status = 'running'"),
    "run gone": do("DELETE FROM crawl_runs WHERE status = 'running'"),
    "run gone with all it had": do("DELETE FROM staged_items", "DELETE FROM crawl_run_categories",
                                   "DELETE FROM crawl_runs WHERE status = 'running'"),
    "the store is another's": do("UPDATE stores SET lease_token = 'other' WHERE lease_token IS NOT NULL"),
    "store gone": do("DELETE FROM stores"),
    "company and store gone": do("DELETE FROM stores", "DELETE FROM companies"),
}  # fmt: skip
HELD_BY_ANOTHER = {"taken over", "resumed by another", "another token", "the store is another's"}


@pytest.mark.parametrize("how", STRIKES)
def test_a_crawl_that_lost_its_lease_ends_within_seconds_with_exit_code_1_and_its_slot_free(
    sandbox: SandboxServer, engine: Engine, database_url: str, how: str
) -> None:
    assert crawl("iga", sandbox.url, database_url, store=store(sandbox)).status == "complete"
    before = query(engine, "SELECT count(*), sum(price_cents) FROM prices")
    crawling = begin(sandbox, database_url)
    STRIKES[how](engine, sandbox)
    outcome = crawling.result(DEADLINE)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("lease_lost: run 2 "), outcome.reason
    assert outcome.stats["finish_reason"] == "lease_lost"
    assert query(engine, "SELECT count(*), sum(price_cents) FROM prices") == before
    sandbox.faults.clear()
    if how in HELD_BY_ANOTHER:
        return
    assert query(engine, "SELECT id FROM crawl_runs WHERE status = 'running'") == []
    if "company" not in how:
        assert value(engine, "SELECT count(*) FROM stores WHERE lease_token IS NOT NULL") == 0
        assert crawl("iga", sandbox.url, database_url, store=store(sandbox)).exit_code != 3


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_took_the_store_over_keeps_it(
    sandbox: SandboxServer, engine: Engine, database_url: str, resume: bool
) -> None:
    assert crawl("iga", sandbox.url, database_url, store=store(sandbox)).status == "complete"
    crawling = begin(sandbox, database_url)
    other = taken_over(engine, sandbox, resume=resume)
    assert crawling.result(DEADLINE).exit_code == 1
    held = query(engine, "SELECT id, lease_token FROM crawl_runs WHERE status = 'running'")
    assert held == [(other.id, other.token)]
    assert query(engine, "SELECT lease_token FROM stores") == [(other.token,)]
    opening.heartbeat(engine, other, datetime.now(UTC))


def test_a_first_crawl_that_lost_its_run_ends_too(sandbox: SandboxServer, engine: Engine, database_url: str) -> None:
    crawling = begin(sandbox, database_url)
    STRIKES["run gone with all it had"](engine, sandbox)
    assert crawling.result(DEADLINE).exit_code == 1
    assert query(engine, "SELECT id FROM crawl_runs") == []


def test_a_stores_lease_that_was_cleared_by_hand_is_taken_again(
    sandbox: SandboxServer, engine: Engine, database_url: str
) -> None:
    assert crawl("iga", sandbox.url, database_url, store=store(sandbox)).status == "complete"
    run = opening.open_run(engine, target(store(sandbox), "iga"), spider="iga", now=datetime.now(UTC), host="h", pid=1)
    do("UPDATE stores SET lease_token = NULL, lease_until = NULL")(engine, sandbox)
    opening.heartbeat(engine, run, datetime.now(UTC))
    assert query(engine, "SELECT lease_token FROM stores") == [(run.token,)]


# The database is away ------------------------------------------------------------------------------------------------


def away(times: int) -> Callable[..., None]:
    """A heartbeat that the database does not take so many times."""
    beat, left = opening.heartbeat, [times]

    def heartbeat(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OperationalError("UPDATE crawl_runs", {}, Exception("the server is away"))
        beat(*arguments)

    return heartbeat


def test_a_crawl_gets_over_a_database_that_is_away_for_less_than_the_lease(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "heartbeat", away(2))
    sandbox.faults.add("delay", "iga", "/categories/", seconds=0.3, times=3)
    outcome = crawl("iga", sandbox.url, database_url, overrides=BEAT, store=store(sandbox))
    assert (outcome.status, outcome.exit_code) == ("complete", 0)


def test_a_crawl_ends_when_no_heartbeat_got_through_for_as_long_as_its_lease_lasts(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawling = begin(sandbox, database_url, LEASE_SECONDS=4)
    monkeypatch.setattr(opening, "heartbeat", away(10_000))
    outcome = crawling.result(DEADLINE)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("database_lost: no heartbeat has reached the database for")
    assert "the server is away" in str(outcome.reason)
    assert query(engine, "SELECT status FROM crawl_runs") == [("failed",)]  # its last word found the database again


@contextlib.contextmanager
def occupied(engine: Engine) -> Iterator[None]:
    """Nobody else can write, as long as it lasts: no statement fails, and none is answered."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection = connection.execution_options(splitcart_writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE crawl_runs IN ACCESS EXCLUSIVE MODE"))
            yield


def test_a_crawl_ends_though_its_database_never_answers(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEAST", 0.5)
    monkeypatch.setattr(run_extension, "LOST_LEASE_TIMEOUT", 0.5)
    crawling = begin(sandbox, database_url, LEASE_SECONDS=4)
    with occupied(engine):
        outcome = crawling.result(DEADLINE)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("database_lost: ")


def test_a_process_ends_though_its_database_never_answers(
    sandbox: SandboxServer, engine: Engine, database_url: str, tmp_path: Any
) -> None:
    fault = sandbox.faults.add("delay", "iga", "/categories/", after=3, seconds=SLOW)
    options = ("-a", f"store={store(sandbox)}", "-a", "dev=1", "-s", "LEASE_SECONDS=4", "-s", "HEARTBEAT_SECONDS=0.2")
    crawling = start("iga", *options, log=tmp_path / "log", database=database_url, sandbox=sandbox.url)
    until("an answer under way", lambda: fault.fired, lambda: crawling.log)
    with occupied(engine):
        assert crawling.code() == 1, crawling.log
    assert "database_lost" in crawling.log
    assert "Bring the database back" in crawling.log


def test_a_process_whose_run_was_taken_over_exits_1(
    sandbox: SandboxServer, engine: Engine, database_url: str, tmp_path: Any
) -> None:
    fault = sandbox.faults.add("delay", "iga", "/categories/", after=3, seconds=SLOW)
    options = ("-a", f"store={store(sandbox)}", "-a", "dev=1", "-s", "HEARTBEAT_SECONDS=0.2")
    crawling = start("iga", *options, log=tmp_path / "log", database=database_url, sandbox=sandbox.url)
    until("an answer under way", lambda: fault.fired, lambda: crawling.log)
    taken_over(engine, sandbox)
    assert crawling.code() == 1, crawling.log
    assert "(abandoned) lost its lease: another took the store over" in crawling.log
    assert "Traceback" not in crawling.log


# The keeper alone ----------------------------------------------------------------------------------------------------


def kept(beat: Callable[[], None], *, every: float = 0.01, lasts: float = 60.0, seconds: float = 30.0) -> CrawlError:
    """Why a keeper lost the lease that `beat` prolongs."""

    async def keep() -> CrawlError:
        lost: asyncio.Future[CrawlError] = asyncio.get_running_loop().create_future()
        keeper = LeaseKeeper(lambda: beat, lost.set_result, every=every, lasts=lasts)
        keeper.start()
        try:
            return await asyncio.wait_for(lost, seconds)
        finally:
            keeper.stop()

    return asyncio.run(keep())


def test_any_failure_of_heartbeats_ends_the_crawl_once_the_lease_is_over() -> None:
    def beat() -> None:
        raise ZeroDivisionError("an unforeseen error")

    error = kept(beat, lasts=0.05)
    assert isinstance(error, DatabaseLost)
    assert "an unforeseen error" in str(error)


def test_a_heartbeat_that_got_through_begins_the_lease_anew() -> None:
    """Eight outages in a row, each shorter than the lease, together longer."""
    beats = iter([*["got through", *["away"] * 4] * 8, "got through", "lost"])

    def beat() -> None:
        match next(beats):
            case "away":
                raise ConnectionError("away")
            case "lost":
                raise LeaseLost(7, "abandoned")

    assert isinstance(kept(beat, every=0.1, lasts=2.0), StoreLost)


def test_work_that_never_returns_keeps_neither_its_caller_nor_the_process() -> None:
    import threading

    held = threading.Event()

    async def wait() -> None:
        await asyncio.wait_for(in_daemon_thread(held.wait), 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    [left] = [thread for thread in threading.enumerate() if thread.name == "daemon-wait"]
    assert left.daemon
    held.set()
    left.join(DEADLINE)


def test_a_daemon_thread_returns_the_result_of_its_work_or_raises_its_error() -> None:
    assert asyncio.run(in_daemon_thread(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_daemon_thread(divmod, 7, 0))
