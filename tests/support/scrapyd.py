"""A real scrapyd on loopback, in its own folder, and jobs on it."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.processes import DEADLINE, until

PROJECT = "splitcart"
CONF = """
[scrapyd]
bind_address = 127.0.0.1
http_port = {port}
poll_interval = 0.1
max_proc = 2
eggs_dir = {eggs}
"""


def script(name: str) -> str:
    """A console script of this Python's environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)


class Scrapyd:
    """Runs while its `with` block does. `environ` is added to the environment that it and its jobs have.

    eggs: the egg folder of another scrapyd; None: its own folder.
    It and its jobs are a process group.
    """

    def __init__(self, folder: Path, environ: dict[str, str], eggs: Path | None = None) -> None:
        self.folder = folder
        self.eggs = eggs or folder / "eggs"
        self.environ = os.environ | environ
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        port = urllib.parse.urlsplit(self.url).port
        (self.folder / "scrapyd.conf").write_text(CONF.format(port=port, eggs=self.eggs))
        with (self.folder / "scrapyd.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "scrapyd", "--pidfile="],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until("scrapyd to answer", self._answers, self.log)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.kill()  # jobs that it left behind, too

    def kill(self) -> None:
        """Ends scrapyd and its jobs as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"scrapyd ended at once\n{self.log()}"
        try:
            return self.ask("daemonstatus.json")["status"] == "ok"
        except OSError:
            return False

    def ask(self, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """One of scrapyd's services; `values` are posted."""
        data = urllib.parse.urlencode(values, doseq=True).encode() if values else None
        asked = urllib.request.Request(f"{self.url}/{path}", data)
        if user := self.environ.get("SCRAPYD_USERNAME"):
            pair = f"{user}:{self.environ['SCRAPYD_PASSWORD']}".encode()
            asked.add_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
        with urllib.request.urlopen(asked, timeout=DEADLINE) as answer:
            answer_body: dict[str, Any] = json.load(answer)
        return answer_body

    def schedule(self, spider: str, **values: Any) -> str:
        """The id of a new job; `values` are spider arguments, and `setting` a list of NAME=VALUE."""
        answer_body = self.ask("schedule.json", {"project": PROJECT, "spider": spider, **values})
        assert answer_body["status"] == "ok", answer_body
        return str(answer_body["jobid"])

    def cancel(self, job: str) -> str | None:
        """Interrupts a job; returns its state before."""
        state: str | None = self.ask("cancel.json", {"project": PROJECT, "job": job})["prevstate"]
        return state

    def state(self, job: str) -> str | None:
        """pending, running or finished, as listjobs.json has it."""
        jobs = self.ask(f"listjobs.json?project={PROJECT}")
        states = (state for state in ("pending", "running", "finished") if job in {each["id"] for each in jobs[state]})
        return next(states, None)

    def wait(self, job: str) -> str:
        """The log of a job that has finished."""
        until(f"job {job} to finish", lambda: self.state(job) == "finished", self.log)
        return next(self.folder.glob(f"logs/*/*/{job}.log")).read_text()

    def log(self) -> str:
        """What scrapyd itself has logged."""
        return (self.folder / "scrapyd.log").read_text(errors="replace")
