"""Runs a crawl as a child process on this machine, one at a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from _support.crawls import ROOT
from _worker.crawls import Crawl, Ended, NotStarted

from splitcart.printing import visible

KEEP_DAYS = 30
"""How long the log of a crawl is kept."""


@dataclass(frozen=True, slots=True)
class Child:
    """A crawl's process, and the file of its log."""

    process: subprocess.Popen[bytes]
    log: Path


class LocalCrawls:
    """`python -m scrapy crawl ...`, one at a time, each with its own log in `folder`.

    A child has its own process group: Ctrl-C and signals to the worker's group do not reach it. It holds the lease of
    its store itself, so a child whose worker was killed ends like any other crawl.
    """

    poll_seconds = 0.2

    def __init__(
        self, folder: Path, clock: Callable[[], datetime], *, program: Sequence[str] = ("-m", "scrapy")
    ) -> None:
        """program: what Python runs."""
        self.folder, self.clock, self.program = folder, clock, program
        self._running = 0

    def room(self) -> int:
        """1 while no crawl runs."""
        return 1 - self._running

    def start(self, crawl: Crawl) -> Child:
        """Starts the crawl's process. Raises NotStarted where its log cannot be written or it cannot be started."""
        arguments = [part for name, value in crawl.arguments.items() for part in ("-a", f"{name}={value}")]
        command = [sys.executable, *self.program, "crawl", crawl.spider, *arguments]
        log = self.folder / self._name(crawl)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._forget()
            with log.open("wb") as stream:
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    process_group=0,
                )
        except OSError as error:
            why = f"a crawl could not be started: {error.strerror}: {error.filename or log}: name another --logs folder"
            raise NotStarted(why) from error
        self._running += 1
        return Child(process, log)

    def ended(self, handle: Child) -> Ended | None:
        """How the process ended; None while it runs."""
        code = handle.process.poll()
        if code is None:
            return None
        self._running -= 1
        return Ended(code) if code >= 0 else Ended(None, f"ended by {_named(-code)}")

    def where(self, handle: Child) -> str:
        """The log's file."""
        return str(handle.log)

    def interrupt(self, handle: Child) -> None:
        """SIGTERM: Scrapy ends what is under way, and the run ends partial."""
        handle.process.send_signal(signal.SIGTERM)  # does nothing where the process has ended

    def kill(self, handle: Child) -> None:
        """SIGKILL."""
        handle.process.send_signal(signal.SIGKILL)

    def _name(self, crawl: Crawl) -> str:
        """A file name in which a store code holds nothing that is special to a file system or a shell."""
        store = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in crawl.store_code)[:60]
        return f"{self.clock():%Y%m%dT%H%M%S}-{crawl.spider}-{store}-{os.getpid()}.log"

    def _forget(self) -> None:
        """Deletes logs of crawls that are older than KEEP_DAYS."""
        limit = time.time() - KEEP_DAYS * 86_400
        for log in self.folder.glob("2*T*-*-*-*.log"):
            if log.stat().st_mtime < limit:
                log.unlink(missing_ok=True)


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {visible(number)}"
