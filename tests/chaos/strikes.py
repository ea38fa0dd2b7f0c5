"""Mishaps of a crawl itself: its process, its time, its code."""

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from scrapy import Spider

from tests.chaos import scene as scenes
from tests.chaos.rounds import Round

STATEMENTS = 60
"""About the number of statements between the last staged row and the commit of a store's first publish."""


def some_statement(chance: random.Random) -> int:
    """The number of a statement, more often an early one: a publish that changes little sends few."""
    return chance.randint(1, chance.choice((STATEMENTS // 5, STATEMENTS // 2, STATEMENTS)))


def wait_until(happened: Callable[[], bool]) -> None:
    """Waits until it has happened, a minute at most."""
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.005)


def _popen(round: Round) -> subprocess.Popen[bytes]:
    assert isinstance(round.crawl, scenes.Process)
    return round.crawl.popen


# The process ------------------------------------------------------------------------------------------------------


def as_process(round: Round) -> None:
    round.as_process = {}


def kill(round: Round) -> None:
    _popen(round).kill()


def dies_at_a_statement(phase: str) -> Callable[[Round], None]:
    """SIGKILL before a random statement of the run, or of its end."""

    def begin(round: Round) -> None:
        number = str(some_statement(round.chance))
        round.as_process = {"program": ("-m", "tests.chaos.child", phase, number)}
        round.fired = lambda: _popen(round).returncode == -signal.SIGKILL

    return begin


def terminate(round: Round) -> None:
    _popen(round).terminate()


def terminate_twice(round: Round) -> None:
    """The second signal does not wait for requests under way."""
    _popen(round).terminate()
    with contextlib.suppress(Exception):
        _popen(round).wait(round.chance.random() / 2)
    _popen(round).terminate()


def pages_run_out(round: Round) -> None:
    round.options["settings"] = {"CLOSESPIDER_PAGECOUNT": max(1, round.patience)}
    round.fired = lambda: _reason(round) == "closespider_pagecount"


def time_runs_out(round: Round) -> None:
    round.options["settings"] = {"CLOSESPIDER_TIMEOUT": 0.3 + round.chance.random()}
    round.scene.sandbox.faults.add("delay", round.chain, seconds=0.4)
    round.fired = lambda: _reason(round) == "closespider_timeout"


def _reason(round: Round) -> str:
    assert isinstance(round.crawl, scenes.Inside)
    return str(round.crawl.future.result().stats.get("finish_reason"))


# Its own code -----------------------------------------------------------------------------------------------------


class Oversight(Exception):
    """An error that no code expects."""


class Faulty:
    """A pipeline with a bug that shows when `left` items have passed."""

    left: int

    def process_item(self, item: Any) -> Any:
        type(self).left -= 1
        if self.left == 0:
            raise Oversight("a pipeline raised")
        return item


def _spider(round: Round) -> type[Spider]:
    from tests.support.crawls import load

    return load(round.chain)


def parse_raises(round: Round) -> None:
    base, left = _spider(round), [max(1, round.patience)]

    def page(self: Any, response: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Oversight("parse raised")
        return base.page(self, response)  # type: ignore[attr-defined]

    round.options["spider"] = type("Raising", (base,), {"page": page})
    round.fired = lambda: left[0] <= 0


def start_raises(round: Round) -> None:
    base, requests_first = _spider(round), round.chance.random() < 0.5

    async def start(self: Any) -> AsyncIterator[Any]:
        if requests_first:
            async for request in base.start(self):
                yield request
        raise Oversight("start() raised")

    round.options["spider"] = type("Raising", (base,), {"start": start})
    round.struck = True


def a_pipeline_raises(round: Round) -> None:
    from splitcart_spiders import settings

    faulty = type("OneFaulty", (Faulty,), {"left": round.chance.randint(1, 120)})
    round.options["settings"] = {"ITEM_PIPELINES": {**settings.ITEM_PIPELINES, faulty: 500}}
    round.fired = lambda: faulty.left <= 0
