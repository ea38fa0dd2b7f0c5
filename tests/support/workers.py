"""A worker's loop on a fake clock, with fake crawls and signals."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from _worker.crawls import Crawl, Ended
from _worker.loop import Loop, Options
from _worker.schedule import CompanySchedule
from sqlalchemy import Engine, event

from models.publishing.publish import publish
from models.publishing.stores import publish_stores
from models.runs import opening
from models.runs.endings import Ending
from models.runs.leases import Holder
from splitcart.runs.verdict import EVERY_STORE, exit_code
from splitcart.scheduling.rule import Rules
from tests.support.storage import START, judged, measured, row, stage, target

HOLDER = Holder("elsewhere", 1)
MINUTE = timedelta(minutes=1)


class Clock:
    """Time that passes only during waits."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FakeStop:
    """Signals at given times; a wait moves the clock, up to the next of them."""

    clock: Clock
    at: list[datetime] = field(default_factory=list)
    signals: int = 0
    waits: list[tuple[datetime, datetime]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    @property
    def asked(self) -> str | None:
        return "SIGTERM" if self.signals else None

    def wait(self, until: datetime) -> None:
        assert until > self.clock.now, "a wait of nothing is a loop"
        self.waits.append((self.clock.now, until))
        assert len(self.waits) < 2000, "the worker does not end"
        self.meanwhile()
        if self.at and self.at[0] <= until:
            self.clock.now = max(self.at.pop(0), self.clock.now)
            self.signals += 1
        else:
            self.clock.now = until


@dataclass
class FakeCrawls:
    """Crawls that take ten minutes and end as `ends` has it: (status, reason), None: without a run, or an exception."""

    engine: Engine
    clock: Clock
    ends: dict[str, Any] = field(default_factory=dict)
    places: int = 1
    found: tuple[str, ...] = ()
    """The stores that a locator finds."""
    heeds: bool = True
    """Whether a crawl ends when it is interrupted."""
    started: list[Crawl] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    in_hand: int = 0
    most: int = 0
    poll_seconds: float = 60

    def room(self) -> int:
        return self.places - self.in_hand

    def start(self, crawl: Crawl) -> dict[str, Any]:
        how = self.ends.get(crawl.store_code, ("complete", "finished"))
        self.started.append(crawl)
        if isinstance(how, Exception):
            raise how
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        run = None
        if how is not None:
            opened = {"spider": crawl.spider, "now": self.clock(), "host": "elsewhere", "pid": 1}
            mine = target(crawl.store_code, crawl.spider.removesuffix("_stores"))
            run = opening.open_run(self.engine, mine, token=crawl.arguments.get("lease"), lease_seconds=7200, **opened)
        return {
            "crawl": crawl,
            "run": run,
            "how": how,
            "until": self.clock() + (10 * MINUTE if run else MINUTE),
            "killed": False,
        }

    def ended(self, handle: dict[str, Any]) -> Ended | None:
        if self.clock() < handle["until"]:
            return None
        self.in_hand -= 1
        self.done.append(handle["crawl"].store_code)
        if handle["killed"]:
            return Ended(None, "ended by SIGKILL")
        if handle["run"] is None:
            return Ended(1)
        status, reason = handle["how"]
        self._end(handle["crawl"], handle["run"], status, reason)
        return Ended(exit_code(status, reason))

    def _end(self, crawl: Crawl, run: opening.Run, status: str, reason: str) -> None:
        verdict, now = judged(status, reason), self.clock()
        if crawl.store_code == EVERY_STORE and status == "complete":
            names = {code: {"store_name": f"Store {code}"} for code in self.found}
            publish_stores(self.engine, run, Ending(verdict=verdict, now=now), names)
        elif verdict.publishes == "nothing" or crawl.store_code == EVERY_STORE:
            opening.finish(self.engine, run, Ending(verdict=verdict, now=now, counts={"requests": 7}))
        else:
            stage(self.engine, run.id, [row(1)])
            counts = measured(self.engine, run)
            publish(self.engine, run, Ending(verdict=verdict, now=now, counts=counts))

    def where(self, handle: dict[str, Any]) -> str:
        return f"/logs/{handle['crawl'].store_code}.log"

    def interrupt(self, handle: dict[str, Any]) -> None:
        if self.heeds:
            handle.update(how=("partial", "shutdown"), until=self.clock())

    def kill(self, handle: dict[str, Any]) -> None:
        handle.update(killed=True, until=self.clock())


def at_once(work: Callable[[], Any]) -> Future[Any]:
    """In place of `merging.in_thread`: does the work at once, for tests in which the order counts."""
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001
        future.set_exception(error)
    return future


class Rig:
    """A worker of ALDI on a database, with a fake clock, fake crawls and a fake stop."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.engine, self.clock = engine, Clock()
        self.stop, self.crawls = FakeStop(self.clock), FakeCrawls(engine, self.clock)
        self.events: list[dict[str, Any]] = []
        self.options = Options(**options)
        self.schedule = CompanySchedule(engine, "aldi", Rules(), self.clock, HOLDER)

    def run(self) -> int:
        """The exit code."""
        return Loop(self.schedule, self.crawls, self.stop, self._report, self.options).run()

    def _report(self, name: str, **fields: Any) -> None:
        self.events.append({"event": name, "at": self.clock()} | fields)

    def reported(self, name: str) -> list[dict[str, Any]]:
        """The events of this name."""
        return [each for each in self.events if each["event"] == name]

    def located(self) -> None:
        """The company's stores were located just now."""
        run = opening.open_run(
            self.engine, target("*", "aldi"), spider="aldi_stores", now=self.clock(), host="h", pid=1
        )
        publish_stores(self.engine, run, Ending(verdict=judged(), now=self.clock()), {})

    def statements(self) -> list[datetime]:
        """When a statement is sent, from now on."""
        sent: list[datetime] = []
        event.listen(self.engine, "before_cursor_execute", lambda *_: sent.append(self.clock()))
        return sent
