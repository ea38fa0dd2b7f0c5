"""The worker's loop: takes a store, crawls it, does what else is due, until it is asked to stop."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from _worker.crawls import Crawl, Crawls, Ended, NotStarted
from _worker.events import Report
from _worker.merging import Merges
from _worker.schedule import CompanySchedule

from models.scheduling.taking import Taken
from splitcart.runs.verdict import EVERY_STORE, exit_code
from splitcart.scheduling.due import Facts, Intervals, locate_at, merge_at
from splitcart.scheduling.rule import Queue

DONE, FAILED, NOTHING, NETWORK_DOWN = 0, 1, 3, 5
LEAST = timedelta(seconds=1)
"""The shortest sleep between two queries for a store."""
KILL_AFTER = timedelta(seconds=30)
"""How long a crawl that was interrupted may take to end its run."""
NOT_BEGUN = 3
"""The worker ends after this many crawls in a row that could not begin: the cause is no single store."""


class Stopping(Protocol):
    """Whether the worker was asked to stop, and how it waits (`stop.Stop`)."""

    signals: int

    @property
    def asked(self) -> str | None: ...

    def wait(self, until: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The worker's options."""

    dev: bool = False
    once: bool = False
    intervals: Intervals = field(default_factory=Intervals)


@dataclass(frozen=True, slots=True)
class InHand:
    """A crawl that was started and has not been collected."""

    crawl: Crawl
    handle: object
    taken: Taken | None
    """The leased store; None for a locator."""
    after: int
    """The id of the store's last run before this crawl; 0: none."""


class Loop:
    """One worker."""

    def __init__(
        self, schedule: CompanySchedule, crawls: Crawls, stop: Stopping, report: Report, options: Options
    ) -> None:
        self.schedule, self.crawls, self.stop, self.report, self.options = schedule, crawls, stop, report, options
        self.merges = Merges(schedule, report, options.intervals)
        self.in_hand: list[InHand] = []
        self.code: int | None = None
        self._must_ask = True
        """Whether something has changed since the database was last asked for a store."""
        self._quiet_until = datetime.min.replace(tzinfo=UTC)
        self._idle: dict[str, object] | None = None
        self._tried_at: datetime | None = None
        self._not_begun = 0
        self._crawled = 0
        self._stop_reported = False

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
        """Whether the worker begins nothing new. Reports once that it was asked to stop."""
        if not self._stop_reported and (why := self.stop.asked):
            self._stop_reported = True
            self.report("stopping", why=why, in_hand=self._codes_in_hand(), merging=self.merges.under_way)
        return self.code is not None or self.stop.asked is not None

    def _codes_in_hand(self) -> list[str]:
        return [each.crawl.store_code for each in self.in_hand]

    def _break_off(self) -> None:
        """Interrupts the crawls in hand, and kills those that do not end. A merge under way ends with the process."""
        self.report("breaking_off", why=self.stop.asked, in_hand=self._codes_in_hand())
        for each in self.in_hand:
            self.crawls.interrupt(each.handle)
        signals, deadline = self.stop.signals, self.schedule.clock() + KILL_AFTER
        while self.in_hand and self.schedule.clock() < deadline and self.stop.signals == signals:
            self.stop.wait(self._soon())
            self._collect()
        for each in self.in_hand:
            self.crawls.kill(each.handle)
        deadline = self.schedule.clock() + KILL_AFTER
        while self.in_hand and self.schedule.clock() < deadline:
            self.stop.wait(self._soon())
            self._collect()

    # Crawls that ended ----------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        for each in list(self.in_hand):
            ended = self.crawls.ended(each.handle)
            if ended is not None:
                self.in_hand.remove(each)
                self._must_ask = True
                self._judge(each, ended)
        if self.merges.collect():
            self._must_ask = True

    def _judge(self, each: InHand, ended: Ended) -> None:
        """Reports how a crawl ended, from its run's row."""
        row = self.schedule.run_after(each.crawl.store_code, each.after)
        if row is None:
            self._did_not_begin(each.crawl, each.taken, ended, self.crawls.where(each.handle))
            return
        self._not_begun = 0
        self._crawled += each.taken is not None
        counts = row.counts or {}
        self.report(
            "crawled",
            **_fields_of(each.crawl),
            run=row.id,
            status=row.status,
            reason=row.reason,
            requests=counts.get("requests"),
            listings=counts.get("listings", counts.get("found")),
            changes=(row.figures or {}).get("published"),
            seconds=round(((row.finished_at or self.schedule.clock()) - row.started_at).total_seconds(), 1),
            told=ended.note,
            log=self.crawls.where(each.handle),
        )
        if NETWORK_DOWN in (exit_code(row.status, row.reason or ""), ended.code):
            self.code = NETWORK_DOWN

    def _did_not_begin(self, crawl: Crawl, taken: Taken | None, ended: Ended, log: str) -> None:
        """Handles a crawl that opened no run. A locator is tried again later: another process may hold it."""
        self.report("not_begun", **_fields_of(crawl), code=ended.code, told=ended.note, log=log)
        if taken is None:
            self._tried_at = self.schedule.clock()
            return
        self.schedule.give_back(taken)
        self._not_begun += 1
        if self._not_begun >= NOT_BEGUN or self.options.once:
            self.code = FAILED

    # What is begun --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Starts what is due and what there is room for. Asks the database only where its answer may have changed."""
        if not self._must_ask and (self.schedule.clock() < self._quiet_until or not self.crawls.room()):
            return
        self._must_ask = False
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
            taken = self.schedule.take()
            if isinstance(taken, Queue):
                self._idle_until_free(taken, facts)
                return
            self._idle = None
            self._start(self._crawl_of(taken), taken)

    def _facts(self) -> Facts:
        """The facts of the database, and the tries that opened no run, which it does not hold."""
        facts = self.schedule.facts()
        tried = [when for when in (facts.tried_at, self._tried_at) if when is not None]
        return replace(facts, tried_at=max(tried, default=None), merge_failed_at=self.merges.failed_at)

    def _locating(self) -> bool:
        return any(each.taken is None for each in self.in_hand)

    def _is_locating_due(self, facts: Facts) -> bool:
        now = self.schedule.clock()
        return not self._locating() and locate_at(facts, self.options.intervals, now) <= now

    def _dev(self) -> dict[str, str]:
        return {"dev": "1"} if self.options.dev else {}

    def _locator(self) -> Crawl:
        return Crawl(spider=f"{self.schedule.spider}_stores", store_code=EVERY_STORE, arguments=self._dev())

    def _crawl_of(self, taken: Taken) -> Crawl:
        arguments = {"store": taken.store_code, "lease": taken.lease_token} | self._dev()
        if taken.probe is not None:
            arguments["probe"] = str(taken.probe)
        return Crawl(spider=self.schedule.spider, store_code=taken.store_code, arguments=arguments)

    def _start(self, crawl: Crawl, taken: Taken | None) -> None:
        after = self.schedule.last_run(crawl.store_code)
        try:
            handle = self.crawls.start(crawl)
        except NotStarted as error:
            self._did_not_begin(crawl, taken, Ended(None, str(error)), "")
            return
        self.in_hand.append(InHand(crawl, handle, taken, after))
        name = taken.store_name if taken else ""
        self.report("crawling", **_fields_of(crawl), store_name=name, log=self.crawls.where(handle))

    def _idle_until_free(self, queue: Queue, facts: Facts) -> None:
        """Decides when to ask for a store again, and reports why none is offered now."""
        now, intervals = self.schedule.clock(), self.options.intervals
        times = [queue.next_free_at]
        if not self._locating():
            times.append(locate_at(facts, intervals, now))
        if not self.merges.under_way:
            times.append(merge_at(facts, intervals, now))
        self._quiet_until = max(now + LEAST, min(when for when in (*times, now + intervals.locate) if when is not None))
        if self.in_hand:
            return
        idle: dict[str, object] = {
            "reasons": queue.reasons,
            "next_free_at": queue.next_free_at,
            "until": self._quiet_until,
        }
        if idle != self._idle:
            self._idle = idle
            self.report("idle", **idle)
        if self.options.once:
            self.code = NOTHING

    # Waiting --------------------------------------------------------------------------------------------------------

    def _soon(self) -> datetime:
        return self.schedule.clock() + timedelta(seconds=self.crawls.poll_seconds)

    def _wait(self) -> None:
        busy = bool(self.in_hand) or self.merges.under_way or self._must_ask
        self.stop.wait(self._soon() if busy else max(self._quiet_until, self._soon()))


def _fields_of(crawl: Crawl) -> dict[str, object]:
    """The fields that every event of a crawl has."""
    probe = crawl.arguments.get("probe")
    return {"store_id": crawl.store_code, "spider": crawl.spider, "probe": None if probe is None else int(probe)}
