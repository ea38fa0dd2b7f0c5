"""Real `scrapy crawl` processes: the exit code states how the run ended, and so does its row."""

import itertools
import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.database import engine as engines
from models.runs import opening
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import on_day
from tests.support.processes import Crawl, start, until
from tests.support.storage import target
from tests.support.truth import check_truth

AT_ONCE = 3
LISTING = {"chain": "iga", "match": "/categories/"}
Rows = list[tuple[Any, ...]]
Strike = Callable[[SandboxServer, Crawl, Path], Any]


def rows(database: Path, sql: str) -> Rows:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


@dataclass(frozen=True)
class Ended:
    """A process that has ended, and what it left in its database."""

    code: int
    log: str
    database: Path
    requests: int

    @property
    def runs(self) -> Rows:
        """(id, status, reason) of every run."""
        return rows(self.database, "SELECT id, status, reason FROM crawl_runs ORDER BY id")

    @property
    def outcome(self) -> tuple[int, str, str]:
        """Exit code, and status and reason of the last run."""
        return (self.code, *self.runs[-1][1:])


class Scenes:
    """How a crawl may end. Each is a process with a sandbox and a SQLite file of its own."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder, self.template = folder, template
        self.numbers = itertools.count()
        self.world = World(seed=7, products=60, stores=1)
        self.store = {chain: self.world.stores(chain)[0].store_code for chain in ("iga", "woolworths")}
        self.truth = self.world.truth("iga", self.store["iga"], 1)
        self.ahead = on_day(self.world, 1)["CLOCK_AHEAD"]

    def fresh(self) -> Path:
        return Path(shutil.copyfile(self.template, self.folder / f"{next(self.numbers)}.db"))

    def crawl(
        self,
        *options: str,
        chain: str = "iga",
        database: Path | None = None,
        fault: Mapping[str, Any] | None = None,
        strike: Strike | None = None,
        switch: str | None = None,
        **arguments: str,
    ) -> Ended:
        """One process to its end. `strike` happens while it runs; `arguments` are -a arguments."""
        given = [f"{name}={value}" for name, value in {"store": self.store[chain], "dev": "1", **arguments}.items()]
        set_ = ["RETRY_BACKOFF=0", f"CLOCK_AHEAD={self.ahead}", "HEARTBEAT_SECONDS=0.2"]
        parts = [*(x for a in given for x in ("-a", a)), *(x for s in set_ for x in ("-s", s)), *options]
        database = database or self.fresh()
        with SandboxServer(self.world, day=1) as server:
            if fault:
                server.faults.add(**fault)
            if switch:
                server.switches.add(switch)
            if strike is network_down:
                server.network_down()
            log = self.folder / f"{next(self.numbers)}.log"
            crawl = start(chain, *parts, log=log, database=f"sqlite:///{database}", sandbox=server.url)
            try:
                if strike:
                    strike(server, crawl, database)
                return Ended(crawl.code(), crawl.log, database, len(server.log))
            finally:
                crawl.process.kill()

    # The scenes -------------------------------------------------------------------------------------------------

    def complete(self) -> Ended:
        return self.crawl()

    def rows_missing(self) -> Ended:
        return self.crawl(fault={"kind": "gone", "value": 0.3, **LISTING})

    def held(self) -> Ended:
        database = self.fresh()
        engine = engines.create(f"sqlite:///{database}")
        now = datetime.now(UTC) + timedelta(seconds=self.ahead)
        opening.open_run(
            engine, target(self.store["iga"], "iga"), spider="iga", now=now, host=socket.gethostname(), pid=os.getpid()
        )
        engine.dispose()
        return self.crawl(database=database)

    def blocked(self) -> Ended:
        return self.crawl(fault={"kind": "block", "after": 5, **LISTING})

    def no_network(self) -> Ended:
        return self.crawl(strike=network_down)

    def another_store(self) -> Ended:
        return self.crawl(chain="woolworths", switch="woolworths_answers_1101")

    def older_schema(self) -> Ended:
        database = self.fresh()
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
            connection.commit()
        return self.crawl(database=database)

    def requested(self) -> Ended:
        key = self.truth[0]["category_path"][0]
        return self.crawl(categories=key)

    def no_store(self) -> Ended:
        return self.crawl(store="")

    def no_such_argument(self) -> Ended:
        return self.crawl(stoer="1")

    def no_such_option(self) -> Ended:
        return self.crawl("--acept-fulfilment")

    def no_value(self) -> Ended:
        return self.crawl("-a", "probe")

    def no_such_spider(self) -> Ended:
        self.store["igaa"] = "1"
        return self.crawl(chain="igaa")

    def terminated(self) -> Ended:
        return self.crawl(fault={"kind": "delay", "seconds": 1, "after": 8, **LISTING}, strike=terminate)

    def timed_out(self) -> Ended:
        fault = {"kind": "delay", "seconds": 2, "after": 8, **LISTING}
        return self.crawl("-s", "CLOSESPIDER_TIMEOUT=1", fault=fault)

    def killed(self) -> tuple[Ended, Ended, Ended]:
        """A killed crawl, and two next ones on copies of its database: a plain one, and one with -a resume=1."""
        fault = {"kind": "delay", "seconds": 30, "after": 12, **LISTING}
        first = self.crawl(fault=fault, strike=kill_when_some_is_staged)
        plain, resumed = (copy(first.database, name) for name in ("plain", "resumed"))
        return first, self.crawl(database=plain), self.crawl(database=resumed, resume="1")


def network_down(server: SandboxServer, crawl: Crawl, database: Path) -> None:
    """Struck before the crawl starts."""


def terminate(server: SandboxServer, crawl: Crawl, database: Path) -> None:
    [fault] = server.faults
    until("a slow answer", lambda: fault.fired, lambda: crawl.log)
    crawl.process.send_signal(signal.SIGTERM)


def kill_when_some_is_staged(server: SandboxServer, crawl: Crawl, database: Path) -> None:
    some = "SELECT 1 FROM staged_items, crawl_run_categories LIMIT 1"
    until("rows and an ended category", lambda: rows(database, some), lambda: crawl.log)
    crawl.process.kill()


def copy(database: Path, name: str) -> Path:
    """What another process would find in a database whose writer was killed, as a file of its own."""
    other = database.with_name(f"{name}.db")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(other)) as copied:
        source.backup(copied)
    return other


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Scenes:
    return Scenes(tmp_path_factory.mktemp("scenes"), sqlite_template)


@pytest.fixture(scope="module")
def futures(scenes: Scenes) -> Iterator[dict[str, Future[Any]]]:
    """All scenes, some at once, the longest first."""
    played = (
        scenes.killed, scenes.terminated, scenes.timed_out, scenes.complete, scenes.rows_missing, scenes.held,
        scenes.blocked, scenes.no_network, scenes.another_store, scenes.older_schema, scenes.requested, scenes.no_store,
        scenes.no_such_spider, scenes.no_such_argument, scenes.no_such_option, scenes.no_value,
    )  # fmt: skip
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {scene.__name__: pool.submit(scene) for scene in played}


@pytest.fixture
def ended(futures: dict[str, Future[Any]]) -> Callable[[str], Ended]:
    """How the scene of that name ended."""
    return lambda name: futures[name].result()


def check_database(ended: Ended, scenes: Scenes) -> None:
    engine = engines.create(f"sqlite:///{ended.database}")
    check_truth(engine, "iga", scenes.store["iga"], scenes.truth)
    engine.dispose()


def published(ended: Ended) -> int:
    return int(rows(ended.database, "SELECT count(*) FROM prices")[0][0])


def test_a_complete_crawl_exits_0_with_the_truth_in_its_database(ended, scenes):
    crawl = ended("complete")
    assert crawl.outcome == (0, "complete", "finished"), crawl.log
    check_database(crawl, scenes)


def test_a_crawl_logs_what_it_crawls_and_in_five_lines_how_it_ended(ended, scenes):
    crawl = ended("complete")
    first, *_, status, products, categories, time, after = (line[20:] for line in crawl.log.splitlines())
    store = f"iga store {scenes.store['iga']}"
    assert first.startswith(f"crawling {store} from the sandbox at http://127.0.0.1:")
    assert first.endswith(f" into sqlite:///{crawl.database}")
    assert status == f"complete: {store}"
    assert products.startswith(f"products: {len(scenes.truth)} with a price, {len(scenes.truth)} new, 0 changed, ")
    assert categories.endswith(" walked, 0 failed")
    assert time.startswith("time: ")
    assert after == f"next: plan with it: python scripts/split_cart.py LIST --stores iga:{scenes.store['iga']}"


@pytest.mark.parametrize("scene", ["complete", "requested"])
def test_a_crawl_without_problems_logs_nothing_useless(ended, scene):
    log = ended(scene).log
    assert len(log.splitlines()) <= 10, log
    assert not any(word in log for word in ("ERROR", "alembic", "Scrapy", "Overridden"))
    warnings = [line for line in log.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert "no complete run of its locator is stored" in warnings[0]


def test_ctrl_c_logs_at_once_what_the_crawl_waits_for_and_what_becomes_of_what_was_seen(ended):
    log = ended("terminated").log
    assert " answers under way, then what was seen is published" in log
    assert log.index("stopping: waiting for") < log.index("partial: iga store")
    assert "-a resume=1" in log.splitlines()[-1]


def test_a_partial_crawl_exits_2_with_what_it_saw(ended, scenes):
    crawl = ended("rows_missing")
    assert crawl.outcome[:2] == (2, "partial"), crawl.log
    assert 0 < published(crawl) < len(scenes.truth)


def test_a_store_held_by_another_exits_3_and_names_the_time(ended):
    crawl = ended("held")
    assert crawl.code == 3, crawl.log
    [(until_,)] = rows(crawl.database, "SELECT lease_until FROM crawl_runs")
    assert f"until {str(until_)[:19].replace('T', ' ')} UTC" in crawl.log
    assert f"process {os.getpid()}" in crawl.log
    assert [status for _, status, _ in crawl.runs] == ["running"]
    assert crawl.requests == 0


def test_a_block_exits_4_and_publishes_nothing(ended):
    crawl = ended("blocked")
    assert crawl.outcome == (4, "blocked", "blocked"), crawl.log
    assert published(crawl) == 0


def test_without_a_network_the_crawl_exits_5_and_logs_what_to_check(ended):
    crawl = ended("no_network")
    assert crawl.outcome == (5, "failed", "network_down"), crawl.log
    assert "There is no sandbox at" in crawl.log
    assert "python scripts/sandbox.py" in crawl.log


def test_another_store_than_asked_exits_1_and_publishes_nothing(ended):
    crawl = ended("another_store")
    assert crawl.outcome == (1, "failed", "store_mismatch"), crawl.log
    assert "--accept-fulfilment" in crawl.log
    assert published(crawl) == 0


def test_another_schema_exits_1_with_the_remedy_before_any_request(ended):
    crawl = ended("older_schema")
    assert crawl.code == 1
    assert "run `python scripts/migrate.py`" in crawl.log
    assert crawl.runs == []
    assert crawl.requests == 0


def test_a_crawl_of_some_categories_is_partial_as_requested_and_exits_0(ended, scenes):
    crawl = ended("requested")
    assert crawl.outcome == (0, "partial", "requested"), crawl.log
    assert 0 < published(crawl) < len(scenes.truth)


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ("no_store", "No store was named: scrapy crawl iga -a store=ID"),
        ("no_such_argument", "-a stoer=: iga takes no such argument; did you mean -a store=?"),
        ("no_such_option", "There is no option --acept-fulfilment: see scrapy crawl --help"),
        ("no_value", "error: Invalid -a value, use -a NAME=VALUE"),
        ("no_such_spider", "There is no spider 'igaa': one of aldi, aldi_stores, coles,"),
    ],
)
def test_a_crawl_that_cannot_be_started_exits_1_and_logs_why(ended, scene, message):
    crawl = ended(scene)
    assert crawl.code == 1
    assert message in crawl.log
    assert "Traceback" not in crawl.log
    assert crawl.runs == []


@pytest.mark.parametrize(("scene", "reason"), [("terminated", "shutdown"), ("timed_out", "closespider_timeout")])
def test_a_crawl_that_is_broken_off_is_partial(ended, scenes, scene, reason):
    crawl = ended(scene)
    assert crawl.outcome == (2, "partial", reason), crawl.log
    assert published(crawl) < len(scenes.truth)


def test_a_killed_crawl_is_abandoned_by_the_next_one(ended, scenes):
    killed, after, _ = ended("killed")
    assert killed.code == -signal.SIGKILL
    assert [status for _, status, _ in killed.runs] == ["running"]
    assert after.outcome == (0, "complete", "finished"), after.log
    (first, status, reason), (second, *_) = after.runs
    assert (status, reason.partition(" at ")[0]) == ("abandoned", "its lease ended")
    assert rows(after.database, f"SELECT count(*) FROM staged_items WHERE run_id = {first}") == [(0,)]
    assert second != first
    check_database(after, scenes)


def test_a_killed_crawl_is_resumed_when_asked(ended, scenes):
    killed, anew, resumed = ended("killed")
    assert resumed.outcome == (0, "complete", "finished"), resumed.log
    assert [run for run, *_ in resumed.runs] == [run for run, *_ in killed.runs]
    assert resumed.requests < anew.requests
    check_database(resumed, scenes)
