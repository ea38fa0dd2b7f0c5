"""One round of chaos: a crawl, something that goes wrong meanwhile, and what must hold afterwards."""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _chaos_checks
import _crawls
import _oracle
from sqlalchemy import Engine, Row, select

from models.tables import companies, crawl_runs
from sandbox.server import SandboxServer
from splitcart.runs import exit_code

DEADLINE = 180.0
"""Seconds a crawl may take before the round counts it as hung."""


@dataclass
class Scene:
    """Where rounds happen: a sandbox, a database, and a source of chance."""

    name: str
    sandbox: SandboxServer
    database: str
    engine: Engine
    chance: random.Random
    logs: Path
    restart: Callable[[], None] | None = None
    """Breaks every connection to the database, where that can be done."""
    started: int = 0
    """Crawls so far; each has its own log."""

    def crawl(self, chain: str, store_id: str) -> subprocess.Popen[bytes]:
        self.started += 1
        log = self.logs / f"{self.name}-{self.started:03}-{chain}-{store_id}.log"
        return _crawls.start(chain, store_id, database=self.database, sandbox=self.sandbox.url, log=log)

    def run(self, chain: str, store_id: str) -> Row[Any] | None:
        """The last run of a store."""
        query = (
            select(crawl_runs)
            .join(companies, companies.c.id == crawl_runs.c.company_id)
            .where(companies.c.slug == chain, crawl_runs.c.store_code == store_id)
            .order_by(crawl_runs.c.id.desc())
        )
        with self.engine.connect() as connection:
            return connection.execute(query).first()


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong.

    fault: a fault of the sandbox, by kind and options. strike: done to the scene while the crawl runs, after a random
    number of requests; gives what it found broken. harmless: a crawl must get over it and end complete. kills: the
    crawl does not live to its end. hides: rows are left out of answers; one a category is within a proof's tolerance.
    """

    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    strike: Callable[[Scene, subprocess.Popen[bytes], str, str], list[str]] | None = None
    harmless: bool = False
    kills: bool = False
    from_the_start: bool = False
    needs_restart: bool = False
    hides: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a round went; `broken` says which promise did not hold, one line each."""

    scene: str
    mishap: str
    chain: str
    store_id: str
    struck: bool
    status: str
    broken: tuple[str, ...]


def _kill(scene: Scene, process: subprocess.Popen[bytes], chain: str, store_id: str) -> list[str]:
    process.kill()
    return []


def _restart(scene: Scene, process: subprocess.Popen[bytes], chain: str, store_id: str) -> list[str]:
    assert scene.restart
    scene.restart()
    return []


def _no_network(scene: Scene, process: subprocess.Popen[bytes], chain: str, store_id: str) -> list[str]:
    scene.sandbox.network_down()
    return []


def _second(scene: Scene, process: subprocess.Popen[bytes], chain: str, store_id: str) -> list[str]:
    """A second crawl of the store: it must find the store held, or come after the first."""
    second = scene.crawl(chain, store_id)
    code = second.wait(DEADLINE)
    return [] if code in (0, 3) else [f"a second crawl of the store ended with exit code {code}"]


MISHAPS = (
    Mishap("nothing", harmless=True),
    Mishap("slow answers", {"kind": "delay", "seconds": 0.2, "times": 5}, harmless=True),
    Mishap("connections reset", {"kind": "reset", "times": 2}, harmless=True),
    Mishap("an answer cut short", {"kind": "cut", "times": 1}, harmless=True),
    Mishap("server errors", {"kind": "status", "status": 503, "times": 2}, harmless=True),
    Mishap("too many requests", {"kind": "status", "status": 429, "retry_after": "1", "times": 1}, harmless=True),
    Mishap("sessions expire", {"kind": "expire", "times": 1}, harmless=True),
    Mishap("a new build", {"kind": "build", "times": 1}, harmless=True),
    Mishap("truncated JSON", {"kind": "truncate", "times": 1}),
    Mishap("HTML where JSON is due", {"kind": "html", "times": 1}),
    Mishap("a block page", {"kind": "block"}),
    Mishap("denied", {"kind": "status", "status": 403}),
    Mishap("every page is page 1", {"kind": "page_one"}),
    Mishap("totals without rows", {"kind": "no_rows"}),
    Mishap("an empty store", {"kind": "empty"}),
    Mishap("9% of the rows gone", {"kind": "gone", "value": 0.09}, hides=True),
    Mishap("doubled prices", {"kind": "prices", "value": 2.0}, from_the_start=True),
    Mishap("the process is killed", strike=_kill, kills=True),
    Mishap("the network goes down", strike=_no_network),
    Mishap("two crawls of one store", strike=_second, harmless=True),
    Mishap("the database restarts", strike=_restart, needs_restart=True),
)


def play(scene: Scene, mishap: Mishap, chain: str, store_id: str) -> Outcome:
    """Crawls a store while the mishap happens, and checks what the database says afterwards."""
    before = _oracle.stored(scene.engine, chain, store_id)
    last = scene.run(chain, store_id)
    patience = scene.chance.randrange(16)
    fault = None
    if mishap.fault:
        fault = scene.sandbox.faults.add(chain=chain, after=0 if mishap.from_the_start else patience, **mishap.fault)
    broken: list[str] = []
    process = scene.crawl(chain, store_id)
    try:
        struck = _strike(scene, mishap, process, (chain, store_id), patience, broken)
        process.wait(DEADLINE)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        struck = True
        broken.append(str(error))
    finally:
        scene.sandbox.faults.clear()
        scene.sandbox.network_up()
    struck = struck or bool(fault and fault.fired)
    run = scene.run(chain, store_id)
    if run is None or (last is not None and run.id == last.id):
        broken += [] if mishap.kills else [f"no run was recorded, exit code {process.returncode}"]
    else:
        broken += judge(scene, mishap, run, (chain, store_id), before, struck, process.returncode)
    broken += _chaos_checks.unsound(scene.engine)
    return Outcome(scene.name, mishap.name, chain, store_id, struck, run.status if run else "no run", tuple(broken))


def _strike(
    scene: Scene,
    mishap: Mishap,
    process: subprocess.Popen[bytes],
    store: tuple[str, str],
    patience: int,
    broken: list[str],
) -> bool:
    """Waits until the crawl has sent `patience` requests, then strikes; False where the crawl had ended before."""
    if mishap.strike is None:
        return False
    begun, deadline = len(scene.sandbox.log), time.monotonic() + DEADLINE
    while len(scene.sandbox.log) - begun < patience:
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    broken += mishap.strike(scene, process, *store)
    return True


def judge(
    scene: Scene,
    mishap: Mishap,
    run: Row[Any],
    store: tuple[str, str],
    before: dict[str, Any],
    struck: bool,
    code: int,
) -> list[str]:
    """Which promises a finished round broke."""
    found = _oracle.stored(scene.engine, *store)
    truth = _oracle.offered(scene.sandbox.world, *store, scene.sandbox.day)
    broken = []
    killed = mishap.kills and struck and code < 0
    if not killed and (run.status == "running" or code != exit_code(run.status, run.reason or "")):
        broken.append(f"exit code {code}, but the run is {run.status} ({run.reason})")
    if run.status != "complete" and not killed and (mishap.harmless or not struck):
        broken.append(f"ended {run.status}: {run.reason}")
    if run.status == "complete" and not killed:
        allowed = _chaos_checks.categories(scene.engine, run.id) if mishap.hides else 0
        broken += _chaos_checks.untrue(before, found, truth, allowed)[:5]
    elif run.status == "partial":
        broken += _chaos_checks.unseen(before, found, truth)[:5]
    elif found != before and (not killed or _oracle.differences(before, found, truth)):
        broken.append(f"a run that is {run.status} changed prices")
    return broken
