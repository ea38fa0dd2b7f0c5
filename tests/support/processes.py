"""`scrapy crawl` as operators start it: a process, its exit code, its log."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _support import crawls

DEADLINE = 60.0


def until(what: str, found: Callable[[], Any], context: Callable[[], str] = str) -> Any:
    """The first true result of `found`; fails after a minute, with the text of `context`."""
    deadline = time.monotonic() + DEADLINE
    while not (thing := found()):
        assert time.monotonic() < deadline, f"waited a minute for {what}\n{context()}"
        time.sleep(0.05)
    return thing


@dataclass(frozen=True)
class Crawl:
    """One process. `path` is the file of its log: what it wrote to both streams."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        return self.path.read_text(errors="replace")

    def code(self) -> int:
        """The exit code, once it has ended."""
        try:
            return self.process.wait(2 * DEADLINE)
        except BaseException:
            self.process.kill()
            raise


def start(spider: str, *options: str, log: Path, database: str, sandbox: str) -> Crawl:
    """Starts `python -m scrapy crawl SPIDER ...` in the checkout."""
    return Crawl(crawls.spawn((spider, *options), database=database, sandbox=sandbox, log=log), log)
