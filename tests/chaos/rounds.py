"""One round of chaos: a crawl, a mishap meanwhile, and what the database holds afterwards."""

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from _support import oracle

from tests.chaos import scene as scenes
from tests.chaos.judge import Found, Judgement, judge
from tests.chaos.run import Doors
from tests.chaos.scene import Crawl, Scene

DEADLINE = 180.0
"""Seconds a crawl may take before the round counts it as hung."""
REQUESTS = 14
"""A mishap strikes after fewer requests than this; a small store takes about as many."""


@dataclass
class Round:
    """A crawl before its start, and what will happen to it; mishaps change it before it starts."""

    scene: Scene
    chain: str
    store_code: str
    patience: int
    """Requests until the mishap strikes."""
    doors: Doors
    stack: contextlib.ExitStack
    """Callbacks that clean up after the crawl."""
    as_process: dict[str, Any] | None = None
    """Options of tests.chaos.scene.process; None: inside this process."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of tests.chaos.scene.inside."""
    struck: bool = False
    notes: list[str] = field(default_factory=list)
    """Promises that the mishap itself found broken."""
    fired: Callable[[], bool] | None = None
    """Whether the sandbox showed the fault."""
    crawl: Crawl | None = None

    @property
    def chance(self) -> random.Random:
        return self.scene.chance

    def start(self) -> Crawl:
        if self.as_process is not None:
            self.crawl = scenes.process(self.scene, self.chain, self.store_code, **self.as_process)
        else:
            self.crawl = scenes.inside(self.scene, self.chain, self.store_code, doors=self.doors, **self.options)
        return self.crawl


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong.

    begin: prepares the round before the crawl starts. strike: happens after a random number of requests.
    harmless: the crawl must end complete nevertheless. spoils: a crawl that it struck is never complete.
    kills: the crawl may die before its run ends. mute: the database may not record the run's end, the exit code does.
    hides: rows are left out of answers; what a proof tolerates may be missing. on: the databases that it concerns.
    stops_server: needs a server that may be stopped. fills_disk: needs the right to mount a small disk.
    known: a false answer that is recognised only after a complete run.
    garbles: the share of rows whose price or name cannot be read: their price may stay as it was, none may be delisted.
    """

    name: str
    begin: Callable[[Round], None] | None = None
    strike: Callable[[Round], None] | None = None
    harmless: bool = False
    spoils: bool = False
    kills: bool = False
    mute: bool = False
    hides: bool = False
    on: tuple[str, ...] = ("sqlite", "postgresql")
    stops_server: bool = False
    fills_disk: bool = False
    known: bool = False
    garbles: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """The result of a round; `broken` names the promises that did not hold, one line each."""

    scene: str
    mishap: str
    chain: str
    store_id: str
    """The store code, under its name in JSON."""
    day: int
    struck: bool
    status: str
    reason: str
    exit_code: int | None
    seconds: float
    losses: int
    """Rows that are neither what they were before nor what they are after."""
    wrong_deletions: int
    """Rows that were there before, are sold after, and are gone."""
    false_complete: bool
    broken: tuple[str, ...]


PEACE = Mishap("nothing", harmless=True)


def play(scene: Scene, mishap: Mishap, chain: str, store_code: str) -> Outcome:
    """Crawls a store while the mishap happens, and judges what the database holds afterwards."""
    began, day = time.monotonic(), scene.sandbox.day
    before, last = oracle.stored(scene.engine, chain, store_code), scene.run(chain, store_code)
    with contextlib.ExitStack() as stack:
        round = Round(scene, chain, store_code, scene.chance.randrange(REQUESTS), Doors(scene.now), stack)
        stack.callback(scene.sandbox.faults.clear)
        stack.callback(scene.sandbox.switches.clear)
        if mishap.begin:
            mishap.begin(round)
        code = _watch(round, mishap)
    struck = round.struck or bool(round.fired and round.fired())
    run = scene.run(chain, store_code)
    fresh = run is not None and (last is None or (run.id, run.finished_at) != (last.id, last.finished_at))
    found = Found(before, oracle.stored(scene.engine, chain, store_code), run if fresh else None, code, struck)
    judgement = judge(scene, mishap, (chain, store_code), sorted({day, scene.sandbox.day}), found)
    return _outcome(round, mishap, day, judgement, found, time.monotonic() - began)


def _outcome(round: Round, mishap: Mishap, day: int, judgement: Judgement, found: Found, seconds: float) -> Outcome:
    return Outcome(
        scene=round.scene.name,
        mishap=mishap.name,
        chain=round.chain,
        store_id=round.store_code,
        day=day,
        struck=found.struck,
        status=found.run.status if found.run is not None else "no run",
        reason=str(found.run.reason or "") if found.run is not None else "",
        exit_code=found.code,
        seconds=round_to(seconds),
        losses=len(judgement.lost),
        wrong_deletions=len(judgement.deleted),
        false_complete=bool(judgement.false),
        broken=(*round.notes, *judgement.lines()),
    )


def round_to(seconds: float) -> float:
    return float(f"{seconds:.2f}")


def _watch(round: Round, mishap: Mishap) -> int | None:
    """Runs the crawl to its end and strikes at the chosen request; returns the exit code."""
    log = round.scene.sandbox.log
    begun, deadline = len(log), time.monotonic() + DEADLINE
    crawl, waiting = round.start(), mishap.strike
    while (code := crawl.code()) is None:
        round.scene.serve()
        if waiting and len(log) - begun >= round.patience:
            round.struck, strike, waiting = True, waiting, None
            strike(round)
        if time.monotonic() > deadline:
            round.notes.append(f"the crawl did not end within {DEADLINE:.0f} s")
            crawl.kill()
            return None
        time.sleep(0.004)
    round.scene.serve()
    return code
