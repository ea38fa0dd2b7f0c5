"""Crawls as jobs of scrapyd, on one node or several. A run's row states how a crawl ended, never a node.

A node's answer counts for what only the node knows: how many jobs it has, and whether a job still waits for a place.
"""

import argparse
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from _support.command import Parser, integer
from _support.output import print_error
from _worker.crawls import Crawl, Ended, NotStarted
from _worker.schedule import CompanySchedule
from _worker.scrapyd import Jobs, Node, NodeFailed, node_url

from models.scheduling.fates import Fate
from splitcart.runs.verdict import EVERY_STORE

MAX_JOBS = 4
"""The max_proc of deploy/scrapyd.conf."""
POLL_SECONDS = 5.0
"""scrapyd itself looks for waiting jobs every 5 s."""
FRESH_SECONDS = 1.0
"""How old a node's answer may be when a store is taken for it: other workers use its places, too."""
PENDING_SECONDS = 60.0
"""How long a job may wait for a place: half of the lease, so that a job still takes the lease over in time."""
UNSEEN_SECONDS = 120.0
"""How long a node may fail to answer before its jobs without a live lease are given up."""
LONGEST_SILENCE = 300.0
"""Seconds at most between two tries of a node that does not answer; the first comes after POLL_SECONDS."""


def take_nodes(made: Parser) -> None:
    """Adds --scrapyd and --max-jobs."""
    text = "crawl by this node's scrapyd, not here (http://HOST:6800); may be repeated"
    made.add_argument("--scrapyd", metavar="URL", type=node_url, action="append", default=[], help=text)
    text = f"jobs that each node runs at once, its max_proc (default {MAX_JOBS})"
    made.add_argument("--max-jobs", metavar="N", type=integer(1, 1000), default=MAX_JOBS, help=text)
    text = "crawls of this worker at once, on all nodes together (default: as many as there are places)"
    made.add_argument("--crawls", metavar="N", type=integer(1, 100_000), help=text)


def nodes_of(options: argparse.Namespace, environ: Mapping[str, str]) -> list[Node]:
    """The nodes of --scrapyd, each once, with the user and password of the environment, if any."""
    user, secret = (environ.get(f"SCRAPYD_{name}", "") for name in ("USERNAME", "PASSWORD"))
    return [Node(url, user, secret) for url in dict.fromkeys(options.scrapyd)]


def watching(schedule: CompanySchedule) -> Callable[[Crawl], Callable[[], Fate]]:
    """The `watch` of ScrapydCrawls: reads the fate of a crawl from its run's row."""

    def watch(crawl: Crawl) -> Callable[[], Fate]:
        after = schedule.last_run(crawl.store_code)
        return lambda: schedule.fate(crawl.store_code, crawl.arguments.get("lease"), after)

    return watch


@dataclass(slots=True, eq=False)
class Place:
    """What the runner knows about one node; times are of the monotonic clock."""

    node: Node
    most: int
    """Jobs that it runs at once."""
    jobs: Jobs | None = None
    """None while it does not answer."""
    in_hand: set[str] = field(default_factory=set)
    """This worker's jobs there whose runs may be alive: a restarted node has forgotten them."""
    looked_at: float = -math.inf
    ask_at: float = -math.inf
    """A node that did not answer is not asked again before this time."""
    failures: int = 0
    refuses: bool = False
    """Whether it refused the last job: that it answers does not make it usable."""
    lost_at: float = math.inf
    """Since when it does not answer."""

    @property
    def free(self) -> int:
        """Jobs that it would begin at once; none while a job waits: it is full, or has not read its queue yet."""
        if self.jobs is None or self.jobs.pending:
            return 0
        return max(0, self.most - len(self.jobs.running | self.in_hand))


@dataclass(slots=True, eq=False)
class Job:
    """A crawl in hand: its id, node and start, and a function that reads its fate."""

    id: str
    crawl: Crawl
    place: Place
    since: float
    fate: Callable[[], Fate]


@dataclass(slots=True, eq=False)
class ScrapydCrawls:
    """Runs crawls on nodes (`Crawls`). watch: called before a crawl starts, returns a function that reads its fate."""

    nodes: Sequence[Node]
    most: int
    watch: Callable[[Crawl], Callable[[], Fate]]
    report: Callable[[str], None] = print_error
    clock: Callable[[], float] = time.monotonic
    poll_seconds: float = POLL_SECONDS
    at_once: int | None = None
    """Crawls in hand at most, on all nodes together."""
    places: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [Place(node, self.most) for node in self.nodes]

    def room(self) -> int:
        """How many jobs the answering nodes would begin at once, within the limit `at_once`."""
        left = math.inf if self.at_once is None else self.at_once - sum(len(place.in_hand) for place in self.places)
        if left <= 0:
            return 0
        for place in self.places:
            self._look(place, FRESH_SECONDS)
        return int(min(left, sum(place.free for place in self.places)))

    def start(self, crawl: Crawl) -> Job:
        """Queues the crawl on the node with the most free places. A node that may have accepted it keeps it."""
        fate = self.watch(crawl)
        for place in sorted(self.places, key=lambda each: -each.free):
            job = Job(uuid.uuid4().hex, crawl, place, self.clock(), fate)
            if place.free and self._schedule(job):
                return job
        raise NotStarted("no node accepted the crawl: see the messages about the nodes, and their scrapyd's logs")

    def ended(self, job: Job) -> Ended | None:
        """None while the run is alive, or may still begin."""
        ended = self._ended(job)
        if ended is not None:
            job.place.in_hand.discard(job.id)
        return ended

    def _ended(self, job: Job) -> Ended | None:
        fate = job.fate()
        if fate == "ended":
            return Ended()
        if fate == "dead":
            self._cancel(job)  # what is left of it must not occupy a place
            return Ended(None, f"{self.where(job)}: its lease ended without a word")
        if fate == "running" and job.crawl.store_code != EVERY_STORE:
            return None
        self._look(job.place, self.poll_seconds)
        return self._before_its_run(job) if fate == "starting" else self._locating(job)

    def where(self, job: Job) -> str:
        """The node, and the job's log on it."""
        node = job.place.node
        return f"node {node.name}, logs/{node.project}/{job.crawl.spider}/{job.id}.log"

    def interrupt(self, job: Job) -> None:
        """cancel.json: the run ends partial; a waiting job is taken off the queue."""
        self._cancel(job)

    def kill(self, job: Job) -> None:
        """cancel.json with SIGKILL."""
        self._cancel(job, kill=True)

    def _schedule(self, job: Job) -> bool:
        """Whether the node has the job, or may have it."""
        place = job.place
        place.in_hand.add(job.id)
        try:
            place.node.schedule(job.crawl.spider, job.id, dict(job.crawl.arguments))
        except NodeFailed as error:
            place.refuses = error.refused
            if error.refused:
                place.in_hand.remove(job.id)
            self._failed(place, error)
            return not error.refused
        assert place.jobs is not None
        place.jobs = Jobs(place.jobs.pending | {job.id}, place.jobs.running)
        place.looked_at = self.clock()
        self._recovered(place)
        return True

    def _before_its_run(self, job: Job) -> Ended | None:
        """A job without a run: it waits for a place, has just begun, or ended before it opened its run."""
        jobs, waited = job.place.jobs, self.clock() - job.since
        if jobs is None:
            return self._unseen(job)
        if job.id in jobs.running or (job.id in jobs.pending and waited <= PENDING_SECONDS):
            return None
        if job.id in jobs.pending:
            self._cancel(job)
            self._full(job.place, len(jobs.running))
            return Ended(None, f"{self.where(job)}: it waited {waited:.0f} s for a place")
        if job.fate() != "starting":  # its run began, or ended too, since the row was read
            return None
        return Ended(None, f"{self.where(job)}: it ended before its run began")

    def _locating(self, job: Job) -> Ended | None:
        """A locator's run has no heartbeat and its lease lasts hours, so the node's answer decides."""
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
        """A job has waited too long: the node runs no more jobs than now, whatever --max-jobs is."""
        if 0 < running < place.most:
            place.most = running
            self.report(f"node {place.node.name} begins no more than {running} jobs: is --max-jobs above its max_proc?")
        elif not running:
            self._failed(place, NodeFailed(place.node.name, "it begins none of its jobs: see its log"))

    def _look(self, place: Place, age: float) -> None:
        """Asks the node for its jobs where its last answer is older than `age`; after a failure, once a try is due."""
        now = self.clock()
        if now < place.ask_at or (place.jobs is not None and now - place.looked_at < age):
            return
        try:
            place.jobs = place.node.jobs()
        except NodeFailed as error:
            self._failed(place, error)
            return
        place.looked_at, place.lost_at = self.clock(), math.inf
        if not place.refuses:
            self._recovered(place)

    def _recovered(self, place: Place) -> None:
        if place.failures:
            self.report(f"node {place.node.name} works again")
        place.failures, place.refuses, place.ask_at = 0, False, -math.inf

    def _failed(self, place: Place, error: NodeFailed) -> None:
        """The node gets no crawl until it answers again; each failure doubles the wait before the next try."""
        if not place.failures:
            self.report(f"{error}; it gets no crawl for a while")
        wait = min(self.poll_seconds * 2 ** min(place.failures, 20), LONGEST_SILENCE)
        place.lost_at = min(place.lost_at, self.clock())
        place.jobs, place.failures, place.ask_at = None, place.failures + 1, self.clock() + wait

    def _cancel(self, job: Job, *, kill: bool = False) -> None:
        """Cancels the job, unless its node does not answer: a crawl that lost its lease ends by itself."""
        if job.place.jobs is None:
            return
        try:
            job.place.node.cancel(job.id, kill=kill)
        except NodeFailed as error:
            self._failed(job.place, error)
