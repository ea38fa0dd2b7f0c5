"""A crawl whose SQLite file is removed or replaced is never complete: exit code 1, and an error that names the file."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.database import engine as engines
from models.publishing import publish as publishing
from models.publishing import stores
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders.extensions.run import RunExtension
from tests.support.crawls import Outcome, crawl, load
from tests.support.storage import query


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=9, products=60, stores=1)) as server:
        yield server


def run(sandbox: SandboxServer, url: str, spider: Any = "iga", **settings: Any) -> Outcome:
    settings = {"HEARTBEAT_SECONDS": 0.05} | settings
    return crawl(spider, sandbox.url, url, overrides=settings, store=sandbox.world.stores("iga")[0].store_code)


def removed(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def replaced(file: Path) -> None:
    other = file.with_name("other")
    shutil.copyfile(file, other)
    other.replace(file)


def log_removed(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


def folder_moved(file: Path) -> None:
    file.parent.rename(file.parent.with_name(f"{file.parent.name}-moved"))


STRIKES = (removed, replaced, log_removed, folder_moved)


@pytest.fixture
def file(tmp_path: Path, sqlite_template: Path) -> Path:
    """A migrated database in a folder that can be moved."""
    (tmp_path / "data").mkdir()
    return Path(shutil.copyfile(sqlite_template, tmp_path / "data" / "splitcart.db"))


def at_page(number: int, strike: Callable[[], None]) -> type:
    """IGA's spider; something happens before page number `number`."""
    pages = iter(range(10_000))

    class Struck(load("iga")):  # type: ignore[misc]
        def page(self, response: Any) -> Any:
            if next(pages) == number:
                strike()
            return super().page(response)

    return Struck


def check(outcome: Outcome, file: Path, strike: Any) -> None:
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(file) in str(outcome.reason)
    assert "was removed" in str(outcome.reason) or "was replaced" in str(outcome.reason)
    assert "Put the file back" in str(outcome.reason)
    if strike in (removed, folder_moved):
        assert not file.exists()


@pytest.mark.parametrize("strike", STRIKES)
def test_a_file_lost_mid_crawl_ends_it_as_failed(sandbox: SandboxServer, file: Path, strike: Any) -> None:
    outcome = run(sandbox, f"sqlite:///{file}", at_page(2, lambda: strike(file)))
    check(outcome, file, strike)


@pytest.mark.parametrize("strike", STRIKES)
def test_a_heartbeat_ends_the_crawl_before_it_asks_for_the_rest(
    sandbox: SandboxServer, file: Path, strike: Any
) -> None:
    sandbox.faults.add("delay", "iga", "/categories/", after=4, seconds=300)
    try:
        outcome = run(sandbox, f"sqlite:///{file}", at_page(2, lambda: strike(file)))
    finally:
        sandbox.faults.clear()
    check(outcome, file, strike)
    assert outcome.stats["finish_reason"] == "database_lost"


@pytest.mark.parametrize("strike", STRIKES)
@pytest.mark.parametrize("door", ["measured", "finisher"])
def test_a_file_lost_while_the_run_ends_is_noticed(
    sandbox: SandboxServer, file: Path, strike: Any, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = getattr(RunExtension, door)

    def struck(self: RunExtension, *arguments: Any) -> Any:
        strike(file)
        return enter(self, *arguments)

    monkeypatch.setattr(RunExtension, door, struck)
    check(run(sandbox, f"sqlite:///{file}", HEARTBEAT_SECONDS=30), file, strike)


@pytest.mark.parametrize("strike", STRIKES)
def test_a_file_lost_right_after_the_last_commit_is_noticed(
    sandbox: SandboxServer, file: Path, strike: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = publishing.publish

    def published(*arguments: Any, **options: Any) -> Any:
        done = publish(*arguments, **options)
        strike(file)
        return done

    monkeypatch.setattr(publishing, "publish", published)
    check(run(sandbox, f"sqlite:///{file}", HEARTBEAT_SECONDS=30), file, strike)


@pytest.mark.parametrize("strike", STRIKES)
def test_a_locator_whose_file_is_lost_fails(
    sandbox: SandboxServer, file: Path, strike: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = stores.open_stores

    def struck(*arguments: Any) -> int:
        found = known(*arguments)
        strike(file)
        return found

    monkeypatch.setattr(stores, "open_stores", struck)
    check(crawl("iga_stores", sandbox.url, f"sqlite:///{file}"), file, strike)


def test_the_next_crawl_is_complete_once_the_file_is_back(sandbox: SandboxServer, file: Path) -> None:
    away = file.parent.with_name("away")
    outcome = run(sandbox, f"sqlite:///{file}", at_page(2, lambda: file.parent.rename(away)))
    assert outcome.exit_code == 1
    away.rename(file.parent)
    later = {"CLOCK_AHEAD": 3600}  # the run of this very process holds its lease until then
    assert run(sandbox, f"sqlite:///{file}", **later).status == "complete"
    engine = engines.create(f"sqlite:///{file}")
    assert query(engine, "SELECT status FROM crawl_runs ORDER BY id") == [("abandoned",), ("complete",)]
    engine.dispose()
