"""Merges groups in a thread, so that crawls and signals are handled meanwhile."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

from _worker.events import Report
from _worker.schedule import CompanySchedule

from splitcart.scheduling.due import Facts, Intervals, merge_at


class Merges:
    """The merges of one company, one at a time. A failed one is reported, and tried again when the next is due."""

    def __init__(self, schedule: CompanySchedule, report: Report, intervals: Intervals) -> None:
        self.schedule, self.report, self.intervals = schedule, report, intervals
        self.failed_at: datetime | None = None
        """When the last merge began; None once it has succeeded."""
        self._future: Future[dict[str, int]] | None = None

    @property
    def under_way(self) -> bool:
        """Whether a merge was begun and not collected."""
        return self._future is not None

    def begin_where_due(self, facts: Facts) -> None:
        """Begins a merge where one is due and none is under way."""
        now = self.schedule.clock()
        when = merge_at(facts, self.intervals, now)
        if self.under_way or when is None or when > now:
            return
        self.report("merging")
        self.failed_at = now
        self._future = in_thread(self.schedule.merge)

    def collect(self) -> bool:
        """Reports a merge that has ended; returns whether one has."""
        if self._future is None or not self._future.done():
            return False
        done, self._future = self._future, None
        error = done.exception()
        if error is not None:
            self.report("not_merged", error=error)
        else:
            self.failed_at = None
            self.report("merged", **done.result())
        return True


def in_thread(work: Callable[[], dict[str, int]]) -> Future[dict[str, int]]:
    """Does the work in a daemon thread: the process does not wait for it when it ends."""
    future: Future[dict[str, int]] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the loop reports it
            future.set_exception(error)

    threading.Thread(target=do, name="merging", daemon=True).start()
    return future
