"""Crawls as jobs of scrapyd, on one node or several. The row of a run says what became of it, never a node.

A node's word counts for what only a node knows: how many jobs it has, and whether a job still waits for a place on it.
"""

import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from _support.output import complain

from _worker.crawls import EVERY_STORE, Crawl, Ended, NotStarted
from _worker.scrapyd import Jobs, Node, NodeFailed
from models.scheduling.handed import Fate

POLL_SECONDS = 5.0
"""scrapyd itself looks for waiting jobs every 5 s."""
PENDING_SECONDS = 60.0
"""How long a job may wait for a place: half of the lease, so that a job that is let start takes it over in time."""
UNSEEN_SECONDS = 120.0
"""For how long a node may not answer until its jobs that no lease speaks for are given up."""
LONGEST_SILENCE = 300.0
"""Seconds between two tries of a node that does not answer; the first comes after POLL_SECONDS."""


@dataclass(slots=True, eq=False)
class Place:
    """What the runner knows of one node; times on the monotonic clock."""

    node: Node
    most: int
    """Jobs that it runs at once."""
    jobs: Jobs | None = None
    """None while it does not answer."""
    ask_at: float = 0.0
    failures: int = 0
    lost_at: float = math.inf
    """Since when it does not answer."""

    @property
    def free(self) -> int:
        """Jobs that it would begin at once. One that waits shows that it is full, or has yet to look at its queue."""
        return 0 if self.jobs is None or self.jobs.pending else max(0, self.most - len(self.jobs.running))


@dataclass(slots=True, eq=False)
class Job:
    """A crawl in hand: on which node, under which id, since when, and what asks for its fate."""

    id: str
    crawl: Crawl
    place: Place
    since: float
    fate: Callable[[], Fate]


@dataclass(slots=True, eq=False)
class ScrapydCrawls:
    """Runs crawls on nodes (`Crawls`). watch: called before a crawl is started, gives what asks for its fate."""

    nodes: Sequence[Node]
    most: int
    watch: Callable[[Crawl], Callable[[], Fate]]
    say: Callable[[str], None] = complain
    clock: Callable[[], float] = time.monotonic
    poll_seconds: float = POLL_SECONDS
    places: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [Place(node, self.most) for node in self.nodes]

    def room(self) -> int:
        """How many jobs the nodes that answer would begin at once."""
        for place in self.places:
            self._look(place)
        return sum(place.free for place in self.places)

    def start(self, crawl: Crawl) -> Job:
        """Queues the crawl on the node with the most free places. One that may have taken it keeps it."""
        fate = self.watch(crawl)
        for place in sorted(self.places, key=lambda each: -each.free):
            if not place.free:
                break
            self._look(place, now=True)  # another worker may have filled it meanwhile
            job = Job(uuid.uuid4().hex, crawl, place, self.clock(), fate)
            if place.free and self._schedule(job):
                return job
        raise NotStarted("no node has a free place: see --max-jobs, and the max_proc of each node's scrapyd.conf")

    def ended(self, job: Job) -> Ended | None:
        """None while the run is alive, or may still begin."""
        fate = job.fate()
        if fate == "ended":
            return Ended()
        if fate == "dead":
            self._cancel(job)  # what is left of it must not take the place of another
            return Ended(None, f"{self.where(job)}: its lease ended without a word")
        if fate == "running" and job.crawl.store_id != EVERY_STORE:
            return None
        self._look(job.place)
        return self._before_its_run(job) if fate == "waiting" else self._locating(job)

    def where(self, job: Job) -> str:
        """The node and its log of the job."""
        node = job.place.node
        return f"node {node.name}, logs/{node.project}/{job.crawl.spider}/{job.id}.log"

    def interrupt(self, job: Job) -> None:
        """cancel.json: the run ends partial; a job that waits is taken off the queue."""
        self._cancel(job)

    def kill(self, job: Job) -> None:
        """cancel.json with SIGKILL."""
        self._cancel(job, kill=True)

    def _schedule(self, job: Job) -> bool:
        """Whether the node has the job, or may have it."""
        place = job.place
        try:
            place.node.schedule(job.crawl.spider, job.id, dict(job.crawl.arguments))
        except NodeFailed as error:
            self._failed(place, error)
            return not error.refused
        assert place.jobs is not None
        place.jobs = Jobs(place.jobs.pending | {job.id}, place.jobs.running)
        place.ask_at = self.clock() + self.poll_seconds
        return True

    def _before_its_run(self, job: Job) -> Ended | None:
        """A job without a run: it waits for a place, has just begun, or ended before it could open its run."""
        jobs, waited = job.place.jobs, self.clock() - job.since
        if jobs is None:
            return self._unseen(job)
        if job.id in jobs.running or (job.id in jobs.pending and waited <= PENDING_SECONDS):
            return None
        if job.id in jobs.pending:
            self._cancel(job)
            self._full(job.place, len(jobs.running))
            return Ended(None, f"{self.where(job)}: it waited {waited:.0f} s for a place")
        if job.fate() != "waiting":  # its run began, or ended too, since the row was read
            return None
        return Ended(None, f"{self.where(job)}: it ended before its run began")

    def _locating(self, job: Job) -> Ended | None:
        """A locator's run has no heartbeat: its lease of hours says nothing, the node's word has to do."""
        if job.place.jobs is None:
            return self._unseen(job)
        if job.id in job.place.jobs.running or job.fate() == "ended":
            return None
        return Ended(None, f"{self.where(job)}: the locator died")

    def _unseen(self, job: Job) -> Ended | None:
        if self.clock() - job.place.lost_at <= UNSEEN_SECONDS:
            return None
        return Ended(None, f"{self.where(job)}: the node does not answer")

    def _full(self, place: Place, running: int) -> None:
        """A job has waited too long: the node runs no more than it does now, whatever --max-jobs says."""
        if 0 < running < place.most:
            place.most = running
            self.say(f"node {place.node.name} begins no more than {running} jobs: is --max-jobs above its max_proc?")
        elif not running:
            self._failed(place, NodeFailed(place.node.name, "it begins none of its jobs: see its log"))

    def _look(self, place: Place, *, now: bool = False) -> None:
        """Asks the node for its jobs, where that is due."""
        if not now and self.clock() < place.ask_at:
            return
        try:
            jobs = place.node.jobs()
        except NodeFailed as error:
            self._failed(place, error)
            return
        if place.failures:
            self.say(f"node {place.node.name} answers again")
        place.jobs, place.failures, place.lost_at = jobs, 0, math.inf
        place.ask_at = self.clock() + self.poll_seconds

    def _failed(self, place: Place, error: NodeFailed) -> None:
        """The node gets nothing until it answers; it is asked more and more seldom."""
        if not place.failures:
            self.say(f"{error}; it gets no crawl until it answers")
        wait = min(self.poll_seconds * 2 ** min(place.failures, 20), LONGEST_SILENCE)
        place.lost_at = min(place.lost_at, self.clock())
        place.jobs, place.failures, place.ask_at = None, place.failures + 1, self.clock() + wait

    def _cancel(self, job: Job, *, kill: bool = False) -> None:
        """Nothing is asked of a node that does not answer: a crawl that lost its lease ends by itself."""
        if job.place.jobs is None:
            return
        try:
            job.place.node.cancel(job.id, kill=kill)
        except NodeFailed as error:
            self._failed(job.place, error)
