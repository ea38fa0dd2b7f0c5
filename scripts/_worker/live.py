"""The worker on a terminal: tables of the crawls in hand and the last results, and what it waits for."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from _support.output import table, text
from _support.schedule import short
from _worker.events import Report, in_words, name_of, outcome, shown
from rich.console import Console, Group, RenderableType
from rich.live import Live

LAST = 10
"""Results that the board keeps."""


class Board:
    """The state that the tables show, gathered from the events."""

    def __init__(self, title: str, clock: Callable[[], datetime]) -> None:
        self.title, self.clock = title, clock
        self.in_hand: dict[str, tuple[str, datetime]] = {}
        self.last: deque[tuple[str, str, str]] = deque(maxlen=LAST)
        self.next: list[str] = []

    def report(self, event: str, **fields: Any) -> None:
        """Updates the board with an event."""
        fields, now = shown(fields), self.clock()
        if event == "crawling":
            self.in_hand[fields["store_id"]] = (name_of(fields), now)
            self.next = []
        elif event in ("crawled", "not_begun"):
            self.in_hand.pop(fields["store_id"], None)
            words = outcome(fields) if event == "crawled" else in_words(event, fields)[0]
            self.last.append((short(now), name_of(fields), words))
        elif event == "merged":
            self.last.append((short(now), "groups", in_words(event, fields)[0]))
        elif event == "not_merged":
            self.last.append((short(now), "groups", fields["error"]))
        elif event == "node":
            self.last.append((short(now), "nodes", fields["told"]))
        elif event != "started":
            self.next = in_words(event, fields)

    def shown(self) -> RenderableType:
        """The tables as they are now. The drawing thread calls it, so it reads copies."""
        held = [
            (name, short(since), f"{(self.clock() - since).total_seconds():.0f} s")
            for name, since in list(self.in_hand.values())
        ]
        return Group(
            table(("in hand", "since", "for"), held or [("nothing", "", "")], right=["for"], title=self.title),
            table(("ended", "what", "result"), list(self.last)),
            *(text(line) for line in self.next),
        )


@contextmanager
def on_terminal(title: str, clock: Callable[[], datetime], console: Console) -> Iterator[Report]:
    """Shows the board, redrawn every second; its last state stays on the screen. Yields what reports the events."""
    board = Board(title, clock)
    with Live(console=console, get_renderable=board.shown, refresh_per_second=1) as live:

        def report(event: str, **fields: Any) -> None:
            board.report(event, **fields)
            live.refresh()

        yield report
