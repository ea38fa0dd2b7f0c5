"""The worker on a terminal: a table of the store in hand, the last results and what is due next."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from _support.output import table, text
from _support.schedule import short
from _worker.telling import Tell, in_words, name_of, outcome, shown
from rich.console import Console, Group, RenderableType
from rich.live import Live

LAST = 10
"""Results that the table keeps."""


class Board:
    """What the table shows, gathered from the events."""

    def __init__(self, title: str, clock: Callable[[], datetime]) -> None:
        self.title, self.clock = title, clock
        self.in_hand: dict[str, tuple[str, datetime]] = {}
        self.last: deque[tuple[str, str, str]] = deque(maxlen=LAST)
        self.next: list[str] = []

    def tell(self, event: str, **fields: Any) -> None:
        """Takes an event in."""
        told, now = shown(fields), self.clock()
        if event == "crawling":
            self.in_hand[told["store_id"]] = (name_of(told), now)
            self.next = []
        elif event in ("crawled", "not_begun"):
            self.in_hand.pop(told["store_id"], None)
            words = outcome(told) if event == "crawled" else in_words(event, told)[0]
            self.last.append((short(now), name_of(told), words))
        elif event == "merged":
            self.last.append((short(now), "groups", in_words(event, told)[0]))
        elif event == "not_merged":
            self.last.append((short(now), "groups", told["error"]))
        elif event == "node":
            self.last.append((short(now), "nodes", told["told"]))
        elif event != "started":
            self.next = in_words(event, told)

    def shown(self) -> RenderableType:
        """The tables as they are now. Called by the thread that draws, so that it reads copies."""
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
def on_terminal(title: str, clock: Callable[[], datetime], console: Console) -> Iterator[Tell]:
    """Shows the board, drawn anew every second; what it shows last stays."""
    board = Board(title, clock)
    with Live(console=console, get_renderable=board.shown, refresh_per_second=1) as live:

        def tell(event: str, **fields: Any) -> None:
            board.tell(event, **fields)
            live.refresh()

        yield tell
