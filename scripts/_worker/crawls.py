"""The seam between the worker's loop and what runs its crawls: child processes here, jobs of scrapyd elsewhere.

The loop takes stores, hands crawls to a runner for as long as `room()` is above 0, asks `ended` of each crawl in hand
every `poll_seconds`, and then reads the run's row: that says what became of the crawl, never the runner. A runner
starts and ends crawls and knows nothing of stores, leases and runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

EVERY_STORE = "*"
"""The store code of a locator's run, as in crawl_runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """One crawl to be started: `scrapy crawl SPIDER -a NAME=VALUE ...`."""

    spider: str
    """`aldi`, or `aldi_stores` for the chain's locator."""
    store_code: str
    """The chain's own id; EVERY_STORE for a locator."""
    arguments: Mapping[str, str] = field(repr=False)
    """Its `-a` arguments: store, lease, dev, probe. The lease is a secret: it is shown nowhere."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a runner knows of a crawl that has ended, or that it cannot find any more."""

    code: int | None = None
    """The exit code of `scrapy crawl`; None where the runner does not see it."""
    told: str = ""
    """What an operator should know besides: a node that does not answer, a signal. No secrets."""


class NotStarted(Exception):
    """Raised by `start` when no crawl could be started; the text names the remedy. The loop gives the store back."""


class Crawls(Protocol):
    """What runs crawls. A handle is the runner's own; the loop only hands it back.

    Only the loop's thread calls a runner. No method waits for a crawl; a request to a node has a short timeout.
    """

    poll_seconds: float
    """How long the loop waits between two looks at the crawls in hand."""

    def room(self) -> int:
        """How many crawls may be started now; 0 while every place is taken, or no node answers."""

    def start(self, crawl: Crawl) -> Any:
        """Starts a crawl and gives its handle. Raises NotStarted, and then nothing of it runs."""

    def ended(self, handle: Any) -> Ended | None:
        """None while the crawl runs, or may still run. After an end was given once, the place is free."""

    def where(self, handle: Any) -> str:
        """Where to read more, for people: the log's file, or the node and its job."""

    def interrupt(self, handle: Any) -> None:
        """Asks the crawl to end early, as a first SIGTERM does: its run ends partial, its lease is freed.

        Called once for a crawl; no error where it has ended already, or cannot be reached.
        """

    def kill(self, handle: Any) -> None:
        """Ends the crawl at once, for one that `interrupt` did not end within some seconds. Its lease dies."""
