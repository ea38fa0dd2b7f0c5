"""Companies with many stores, and processes that take them, for tests of the schedule."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update

from models import runs
from models.leases import Holder
from models.new_stores import ensure_store
from models.scheduling.taking import Taken, take
from models.tables import companies, stores
from splitcart.scheduling.rule import Queue, Rules
from tests.support.storage import START, target
from tests.support.tree import ROOT

HOLDER = Holder("elsewhere", 1)
DEADLINE = 240

TAKER = """
import json, sys
from datetime import datetime
from models import engine as engines
from models.leases import Holder
from models.scheduling.taking import Taken, take
from sqlalchemy import select
from models.tables import companies
from splitcart.scheduling.rule import Rules

engine, now, taken = engines.create(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), []
with engine.connect() as connection:
    company = connection.execute(select(companies).where(companies.c.slug == "aldi")).one()
print("ready", flush=True)
sys.stdin.read()
while isinstance(found := take(engine, company, Rules(), now, holder=Holder("elsewhere", 1)), Taken):
    taken.append([found.store_id, found.lease_token])
print(json.dumps([taken, found.reasons]))
"""


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


def begun(engine: Engine, given: Taken, now: datetime = START, slug: str = "aldi", **options: Any) -> runs.Run:
    """The run of a crawl that takes a lease over."""
    told = {"spider": slug, "now": now, "host": "elsewhere", "pid": 1, "token": given.lease_token} | options
    return runs.open_run(engine, target(given.store_id, slug), **told)


def change(engine: Engine, code: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(stores).where(stores.c.store_id == code).values(**values))


Takings = list[tuple[list[list[str]], dict[str, int]]]
"""Of each process: the (store, token) that it took, and the reasons for which no more were offered."""


def all_taken(url: str, count: int, now: datetime = START) -> Takings:
    """What `count` processes that begin together take, each until none is offered, and the reasons it was given."""
    return timed_takings(url, count, now)[1]


def timed_takings(url: str, count: int, now: datetime = START, deadline: float = DEADLINE) -> tuple[float, Takings]:
    """The same, and the seconds from when all of them are ready until the last one is done."""
    command = [sys.executable, "-c", TAKER, url, now.isoformat()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    takers = [subprocess.Popen(command, env=environ, cwd=ROOT, **pipes) for _ in range(count)]
    late = threading.Timer(deadline, lambda: [taker.kill() for taker in takers])
    late.start()
    try:
        assert [taker.stdout.readline() for taker in takers] == ["ready\n"] * count
        began = time.perf_counter()
        for taker in takers:
            taker.stdin.close()
        told = [taker.stdout.read() for taker in takers]
        seconds = time.perf_counter() - began
        assert [taker.wait() for taker in takers] == [0] * count
        return seconds, [tuple(json.loads(each)) for each in told]
    finally:
        late.cancel()
        for taker in takers:
            taker.kill()
            taker.wait()
            taker.stdout.close()
