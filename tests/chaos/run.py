"""The run extension with doors: callbacks between staging, judging and publishing, where mishaps strike."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from splitcart.runs.verdict import Counts, Verdict
from splitcart_spiders import settings
from splitcart_spiders.crawl.chain_spider import ChainSpider
from splitcart_spiders.extensions.run import RunExtension

ORIGINAL = "splitcart_spiders.extensions.run.RunExtension"


@dataclass
class Doors:
    """The callbacks at each door of one crawl; `now` dates its run."""

    now: Callable[[], datetime]
    engine_made: list[Callable[[Engine], None]] = field(default_factory=list)
    before_judging: list[Callable[[Engine], None]] = field(default_factory=list)
    """All rows are staged, but not counted yet."""
    before_publishing: list[Callable[[Engine], None]] = field(default_factory=list)
    """The verdict has been reached."""

    def settings(self) -> dict[str, Any]:
        """The settings that make a crawl call these doors."""
        doors = self

        class DooredRun(RunExtension):
            def ahead(self) -> timedelta:
                return doors.now() - datetime.now(UTC)

            def connect(self) -> Engine:
                engine = super().connect()
                for enter in doors.engine_made:
                    enter(engine)
                return engine

            def measured(self, spider: ChainSpider, now: datetime) -> Counts:
                assert self.engine is not None
                for enter in doors.before_judging:
                    enter(self.engine)
                return super().measured(spider, now)

            def finisher(self, judged: Verdict) -> Callable[..., Any]:
                assert self.engine is not None
                for enter in doors.before_publishing:
                    enter(self.engine)
                return super().finisher(judged)

        others = {name: place for name, place in settings.EXTENSIONS.items() if name != ORIGINAL}
        return {"EXTENSIONS": {**others, ORIGINAL: None, DooredRun: settings.EXTENSIONS[ORIGINAL]}}


def at_statement(engine: Engine, number: int, strike: Callable[[], None]) -> None:
    """Strikes once, before statement `number` (from 1, from now on) that goes through the engine."""
    lock, left = threading.Lock(), [number]

    def count(*_arguments: Any) -> None:
        with lock:
            left[0] -= 1
            due = left[0] == 0
        if due:
            strike()

    event.listen(engine, "before_cursor_execute", count)


def at_every_statement(engine: Engine, look: Callable[[], None]) -> None:
    """Calls `look` before every statement that goes through the engine."""
    event.listen(engine, "before_cursor_execute", lambda *_arguments: look())
