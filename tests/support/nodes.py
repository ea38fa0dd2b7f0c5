"""Fake scrapyd nodes: their places and queues, and the rows that the crawls on them write."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from _worker.scrapyd import Jobs, NodeFailed
from sqlalchemy import Engine

from models.errors import LeaseOver, StoreHeld
from models.publishing.publish import publish
from models.runs import opening
from models.runs.endings import Ending
from tests.support.storage import judged, measured, row, stage, target


@dataclass
class FakeNode:
    """A scrapyd of `max_proc` places; `poll` is its turn to look at its queue."""

    name: str
    max_proc: int = 2
    project: str = "splitcart"
    down: str = ""
    """refused: it does not listen; lost: it does what is requested, but the answer is lost."""
    refuses: bool = False
    pending: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    cancelled: list[tuple[str, bool]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def jobs(self) -> Jobs:
        self._fail("jobs")
        return Jobs(frozenset(self.pending), frozenset(self.running))

    def schedule(self, spider: str, job: str, arguments: dict[str, str]) -> None:
        if self.refuses:
            raise NodeFailed(self.name, "project 'splitcart' not found", refused=True)
        if self.down != "refused":
            self.pending.append(job)
            self.arguments[job] = {"spider": spider, **arguments}
        self._fail("schedule")

    def cancel(self, job: str, *, kill: bool = False) -> None:
        self._fail("cancel")
        self.cancelled.append((job, kill))
        for jobs in (self.pending, self.running):
            if job in jobs:
                jobs.remove(job)

    def poll(self) -> None:
        while self.pending and len(self.running) < self.max_proc:
            self.running.append(self.pending.pop(0))

    def _fail(self, what: str) -> None:
        self.asked[what] += 1
        if self.down:
            raise NodeFailed(self.name, self.down, refused=self.down == "refused")


@dataclass(kw_only=True)
class PlayedNode(FakeNode):
    """A node whose jobs take ten minutes each and write what a crawl writes; `play` performs what is due."""

    engine: Engine
    clock: Callable[[], datetime]
    lasts: timedelta = timedelta(minutes=10)
    crawls: dict[str, tuple[opening.Run, datetime]] = field(default_factory=dict)
    """The runs of its jobs, and when they end."""
    turned_away: list[str] = field(default_factory=list)
    """Jobs whose lease was over, or whose store another held."""
    most: int = 0
    """Jobs that ran at once."""
    frozen: bool = False

    def play(self) -> None:
        if not self.down or self.down == "lost":
            self.poll()
        self.most = max(self.most, len(self.running))
        for job in list(self.running):
            if job not in self.crawls:
                self._open(job)
        for job, (run, until) in list(self.crawls.items()):
            if self.clock() >= until:
                self._end(job, "complete", "finished")
            else:
                opening.heartbeat(self.engine, run, self.clock())

    def freeze(self) -> None:
        """It answers, but begins no job from now on."""
        self.frozen = True

    def poll(self) -> None:
        if not self.frozen:
            super().poll()

    def die(self) -> None:
        """A power cut: its jobs are gone, their runs' rows stay as they are. Its queue is kept on disk."""
        self.down, self.frozen = "refused", False
        self.running.clear()
        self.crawls.clear()

    def cancel(self, job: str, *, kill: bool = False) -> None:
        if job in self.crawls and not kill and not self.down:
            self._end(job, "partial", "shutdown")
        self.crawls.pop(job, None)
        super().cancel(job, kill=kill)

    def _open(self, job: str) -> None:
        opened = {"spider": "aldi", "now": self.clock(), "host": self.name, "pid": 1}
        code, token = self.arguments[job]["store"], self.arguments[job]["lease"]
        try:
            run = opening.open_run(self.engine, target(code, "aldi"), token=token, **opened)
        except (LeaseOver, StoreHeld):
            self.turned_away.append(job)
            self.running.remove(job)
        else:
            self.crawls[job] = (run, self.clock() + self.lasts)

    def _end(self, job: str, status: str, reason: str) -> None:
        run, _ = self.crawls.pop(job)
        stage(self.engine, run.id, [row(1)])
        counts, now = measured(self.engine, run), self.clock()
        ending = Ending(verdict=judged(status, reason), now=now, answered_for=run.store_code, counts=counts)
        publish(self.engine, run, ending)
        if job in self.running:
            self.running.remove(job)
