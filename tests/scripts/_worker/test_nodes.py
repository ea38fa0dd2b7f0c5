"""A worker over fake nodes on a fake clock: what is crawled when nodes are full or die, and when it is stopped."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from _worker import merging
from _worker.nodes import ScrapydCrawls, watching
from sqlalchemy import select

from models.database import engine as engines
from models.tables import crawl_runs
from splitcart.runs.verdict import EVERY_STORE
from tests.support.nodes import PlayedNode
from tests.support.schedules import company_of
from tests.support.storage import START
from tests.support.workers import MINUTE, Rig, at_once

STORES = [str(number) for number in range(1, 7)]
HOUR = 60 * MINUTE


class Fleet:
    """A worker over nodes a and b; `at` says what happens when."""

    def __init__(self, rig: Rig, places: Sequence[int], most: int) -> None:
        self.rig, self.clock = rig, rig.clock
        self.nodes = [
            PlayedNode(name, n, engine=rig.engine, clock=rig.clock) for name, n in zip("ab", places, strict=True)
        ]
        self.events: list[tuple[datetime, Callable[[], Any]]] = []
        self.reported: list[str] = []
        rig.stop.meanwhile = self.play
        rig.crawls = ScrapydCrawls(self.nodes, most, watching(rig.schedule), self.reported.append, self.monotonic, 30)

    def monotonic(self) -> float:
        return (self.clock() - START).total_seconds()

    def at(self, when: timedelta, what: Callable[[], Any]) -> None:
        self.events.append((START + when, what))

    def play(self) -> None:
        for event in [each for each in self.events if each[0] <= self.clock()]:
            self.events.remove(event)
            event[1]()
        for node in self.nodes:
            node.play()

    def run(self, *signals: timedelta) -> int:
        """The exit code of a worker that gets signals at these times."""
        self.rig.stop.at = [START + when for when in signals]
        return self.rig.run()

    def runs(self) -> list[tuple[Any, ...]]:
        """(store, status, start, end) of each run of a store, in order."""
        run = crawl_runs.c
        asked = select(run.store_code, run.status, run.started_at, run.finished_at).where(run.store_code != EVERY_STORE)
        with self.rig.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(asked.order_by(run.id))]

    def check(self) -> None:
        """Each store is complete once; no other run of it published, and none overlaps another."""
        found = self.runs()
        assert sorted(store for store, status, *_ in found if status == "complete") == STORES
        assert {status for _, status, *_ in found} <= {"complete", "abandoned"}
        for store in STORES:
            mine = [(began, ended) for code, _, began, ended in found if code == store]
            assert all(ended <= began for (_, ended), (began, _) in pairwise(mine))


@pytest.fixture
def fleet(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fleet]]:
    """Makes a worker of a company with six stores over two nodes."""
    monkeypatch.setattr(merging, "in_thread", at_once)
    engine = engines.create(sqlite_url)
    company_of(engine, STORES)

    def make(*places: int, most: int = 2) -> Fleet:
        rig = Rig(engine)
        rig.located()
        return Fleet(rig, places or (2, 2), most)

    yield make
    engine.dispose()


def test_nodes_run_no_more_than_they_may_and_no_lease_runs_out_in_a_queue(fleet: Callable[..., Fleet]) -> None:
    both = fleet(2, 2)
    assert both.run(2 * HOUR) == 0
    both.check()
    assert [node.most for node in both.nodes] == [2, 2]
    assert [node.turned_away + node.cancelled for node in both.nodes] == [[], []]
    assert {status for _, status, *_ in both.runs()} == {"complete"}


def test_a_node_that_runs_fewer_than_max_jobs_costs_one_job_its_turn(fleet: Callable[..., Fleet]) -> None:
    both = fleet(2, 1)
    assert both.run(2 * HOUR) == 0
    both.check()
    assert [node.most for node in both.nodes] == [2, 1]
    assert [len(node.cancelled) for node in both.nodes] == [0, 1]
    assert len(both.rig.reported("not_begun")) == 1
    assert [node.turned_away for node in both.nodes] == [[], []]


def test_what_a_node_that_dies_had_in_hand_is_crawled_again_after_its_delay(fleet: Callable[..., Fleet]) -> None:
    both = fleet()
    other, dies = both.nodes
    both.at(5 * MINUTE, dies.die)
    assert both.run(2 * HOUR) == 0
    both.check()
    dead = [(store, ended) for store, status, _, ended in both.runs() if status == "abandoned"]
    again = {store: began for store, status, began, _ in both.runs() if status == "complete"}
    assert len(dead) == 2
    assert all(again[store] >= ended + 10 * MINUTE for store, ended in dead)
    assert (len(dies.arguments), len(other.arguments)) == (2, 6)


def test_a_node_that_comes_back_with_an_old_queue_does_no_harm_and_is_used_again(
    fleet: Callable[..., Fleet],
) -> None:
    both = fleet()
    _, dies = both.nodes
    both.at(timedelta(0), dies.freeze)  # a job comes to its queue and stays there
    both.at(MINUTE, dies.die)
    both.at(9 * MINUTE, lambda: setattr(dies, "down", ""))
    assert both.run(2 * HOUR) == 0
    both.check()
    assert len(dies.turned_away) == 1
    assert len(dies.arguments) > 1


def test_a_crawl_on_an_unreachable_node_continues_and_its_store_goes_to_no_other(fleet: Callable[..., Fleet]) -> None:
    both = fleet()
    _, lost = both.nodes
    both.at(5 * MINUTE, lambda: setattr(lost, "down", "lost"))
    assert both.run(2 * HOUR) == 0
    both.check()
    assert len(both.runs()) == len(STORES)
    assert len(lost.arguments) == 2


def test_a_signal_lets_the_crawls_in_hand_end_and_begins_none(fleet: Callable[..., Fleet]) -> None:
    both = fleet()
    assert both.run(5 * MINUTE) == 0
    assert [status for _, status, *_ in both.runs()] == ["complete"] * 4
    assert [node.cancelled for node in both.nodes] == [[], []]


def test_a_second_signal_cancels_the_jobs_in_hand(fleet: Callable[..., Fleet]) -> None:
    both = fleet()
    assert both.run(5 * MINUTE, 6 * MINUTE) == 0
    assert [status for _, status, *_ in both.runs()] == ["partial"] * 4
    assert all({job for job, _ in node.cancelled} == set(node.arguments) for node in both.nodes)
