"""A crawl that breaks off for any reason is never complete, its run states why, and the next crawl starts at once."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from models.products import barcodes
from models.publishing import publish as publishing
from models.staging.writer import StagingWriter
from models.tables import crawl_runs
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.settings import ITEM_PIPELINES
from tests.support.crawls import Outcome, crawl, load
from tests.support.storage import query
from tests.support.truth import check_truth


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=9, products=60, stores=1)) as server:
        yield server


def run(sandbox: SandboxServer, database_url: str, spider: Any = "iga", **settings: Any) -> Outcome:
    store = sandbox.world.stores("iga")[0].store_code
    return crawl(spider, sandbox.url, database_url, overrides=settings, store=store)


def ended(engine: Engine) -> tuple[str, str, list[str]]:
    """Status, reason and exceptions of the last run."""
    with engine.connect() as connection:
        row = connection.execute(select(crawl_runs).order_by(crawl_runs.c.id.desc()).limit(1)).one()
    return row.status, row.reason, (row.counts or {}).get("exceptions", [])


def raises_in_a_callback(at: int) -> type:
    """IGA's spider, whose callback for page number `at` of the crawl raises."""
    pages = iter(range(10_000))

    class Raising(load("iga")):  # type: ignore[misc]
        def page(self, response: Any) -> Any:
            if next(pages) == at:
                raise ZeroDivisionError("an unforeseen page")
            return super().page(response)

    return Raising


class RaisingStart(load("iga")):  # type: ignore[misc]
    """Asks for the tree, then start() raises."""

    async def start(self) -> AsyncIterator[Any]:
        async for request in super().start():
            yield request
        raise ZeroDivisionError("start() came to grief")


class RaisingAtOnce(load("iga")):  # type: ignore[misc]
    """start() raises before it asks for anything."""

    async def start(self) -> AsyncIterator[Any]:
        raise ZeroDivisionError("start() came to grief")
        yield


@pytest.mark.parametrize("at", [0, 3])
def test_an_exception_in_a_callback_is_never_complete_and_is_recorded(
    sandbox: SandboxServer, engine: Engine, database_url: str, at: int
) -> None:
    outcome = run(sandbox, database_url, raises_in_a_callback(at))
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert ended(engine) == ("failed", "failed", ["ZeroDivisionError: an unforeseen page"])
    assert query(engine, "SELECT count(*) FROM prices") == [(0,)]


@pytest.mark.parametrize("spider", [RaisingStart, RaisingAtOnce])
def test_an_exception_in_start_is_never_complete_and_is_recorded(
    sandbox: SandboxServer, engine: Engine, database_url: str, spider: type
) -> None:
    outcome = run(sandbox, database_url, spider)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    status, _, exceptions = ended(engine)
    assert (status, exceptions) == ("failed", ["ZeroDivisionError: start() came to grief"])


class Faulty:
    """A pipeline that cannot handle the fifth item."""

    left = 5

    def process_item(self, item: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise ZeroDivisionError("an unforeseen item")
        return item


def test_an_exception_in_a_pipeline_is_never_complete_and_is_recorded(
    sandbox: SandboxServer, engine: Engine, database_url: str
) -> None:
    outcome = run(sandbox, database_url, ITEM_PIPELINES={**ITEM_PIPELINES, Faulty: 500})
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert ended(engine) == ("failed", "failed", ["ZeroDivisionError: an unforeseen item"])


def test_a_publish_that_the_database_refuses_ends_the_run_as_failed_and_the_next_crawl_starts_at_once(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> Any:
        raise OperationalError("INSERT INTO prices", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_publish", full)
        outcome = run(sandbox, database_url)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert ended(engine)[:2] == ("failed", "the run could not be concluded: database or disk is full")
    assert run(sandbox, database_url).status == "complete"
    store = sandbox.world.stores("iga")[0].store_code
    check_truth(engine, "iga", store, sandbox.world.truth("iga", store, 0))


def test_a_staging_that_the_database_refuses_publishes_nothing_and_records_why(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> Any:
        raise OperationalError("INSERT INTO staged_items", {}, Exception("database or disk is full"))

    monkeypatch.setattr(StagingWriter, "_write", full)
    outcome = run(sandbox, database_url)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    status, reason, exceptions = ended(engine)
    assert (status, reason.partition(":")[0]) == ("failed", "empty_store")
    assert exceptions == ["OperationalError: database or disk is full"]
    assert query(engine, "SELECT count(*) FROM prices") == [(0,)]


def test_a_failure_after_the_run_was_published_does_not_change_its_outcome(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_arguments: Any) -> None:
        raise OperationalError("UPDATE listings", {}, Exception("server closed the connection"))

    monkeypatch.setattr(barcodes, "remember", lost)
    outcome = run(sandbox, database_url)
    assert (outcome.status, outcome.exit_code) == ("complete", 0)
    assert ended(engine)[0] == "complete"


def test_a_publish_whose_commit_reply_was_lost_exits_as_the_run_ended(
    sandbox: SandboxServer, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publishing.publish

    def lost(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(publishing, "publish", lost)
    outcome = run(sandbox, database_url)
    assert ended(engine)[:2] == ("complete", "finished")
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("complete", "finished", 0)
