"""The interface between the worker's loop and what runs its crawls: child processes here, jobs of scrapyd elsewhere.

The loop takes stores, hands crawls to a runner while `room()` is above 0, and calls `ended` for each crawl in hand
every `poll_seconds`. Then it reads the run's row, which alone states how the crawl ended. A runner starts and ends
crawls; it knows nothing of stores, leases and runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """One crawl to be started: `scrapy crawl SPIDER -a NAME=VALUE ...`."""

    spider: str
    """`aldi`, or `aldi_stores` for the chain's locator."""
    store_code: str
    """EVERY_STORE for a locator."""
    arguments: Mapping[str, str] = field(repr=False)
    """Its `-a` arguments: store, lease, dev, probe. The lease is a secret and is never shown."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a runner knows about a crawl that has ended, or that it cannot find any more."""

    code: int | None = None
    """The exit code of `scrapy crawl`; None where the runner does not see it."""
    note: str = ""
    """What else an operator should know: a node that does not answer, a signal. No secrets."""


class NotStarted(Exception):
    """Raised by `start` where no crawl could be started; the text names the remedy. The loop gives the store back."""


class Crawls(Protocol):
    """Runs crawls. A handle is the runner's own; the loop only hands it back.

    Only the loop's thread calls a runner. No method waits for a crawl; a request to a node has a short timeout.
    """

    poll_seconds: float
    """How long the loop waits between two looks at the crawls in hand."""

    def room(self) -> int:
        """How many crawls may be started now; 0 while every place is taken or no node answers."""

    def start(self, crawl: Crawl) -> Any:
        """Starts a crawl and returns its handle. Raises NotStarted where nothing of it runs."""

    def ended(self, handle: Any) -> Ended | None:
        """None while the crawl runs or may still run. Once it has returned an Ended, the crawl's place is free."""

    def where(self, handle: Any) -> str:
        """Where an operator reads more: the log's file, or the node and its job."""

    def interrupt(self, handle: Any) -> None:
        """Asks the crawl to end early, as a first SIGTERM does: its run ends partial, its lease is freed.

        Called once for a crawl. No error where it has ended already or cannot be reached.
        """

    def kill(self, handle: Any) -> None:
        """Ends a crawl at once that `interrupt` did not end within some seconds. Its lease dies."""
