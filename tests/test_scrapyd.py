"""A real scrapyd: deployed to from a checkout, its jobs end as the run rows say, in the database of its environment."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import crawl_worker
import psutil
import pytest
from _worker.nodes import ScrapydCrawls
from _worker.scrapyd import Node, NodeFailed
from sqlalchemy import Engine, Row, func, insert, select, update
from sqlalchemy.engine import make_url

from models import tables
from models.database import engine as engines
from sandbox.server import SandboxServer
from sandbox.world import World
from splitcart.runs.verdict import EVERY_STORE
from splitcart_spiders import settings
from tests.support import tree
from tests.support.postgres import Server
from tests.support.processes import until
from tests.support.schedules import company_of
from tests.support.scrapyd import Scrapyd, script
from tests.support.truth import check_truth, stored

SECRET = "correct-horse-battery"
LOGIN = {"SCRAPYD_USERNAME": "crawl", "SCRAPYD_PASSWORD": "staple:of/a@horse"}
FOREIGN = "raise ImportError('another package of this name')\n"
OWN = {"eggs", "dbs", "logs", "scrapyd.conf", "scrapyd.log"}
"""What scrapyd itself keeps in its folder."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=5, products=60, stores=3)) as server:
        yield server


@pytest.fixture(scope="module")
def url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database, by a URL with a password."""
    name = postgres_server.create_database(postgres_template)
    plain = make_url(postgres_server.url(name)).set(drivername="postgresql")
    try:
        yield (plain if plain.password else plain.set(password=SECRET)).render_as_string(hide_password=False)
    finally:
        postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[Engine]:
    created = engines.create(url)
    yield created
    created.dispose()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages called as ours are, that come before site-packages."""
    folder = tmp_path_factory.mktemp("foreign")
    for name in ("models", "pipelines"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(FOREIGN)
    return folder


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxServer, url: str, foreign: Path
) -> Iterator[Scrapyd]:
    environ = {"DATABASE_URL": url, "DEV_BASE_URL": sandbox.url, "PYTHONPATH": str(foreign), **LOGIN}
    with Scrapyd(tmp_path_factory.mktemp("node"), environ) as scrapyd:
        yield scrapyd


@pytest.fixture(scope="module")
def deployed(node: Scrapyd, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of scrapyd-deploy in a checkout, with the node as a target in the user's own scrapy.cfg."""
    home = tmp_path_factory.mktemp("home")
    user, password = LOGIN.values()
    target = f"[deploy:node]\nurl = {node.url}/\nusername = {user}\npassword = {password}\n"
    (home / "scrapy.cfg").write_text(target)
    for path in tree.files():
        (home / "checkout" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.ROOT / path, home / "checkout" / path)
    done = subprocess.run(
        [script("scrapyd-deploy"), "node"],
        cwd=home / "checkout",
        env=os.environ | {"XDG_CONFIG_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def online(sandbox: SandboxServer, chain: str = "iga") -> list[str]:
    return [store.store_code for store in sandbox.world.stores(chain) if store.is_online]


@dataclass(frozen=True)
class Job:
    id: str
    store: str
    log: str


@pytest.fixture(scope="module")
def jobs(node: Scrapyd, deployed: str, sandbox: SandboxServer) -> tuple[Job, Job]:
    """Two jobs at once, both ended: one left alone, one cancelled when it had some pages of a slow site."""
    alone, slow, *_ = online(sandbox)
    fault = sandbox.faults.add("delay", "iga", f"stores/{slow}/categories/", seconds=0.3)
    cancelled, crawled = (node.schedule("iga", store=store, dev=1) for store in (slow, alone))
    until("requests", lambda: fault.fired >= 8, node.log)
    assert node.cancel(cancelled) == "running"
    return Job(crawled, alone, node.wait(crawled)), Job(cancelled, slow, node.wait(cancelled))


@pytest.fixture(scope="module")
def crawled(jobs: tuple[Job, Job]) -> Job:
    return jobs[0]


@pytest.fixture(scope="module")
def cancelled(jobs: tuple[Job, Job]) -> Job:
    return jobs[1]


def run_of(engine: Engine, store: str) -> Row:
    with engine.connect() as connection:
        query = select(tables.crawl_runs).where(tables.crawl_runs.c.store_code == store)
        return connection.execute(query).one()


def test_scrapyd_deploy_in_a_checkout_sends_an_egg_with_every_spider(deployed: str) -> None:
    spiders = list((tree.ROOT / "splitcart_spiders" / "spiders").glob("[!_]*.py"))
    assert f'"spiders": {len(spiders)}' in deployed


def test_a_scheduled_job_stores_what_is_true(crawled: Job, engine: Engine, sandbox: SandboxServer) -> None:
    run = run_of(engine, crawled.store)
    assert (run.status, run.spider) == ("complete", "iga"), crawled.log
    check_truth(engine, "iga", crawled.store, sandbox.world.truth("iga", crawled.store, 0))


def test_a_node_refuses_requests_without_its_name_and_password(node: Scrapyd) -> None:
    for user, password in (("", ""), ("crawl", "wrong")):
        with pytest.raises(NodeFailed, match="set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"):
            Node(node.url, user, password).jobs()
    assert Node(node.url, *LOGIN.values()).jobs().pending == frozenset()


def test_packages_of_our_names_elsewhere_do_not_replace_ours(crawled: Job, node: Scrapyd, engine: Engine) -> None:
    plain = [sys.executable, "-c", "import models"]
    done = subprocess.run(plain, cwd=node.folder, env=node.environ, capture_output=True, text=True)
    assert "another package of this name" in done.stderr
    assert run_of(engine, crawled.store).status == "complete"


def test_no_password_is_in_a_file_of_scrapyds(crawled: Job, node: Scrapyd, url: str) -> None:
    assert "splitcart" in node.log()
    words = (url, f":{make_url(url).password}@", LOGIN["SCRAPYD_PASSWORD"])
    leaks = [
        path.relative_to(node.folder)
        for path in node.folder.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    ]
    assert leaks == []


def test_a_job_leaves_no_file_of_its_own_in_scrapyds_folder(crawled: Job, node: Scrapyd) -> None:
    assert {path.name for path in node.folder.iterdir()} <= OWN
    assert {path.stem for path in (node.folder / "dbs").iterdir()} == {"splitcart"}  # scrapyd's own queue
    assert {path.suffix for path in (node.folder / "logs").rglob("*") if path.is_file()} == {".log"}


def test_a_cancelled_job_ends_partial_with_what_it_saw(
    cancelled: Job, node: Scrapyd, engine: Engine, sandbox: SandboxServer
) -> None:
    run = run_of(engine, cancelled.store)
    assert (run.status, run.reason) == ("partial", "shutdown"), cancelled.log
    assert f"exitstatus=2 project='splitcart' spider='iga' job='{cancelled.id}'" in node.log()
    assert run.finished_at is not None
    assert run.lease_token is None
    truth = {row["sku"]: row["price_cents"] for row in sandbox.world.truth("iga", cancelled.store, 0)}
    found = {sku: row["price_cents"] for sku, row in stored(engine, "iga", cancelled.store).items()}
    assert 0 < len(found) < len([price for price in truth.values() if price is not None])
    assert found.items() <= truth.items()
    staged = select(func.count()).select_from(tables.staged_items).where(tables.staged_items.c.run_id == run.id)
    with engine.connect() as connection:
        assert connection.execute(staged).scalar_one() == run.counts["staged"] > 0


# A worker over two nodes -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fleet:
    """Two nodes, one of which dies with all of its processes while it crawls; the worker is this process."""

    alive: Scrapyd
    dies: Scrapyd
    engine: Engine
    sandbox: SandboxServer
    stop: Path

    def runs(self, **wanted: Any) -> list[Row]:
        """The runs of ALDI's stores, in order."""
        run = tables.crawl_runs
        query = select(run).where(run.c.spider == "aldi", *(run.c[name] == value for name, value in wanted.items()))
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(run.c.id)))

    def report(self) -> str:
        return f"{self.alive.log()}\n{self.dies.log()}\n{self.runs()}"

    def under_way(self) -> Row | None:
        """A run of the node that is to die which has had some pages of its store."""
        pids = {child.pid for child in psutil.Process(self.dies.process.pid).children(recursive=True)}
        asked = [entry.url for entry in self.sandbox.log if entry.chain == "aldi"]
        running = (run for run in self.runs(status="running") if run.pid in pids)
        return next((run for run in running if sum(run.store_code in url for url in asked) > 5), None)

    def strike(self) -> str:
        """Kills the node while it crawls; which store it crawled. The lease that its run leaves ends at once."""
        fault = self.sandbox.faults.add("delay", "aldi", "product-search", seconds=0.3)
        run = until("a run on the node that is to die", self.under_way, self.report)
        self.dies.kill()
        self.sandbox.faults.clear(number=fault.number)
        over = {"lease_until": datetime.now(UTC)}  # two minutes pass
        with self.engine.begin() as connection:
            connection.execute(update(tables.crawl_runs).where(tables.crawl_runs.c.id == run.id).values(**over))
            connection.execute(update(tables.stores).where(tables.stores.c.id == run.store_id).values(**over))
        return str(run.store_code)

    def watch(self) -> str:
        """Strikes, and asks the worker to stop when every store has been crawled."""
        try:
            killed = self.strike()
            stores = set(online(self.sandbox, "aldi"))
            until(
                "every store", lambda: {run.store_code for run in self.runs(status="complete")} == stores, self.report
            )
            return killed
        except BaseException:
            self.alive.kill()
            raise
        finally:
            self.stop.touch()


@pytest.fixture(scope="module")
def fleet(
    node: Scrapyd, deployed: str, engine: Engine, sandbox: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("other")
    company = company_of(engine, online(sandbox, "aldi"))
    row = {"company_id": company.id, "store_code": EVERY_STORE, "spider": "aldi_stores", "status": "complete"}
    row |= dict.fromkeys(("started_at", "finished_at"), datetime.now(UTC))
    with engine.begin() as connection:  # the stores are located: no locator runs
        connection.execute(insert(tables.crawl_runs).values(**row, host="elsewhere", pid=1))
    assert deployed
    with Scrapyd(folder / "node", node.environ, node.eggs) as other:
        yield Fleet(node, other, engine, sandbox, folder / "stop")


def test_a_node_that_is_killed_mid_run_costs_no_store_and_no_store_two_publishes(
    fleet: Fleet, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"DATABASE_URL": url, **LOGIN}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(settings, "SCHEDULE_FAILURE_MINUTES", 0)
    monkeypatch.setattr(crawl_worker, "ScrapydCrawls", partial(ScrapydCrawls, poll_seconds=0.3))
    nodes = [part for each in (fleet.alive, fleet.dies) for part in ("--scrapyd", each.url)]
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(fleet.watch)
        options = ["--company", "ALDI", "--dev", "--json", "--max-jobs", "1", "--stop-file", str(fleet.stop), *nodes]
        code = crawl_worker.main(options)
        killed = watching.result()
    out = capsys.readouterr().out
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0, events
    runs, stores = fleet.runs(), online(fleet.sandbox, "aldi")
    complete = [run for run in runs if run.status == "complete"]
    assert sorted(run.store_code for run in complete) == sorted(stores)
    assert [(run.store_code, run.status) for run in runs if run not in complete] == [(killed, "abandoned")]
    first, second = (run for run in runs if run.store_code == killed)
    assert first.finished_at <= second.started_at
    for store in stores:
        check_truth(fleet.engine, "aldi", store, fleet.sandbox.world.truth("aldi", store, 0))
    # The node that lives ran one job after the other.
    assert all(run.finished_at <= later.started_at for run, later in pairwise(complete))
    dead = urlsplit(fleet.dies.url).netloc
    assert sorted(event["event"] for event in events if dead in str(event.get("told"))) == ["crawled", "node"]
    assert not any(secret in out for secret in ("lease=", SECRET, LOGIN["SCRAPYD_PASSWORD"]))
