"""crawl_worker.py as an operator runs it: real processes, real crawls of the sandbox."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import crawl_worker
import next_store
import pytest

from models.database import engine as engines
from models.publishing.stores import publish_stores
from models.runs import opening
from models.runs.endings import Ending
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart_spiders import settings
from tests.support.crawls import on_day
from tests.support.storage import judged, query, target
from tests.support.tree import ROOT

DEADLINE = 120


@pytest.fixture(scope="module")
def world():
    return World(seed=7, products=40, stores=2)


@pytest.fixture
def rehearsed(world, sqlite_url):
    """Seconds that the clock is ahead; the stores were located then: ALDI's locator asks a thousand points."""
    ahead = on_day(world, 1)["CLOCK_AHEAD"]
    when = datetime.now(UTC) + timedelta(seconds=ahead)
    engine = engines.create(sqlite_url)
    run = opening.open_run(engine, target("*", "aldi"), spider="aldi_stores", now=when, host="h", pid=1)
    found = {each.store_code: {"store_name": each.name} for each in world.stores("aldi") if each.is_online}
    publish_stores(engine, run, Ending(verdict=judged(), now=when), dict(sorted(found.items())[:2]))
    engine.dispose()
    return ahead


@contextmanager
def working(*options, database, sandbox, logs, ahead=0.0):
    """A worker's process; killed with its group at the latest after DEADLINE seconds."""
    command = [sys.executable, str(ROOT / "scripts" / "crawl_worker.py"), "--company", "ALDI", "--dev", "--json"]
    environ = {"DATABASE_URL": database, "DEV_BASE_URL": sandbox, "CLOCK_AHEAD": str(ahead)}
    process = subprocess.Popen(
        [*command, "--logs", str(logs), *options],
        env=os.environ | environ,
        cwd=logs,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    late = threading.Timer(DEADLINE, process.kill)
    late.start()
    try:
        yield process
    finally:
        late.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def events(process, until=None):
    """The events that the worker reports, up to the first of that name."""
    reported = []
    for line in process.stdout:
        reported.append(json.loads(line))
        if reported[-1]["event"] == until:
            break
    return reported


def test_once_crawls_a_store_and_merges_and_a_rehearsal_sees_its_lease(
    world, rehearsed, sqlite_url, tmp_path, capsys, monkeypatch
):
    with (
        SandboxServer(world, day=1) as server,
        working("--once", database=sqlite_url, sandbox=server.url, logs=tmp_path, ahead=rehearsed) as process,
    ):
        reported = events(process)
        assert process.wait() == 0
    assert [each["event"] for each in reported] == ["started", "crawling", "crawled", "merging", "merged", "ended"]
    crawled = reported[2]
    assert (crawled["status"], crawled["reason"], crawled["company"]) == ("complete", "finished", "aldi")
    assert crawled["listings"] > 0
    assert all(datetime.fromisoformat(each["at"]) for each in reported)
    [log] = [each.name for each in (tmp_path / "aldi").iterdir()]
    assert f"-aldi-{crawled['store_id']}-" in log
    assert next_store_of(capsys, monkeypatch, sqlite_url, rehearsed)["store_id"] != crawled["store_id"]
    assert next_store_of(capsys, monkeypatch, sqlite_url, rehearsed)["reasons"] == {"scheduled": 2}


def next_store_of(capsys, monkeypatch, url, ahead):
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(settings, "CLOCK_AHEAD", str(ahead))
    next_store.main(["--company", "aldi", "--dev", "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_second_sigterm_ends_at_once_and_the_run_ends_partial_with_its_lease_free(
    world, rehearsed, sqlite_url, tmp_path
):
    engine = engines.create(sqlite_url)
    with SandboxServer(world, day=1) as server:
        server.faults.add(kind="delay", seconds=1, after=3, chain="aldi", match="product-search")
        with working(database=sqlite_url, sandbox=server.url, logs=tmp_path, ahead=rehearsed) as process:
            assert events(process, "crawling")[-1]["store_id"] != "*"
            [fault] = server.faults
            wait_for(lambda: fault.fired)
            os.killpg(process.pid, signal.SIGTERM)  # as a terminal and a service manager signal it
            stopping = events(process, "stopping")[-1]
            os.killpg(process.pid, signal.SIGTERM)
            reported = events(process)
            assert process.wait() == 0
    assert (stopping["why"], len(stopping["in_hand"])) == ("SIGTERM", 1)
    assert [each["event"] for each in reported] == ["breaking_off", "crawled", "ended"]
    assert (reported[1]["status"], reported[1]["reason"]) == ("partial", "shutdown")
    assert query(engine, "SELECT count(*) FROM stores WHERE lease_token IS NOT NULL") == [(0,)]
    assert query(engine, "SELECT count(*) FROM crawl_runs WHERE status = 'running'") == [(0,)]
    engine.dispose()


def wait_for(found):
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while not found():
        assert datetime.now(UTC) < deadline
        threading.Event().wait(0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--company"),
        (["--company", "aldi", "--policy", "newest"], "one of oldest"),
        (["--company", "aldi", "--stop-file", ""], "1 to 200 characters"),
        (["--company", "aldi", "--lockout-hours", "x"], "is no number of days or hours"),
    ],
)
def test_wrong_arguments_exit_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        crawl_worker.main(arguments)
    assert left.value.code == 2
    assert message in capsys.readouterr().err


def test_an_unknown_company_exits_1_and_names_those_that_there_are(capsys):
    assert crawl_worker.main(["--company", "nobody"]) == 1
    assert "'nobody' is unknown; there is aldi, coles, iga, woolworths" in capsys.readouterr().err


def test_a_clock_that_cannot_be_meant_exits_2(capsys, monkeypatch):
    monkeypatch.setattr(settings, "CLOCK_AHEAD", "soon")
    with pytest.raises(SystemExit) as left:
        crawl_worker.main(["--company", "aldi", "--dev"])
    assert left.value.code == 2
    assert "CLOCK_AHEAD" in capsys.readouterr().err


def test_a_stop_file_ends_the_worker_with_0_and_a_message(sqlite_url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    (tmp_path / "stop").touch()
    assert crawl_worker.main(["--company", "aldi", "--stop-file", str(tmp_path / "stop"), "--logs", str(tmp_path)]) == 0
    assert "asked to stop by the stop file" in capsys.readouterr().out
