"""Companies with many stores, and processes that take them, for tests of the schedule."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update

from models.runs import opening
from models.runs.leases import Holder
from models.scheduling.taking import Taken, take
from models.stores.creation import ensure_store
from models.tables import companies, stores
from splitcart.scheduling.rule import Queue, Rules
from tests.support.storage import START, target
from tests.support.takers import DEADLINE
from tests.support.tree import ROOT

HOLDER = Holder("elsewhere", 1)


def company_of(engine: Engine, codes: Sequence[str] = (), slug: str = "aldi") -> Any:
    """The company's row; it is made with stores of these codes where it is missing."""
    with engine.begin() as connection:
        wanted = select(companies).where(companies.c.slug == slug)
        if connection.execute(wanted).one_or_none() is None:
            connection.execute(insert(companies).values(name=target(slug=slug).company, slug=slug))
        row = connection.execute(wanted).one()
        for code in codes:
            ensure_store(connection, row.id, code, START - timedelta(days=1), store_name=f"Store {code}")
        return row


def taken(engine: Engine, now: datetime = START, slug: str = "aldi", **rules: Any) -> Taken | Queue:
    return take(engine, company_of(engine, slug=slug), Rules(**rules), now, holder=HOLDER)


def begun(engine: Engine, given: Taken, now: datetime = START, slug: str = "aldi", **options: Any) -> opening.Run:
    """The run of a crawl that takes a lease over."""
    values = {"spider": slug, "now": now, "host": "elsewhere", "pid": 1, "token": given.lease_token} | options
    return opening.open_run(engine, target(given.store_code, slug), **values)


def change(engine: Engine, code: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(stores).where(stores.c.store_code == code).values(**values))


Takings = list[tuple[list[list[str]], dict[str, int]]]
"""Of each process: the (store, token) that it took, and the reasons for which no more were offered."""


def all_taken(url: str, count: int, now: datetime = START) -> Takings:
    """What `count` processes that begin together take, each until none is offered, and the reasons at the end."""
    return timed_takings(url, count, now)[1]


def timed_takings(url: str, count: int, now: datetime = START, deadline: float = DEADLINE) -> tuple[float, Takings]:
    """The same, and the seconds from when all of them are ready until the last one is done."""
    command = [sys.executable, "-m", "tests.support.takers", url, now.isoformat(), str(count), str(deadline)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=deadline + DEADLINE, check=True)
    seconds, takings = json.loads(done.stdout)
    return seconds, [tuple(each) for each in takings]
