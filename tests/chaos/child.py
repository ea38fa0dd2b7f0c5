"""A crawl that kills itself: `python -m tests.chaos.child PHASE NUMBER crawl SPIDER ...`.

It sends itself SIGKILL before statement NUMBER. PHASE `run` counts from the run's first statement, `end` from the
moment when all rows are staged.
"""

import os
import signal
import sys
from typing import Any

from scrapy.cmdline import execute
from sqlalchemy import Engine

from splitcart_spiders.extensions.run import RunExtension
from tests.chaos.run import at_statement


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(phase: str, number: int) -> None:
    """Makes the process kill itself before statement `number` of the phase."""
    connect, conclude = RunExtension.connect, RunExtension.conclude

    def connected(self: RunExtension) -> Engine:
        engine = connect(self)
        at_statement(engine, number, die)
        return engine

    def concluding(self: RunExtension, *arguments: Any) -> Any:
        assert self.engine is not None
        at_statement(self.engine, number, die)
        return conclude(self, *arguments)

    if phase == "run":
        RunExtension.connect = connected  # type: ignore[method-assign]
    else:
        RunExtension.conclude = concluding  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    execute(["scrapy", *sys.argv[3:]])
