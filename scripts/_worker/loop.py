"""The worker's loop: take a store, crawl it, do what else is due, until it is asked to stop."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from _worker.books import Books
from _worker.crawls import EVERY_STORE, Crawl, Crawls, Ended, NotStarted
from _worker.merging import Merges

from models.scheduling.taking import Taken
from splitcart.runs.verdict import exit_code
from splitcart.scheduling.due import Facts, Intervals, locate_at, merge_at
from splitcart.scheduling.rule import Queue

DONE, FAILED, NOTHING, NETWORK_DOWN = 0, 1, 3, 5
LEAST = timedelta(seconds=1)
"""The shortest sleep: a store that frees now is not asked for twice in a moment."""
KILL_AFTER = timedelta(seconds=30)
"""How long a crawl that was interrupted may take to end its run."""
NOT_BEGUN = 3
"""After so many crawls in a row that could not begin it is no store's fault: the worker ends."""


class Stopping(Protocol):
    """Whether the worker was asked to stop, and its waits (stop.Stop)."""

    signals: int

    @property
    def asked(self) -> str | None: ...

    def wait(self, until: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the worker was told to do."""

    dev: bool = False
    once: bool = False
    intervals: Intervals = field(default_factory=Intervals)


@dataclass(frozen=True, slots=True)
class InHand:
    """A crawl that was started."""

    crawl: Crawl
    handle: object
    taken: Taken | None
    """None: a locator."""
    after: int
    """The store's last run before this crawl."""


class Loop:
    """One worker. `tell(event, **fields)` reports what happens; docs/scheduling.md lists the events."""

    def __init__(
        self, books: Books, crawls: Crawls, stop: Stopping, tell: Callable[..., None], options: Options
    ) -> None:
        self.books, self.crawls, self.stop, self.tell, self.options = books, crawls, stop, tell, options
        self.merges = Merges(books, tell, options.intervals)
        self.in_hand: list[InHand] = []
        self.code: int | None = None
        self._asks = True
        """Whether something has happened since the database was asked for a store."""
        self._quiet_until = datetime.min.replace(tzinfo=UTC)
        self._idle: dict[str, object] | None = None
        self._tried_at: datetime | None = None
        self._not_begun = 0
        self._crawled = 0
        self._told_stop = False

    def run(self) -> int:
        """The exit code, once the worker has ended."""
        while True:
            self._collect()
            if self.stop.signals > 1:
                self._break_off()
                return DONE if self.code is None else self.code
            if not self._closing():
                self._begin()
            if self._closing() and not self.in_hand and not self.merges.under_way:
                return DONE if self.code is None else self.code
            self._wait()

    # Stopping ------------------------------------------------------------------------------------------------------

    def _closing(self) -> bool:
        """Whether nothing new is begun; reports at once that the worker was asked to stop."""
        if not self._told_stop and (why := self.stop.asked):
            self._told_stop = True
            self.tell("stopping", why=why, in_hand=self._named(), merging=self.merges.under_way)
        return self.code is not None or self.stop.asked is not None

    def _named(self) -> list[str]:
        return [each.crawl.store_code for each in self.in_hand]

    def _break_off(self) -> None:
        """Interrupts the crawls in hand, and kills those that do not end; a merge under way ends with the process."""
        self.tell("breaking_off", why=self.stop.asked, in_hand=self._named())
        for each in self.in_hand:
            self.crawls.interrupt(each.handle)
        signals, deadline = self.stop.signals, self.books.clock() + KILL_AFTER
        while self.in_hand and self.books.clock() < deadline and self.stop.signals == signals:
            self.stop.wait(self._soon())
            self._collect()
        for each in self.in_hand:
            self.crawls.kill(each.handle)
        deadline = self.books.clock() + KILL_AFTER
        while self.in_hand and self.books.clock() < deadline:
            self.stop.wait(self._soon())
            self._collect()

    # Crawls that ended ----------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        for each in list(self.in_hand):
            ended = self.crawls.ended(each.handle)
            if ended is not None:
                self.in_hand.remove(each)
                self._asks = True
                self._judge(each, ended)
        if self.merges.collect():
            self._asks = True

    def _judge(self, each: InHand, ended: Ended) -> None:
        """Reads in the run's row what became of a crawl."""
        row = self.books.run_after(each.crawl.store_code, each.after)
        if row is None:
            self._did_not_begin(each.crawl, each.taken, ended, self.crawls.where(each.handle))
            return
        self._not_begun = 0
        self._crawled += each.taken is not None
        counts = row.counts or {}
        self.tell(
            "crawled",
            **_of(each.crawl),
            run=row.id,
            status=row.status,
            reason=row.reason,
            requests=counts.get("requests"),
            listings=counts.get("listings", counts.get("found")),
            changes=(row.figures or {}).get("published"),
            seconds=round(((row.finished_at or self.books.clock()) - row.started_at).total_seconds(), 1),
            told=ended.told,
            log=self.crawls.where(each.handle),
        )
        if NETWORK_DOWN in (exit_code(row.status, row.reason or ""), ended.code):
            self.code = NETWORK_DOWN

    def _did_not_begin(self, crawl: Crawl, taken: Taken | None, ended: Ended, log: str) -> None:
        """No run was opened. A locator is tried again later; it may be another's."""
        self.tell("not_begun", **_of(crawl), code=ended.code, told=ended.told, log=log)
        if taken is None:
            self._tried_at = self.books.clock()
            return
        self.books.give_back(taken)
        self._not_begun += 1
        if self._not_begun >= NOT_BEGUN or self.options.once:
            self.code = FAILED

    # What is begun --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Starts what is due and what there is room for. Asks the database only where an answer may be another."""
        if not self._asks and (self.books.clock() < self._quiet_until or not self.crawls.room()):
            return
        self._asks = False
        facts = self._facts()
        self.merges.begin_where_due(facts)
        if self.options.once and self._crawled:
            self.code = DONE
            return
        while not self._closing() and self.crawls.room():
            if self._is_locating_due(facts):
                self._start(self._locator(), None)
                facts = self._facts()
                continue
            if self.options.once and any(each.taken for each in self.in_hand):
                return
            found = self.books.take()
            if isinstance(found, Queue):
                self._none(found, facts)
                return
            self._idle = None
            self._start(self._crawl_of(found), found)

    def _facts(self) -> Facts:
        """Those of the database, and what it does not know: tries that opened no run."""
        facts = self.books.facts()
        tried = [when for when in (facts.tried_at, self._tried_at) if when is not None]
        return replace(facts, tried_at=max(tried, default=None), merge_failed_at=self.merges.failed_at)

    def _locating(self) -> bool:
        return any(each.taken is None for each in self.in_hand)

    def _is_locating_due(self, facts: Facts) -> bool:
        now = self.books.clock()
        return not self._locating() and locate_at(facts, self.options.intervals, now) <= now

    def _dev(self) -> dict[str, str]:
        return {"dev": "1"} if self.options.dev else {}

    def _locator(self) -> Crawl:
        return Crawl(spider=f"{self.books.spider}_stores", store_code=EVERY_STORE, arguments=self._dev())

    def _crawl_of(self, taken: Taken) -> Crawl:
        told = {"store": taken.store_code, "lease": taken.lease_token} | self._dev()
        if taken.probe is not None:
            told["probe"] = str(taken.probe)
        return Crawl(spider=self.books.spider, store_code=taken.store_code, arguments=told)

    def _start(self, crawl: Crawl, taken: Taken | None) -> None:
        after = self.books.last_run(crawl.store_code)
        try:
            handle = self.crawls.start(crawl)
        except NotStarted as error:
            self._did_not_begin(crawl, taken, Ended(None, str(error)), "")
            return
        self.in_hand.append(InHand(crawl, handle, taken, after))
        name = taken.store_name if taken else ""
        self.tell("crawling", **_of(crawl), store_name=name, log=self.crawls.where(handle))

    def _none(self, queue: Queue, facts: Facts) -> None:
        """No store is offered: when to ask again, and why not now."""
        now, intervals = self.books.clock(), self.options.intervals
        times = [queue.next_free_at]
        if not self._locating():
            times.append(locate_at(facts, intervals, now))
        if not self.merges.under_way:
            times.append(merge_at(facts, intervals, now))
        self._quiet_until = max(now + LEAST, min(when for when in (*times, now + intervals.locate) if when is not None))
        if self.in_hand:
            return
        told: dict[str, object] = {"reasons": queue.reasons, "next_free_at": queue.next_free_at}
        told["until"] = self._quiet_until
        if told != self._idle:
            self._idle = told
            self.tell("idle", **told)
        if self.options.once:
            self.code = NOTHING

    # Waiting --------------------------------------------------------------------------------------------------------

    def _soon(self) -> datetime:
        return self.books.clock() + timedelta(seconds=self.crawls.poll_seconds)

    def _wait(self) -> None:
        busy = bool(self.in_hand) or self.merges.under_way or self._asks
        self.stop.wait(self._soon() if busy else max(self._quiet_until, self._soon()))


def _of(crawl: Crawl) -> dict[str, object]:
    probe = crawl.arguments.get("probe")
    return {"store_id": crawl.store_code, "spider": crawl.spider, "probe": None if probe is None else int(probe)}
