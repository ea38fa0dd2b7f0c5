"""How a worker is asked to stop, and its waits, which a signal or the stop file ends at once."""

import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK = 1.0
"""Seconds between two checks of the stop file and the clock while the worker waits: a machine may have slept."""


class Stop:
    """Whether the worker was asked to stop: after the crawl in hand by a signal or the stop file, at once by a second
    signal."""

    def __init__(self, file: Path | None, clock: Callable[[], datetime]) -> None:
        self.file, self.clock = file, clock
        self.signals = 0
        self._named = ""
        self._seen = False
        self._waker: socket.socket | None = None

    @property
    def asked(self) -> str | None:
        """The signal or the stop file that asked it to stop, in words; None: it was not asked."""
        if self.signals:
            return self._named
        self._look()
        return f"the stop file {self.file}" if self._seen else None

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Within the block SIGTERM and SIGINT ask the worker to stop instead of ending it."""
        self._waker, theirs = socket.socketpair()
        for each in (self._waker, theirs):
            each.setblocking(False)
        before = {number: signal.signal(number, self._signalled) for number in SIGNALS}
        woken = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._waker.close()
            theirs.close()
            self._waker = None

    def wait(self, until: datetime) -> None:
        """Returns at `until`, or earlier when a signal comes or the stop file appears."""
        while (left := (until - self.clock()).total_seconds()) > 0:
            if self._look() or self._wait(min(left, LOOK)):
                return

    def _wait(self, seconds: float) -> bool:
        """Whether a signal has come, at the latest after `seconds`."""
        if self._waker is None:
            time.sleep(seconds)
            return False
        if not select.select([self._waker], [], [], seconds)[0]:
            return False
        self._waker.recv(4096)
        return True

    def _look(self) -> bool:
        """Whether the stop file has appeared since the last look."""
        new = not self._seen and self.file is not None and self.file.exists()
        self._seen = self._seen or new
        return new

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self.signals += 1
        self._named = self._named or signal.Signals(number).name
