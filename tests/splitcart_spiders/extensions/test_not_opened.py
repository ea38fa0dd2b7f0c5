"""Without a run no request is sent: its answer could not be kept."""

import pytest

from models.runs import opening
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import crawl
from tests.support.storage import query

NOBODY_LISTENS = "postgresql://splitcart:correct-horse@127.0.0.1:9/splitcart"


@pytest.fixture(scope="module")
def server():
    with SandboxServer(World(seed=2, products=30, stores=1)) as server:
        yield server


@pytest.mark.parametrize("url", [NOBODY_LISTENS, "postgresql://splitcart:correct-horse@127.0.0.1:port/splitcart"])
@pytest.mark.parametrize(("spider", "arguments"), [("iga", {"store": "1"}), ("iga_stores", {})])
def test_without_a_database_a_crawl_fails_before_its_first_request(server, spider, arguments, url, caplog):
    outcome = crawl(spider, server.url, url, **arguments)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.reason.startswith("the run could not be opened: ")
    assert outcome.stats["finish_reason"] == "run_not_opened"
    assert server.log == []
    assert "correct-horse" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("latin1_url", "which cannot keep every name"),
        ("ascii_url", "which cannot keep every name"),
        ("guest_url", "may make no temporary tables"),
    ],
)
@pytest.mark.parametrize(("spider", "arguments"), [("iga", {"store": "1"}), ("iga_stores", {})])
def test_a_database_that_cannot_serve_fails_a_crawl_before_its_first_request(
    server, spider, arguments, kind, why, request, caplog
):
    outcome = crawl(spider, server.url, request.getfixturevalue(kind), **arguments)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert why in outcome.reason
    assert server.log == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["sqlite://", "mysql://h/d", "postgresql+asyncpg://h/d", "some.db", "sqlite:////tmp"])
def test_a_url_that_names_no_database_that_serves_fails_a_crawl_before_its_first_request(server, url, caplog):
    outcome = crawl("iga", server.url, url, store="1")
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "DATABASE_URL" in outcome.reason
    assert server.log == []
    assert "Traceback" not in caplog.text


def test_a_run_whose_history_cannot_be_read_fails_before_its_first_request(server, engine, database_url, monkeypatch):
    def broken(*_):
        raise ConnectionError("the database went away")

    monkeypatch.setattr(opening, "history", broken)
    store = server.world.stores("iga")[0].store_code
    outcome = crawl("iga", server.url, database_url, store=store)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert server.log == []
    assert query(engine, "SELECT status FROM crawl_runs") == [("failed",)]
