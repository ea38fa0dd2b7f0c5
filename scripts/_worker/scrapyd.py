"""A client of one scrapyd node, bounded in time and size. Its answer about a job is no proof."""

import argparse
import base64
import http.client
import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from _support.command import shown

from splitcart.patterns import Pattern
from splitcart.printing import visible

MOST_BYTES = 4 * 2**20
"""Bytes of an answer at most; listjobs.json of 100 finished jobs has 40 kB."""
ASKED_SECONDS = 10.0
SCHEDULED_SECONDS = 60.0
"""At the first job of a new egg a node lists its spiders, and answers no other request meanwhile."""
SCHEMES = {"http": 80, "https": 443}
_HOST = r"[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]"
_ADDRESS = Pattern(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?(?P<path>/[A-Za-z0-9_./~-]*)?", most=400
)


class NodeFailed(ConnectionError):
    """Raised where a node does not answer, or not as scrapyd does. The text names the node and the remedy.

    refused: whether it certainly did not do what was requested.
    """

    def __init__(self, node: str, why: str, *, refused: bool = False) -> None:
        super().__init__(f"node {node}: {visible(why)[:300]}")
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Jobs:
    """The ids of a node's jobs, of all of its projects."""

    pending: frozenset[str]
    running: frozenset[str]


@dataclass(frozen=True, slots=True)
class Node:
    """A scrapyd at an address as `node_url` gives it; `secret` is never shown."""

    url: str
    user: str = ""
    secret: str = field(default="", repr=False)
    project: str = "splitcart"
    patience: float = ASKED_SECONDS
    """Seconds that a complete answer may take."""

    @property
    def name(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def jobs(self) -> Jobs:
        """The jobs that it runs, and those that wait for a place. Raises NodeFailed."""
        answer = self._ask("listjobs.json")
        return Jobs(self._ids(answer, "pending"), self._ids(answer, "running"))

    def schedule(self, spider: str, job: str, arguments: dict[str, str]) -> None:
        """Queues a job of this id; `arguments` are the spider's. Raises NodeFailed."""
        values = {"project": self.project, "spider": spider, "jobid": job, **arguments}
        self._ask("schedule.json", values, SCHEDULED_SECONDS)

    def cancel(self, job: str, *, kill: bool = False) -> None:
        """Takes a pending job off the queue; interrupts a running one, or ends it at once. Raises NodeFailed."""
        self._ask("cancel.json", {"project": self.project, "job": job, **({"signal": "KILL"} if kill else {})})

    def _ids(self, answer: dict[str, Any], state: str) -> frozenset[str]:
        jobs = answer.get(state)
        if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
            raise NodeFailed(self.name, f"it answered without its {state} jobs: is this scrapyd 1.6?")
        return frozenset(str(job.get("id")) for job in jobs)

    def _ask(self, service: str, values: dict[str, str] | None = None, seconds: float = 0) -> dict[str, Any]:
        """The answer of one of scrapyd's services; `values` are posted. No redirect is followed, no proxy used."""
        seconds = seconds or self.patience
        place = urlsplit(self.url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(place.hostname), place.port or SCHEMES[place.scheme], timeout=seconds)
        # A socket's timeout counts from the last byte: a node that sends a byte now and then would block for ever.
        cut = threading.Event()
        late = threading.Timer(seconds, _cut, [connection, cut])
        late.start()
        try:
            self._connect(connection)
            body = urlencode(values) if values else None
            connection.request("POST" if values else "GET", f"{place.path}/{service}", body, self._headers())
            answer = connection.getresponse()
            text = answer.read(MOST_BYTES + 1)
            if cut.is_set():
                raise TimeoutError("it was cut off")
            return self._read(answer.status, text)
        except NodeFailed:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise NodeFailed(self.name, f"no answer within {seconds:g} s, or none of HTTP ({error!r})") from error
        finally:
            late.cancel()
            connection.close()

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except OSError as error:
            why = f"it cannot be reached ({error}): is scrapyd up, and the way to it open?"
            raise NodeFailed(self.name, why, refused=True) from error

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}
        if self.user:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        return headers

    def _read(self, status: int, body: bytes) -> dict[str, Any]:
        if status == 401:
            why = "it wants another name and password: set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"
            raise NodeFailed(self.name, why, refused=True)
        if status != 200:
            raise NodeFailed(self.name, f"it answered {status}, which scrapyd does not: is the address right?")
        if len(body) > MOST_BYTES:
            raise NodeFailed(self.name, f"it answered with more than {MOST_BYTES} bytes: empty its queue")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NodeFailed(self.name, "its answer is no JSON: is this scrapyd?") from error
        if isinstance(answer, dict) and answer.get("status") == "error":
            why = f"it refused: {str(answer.get('message'))[:200]}; is the egg deployed there?"
            raise NodeFailed(self.name, why, refused=True)
        if not isinstance(answer, dict) or answer.get("status") != "ok":
            raise NodeFailed(self.name, "its answer is none of scrapyd's: is the address right?")
        return answer


def node_url(text: str) -> str:
    """An argument that is a node's address, normalised. For argparse's `type`."""
    if "@" in text:  # what precedes it may be a password: it is not repeated
        message = "a node's address names no user and no password: set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"
        raise argparse.ArgumentTypeError(message)
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no node's address: http://HOST:6800 is wanted")
    port = int(found["port"] or SCHEMES[found["scheme"]])
    return f"{found['scheme']}://{found['host'].lower()}:{port}{(found['path'] or '').rstrip('/')}"


def _cut(connection: http.client.HTTPConnection, cut: threading.Event) -> None:
    """Shuts a connection down, so that a read from it ends."""
    cut.set()
    plug = connection.sock
    if plug is not None:
        try:
            plug.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
