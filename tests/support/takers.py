"""Processes that begin together and take a company's stores, each until none is offered.

A module to run: its process has no threads and no connections, so the takers are forked from it. Sixteen interpreters
would spend most of their time on imports.
"""

import json
import multiprocessing
import sys
import time
from datetime import datetime
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from sqlalchemy import select

from models.database import engine as engines
from models.runs.leases import Holder
from models.scheduling.taking import Taken, take
from models.tables import companies
from splitcart.scheduling.rule import Rules

DEADLINE = 240.0


def take_all(url: str, now: datetime, together: Barrier, answers: SimpleQueue) -> None:
    """Answers [[[store, token], ...], the reasons given at the end]."""
    engine, taken = engines.create(url), []
    with engine.connect() as connection:
        company = connection.execute(select(companies).where(companies.c.slug == "aldi")).one()
    together.wait(DEADLINE)
    while isinstance(found := take(engine, company, Rules(), now, holder=Holder("elsewhere", 1)), Taken):
        taken.append([found.store_code, found.lease_token])
    answers.put([taken, found.reasons])


def main(url: str, now: str, count: str, deadline: str) -> int:
    """Writes [seconds from when all are ready, answers] as JSON; returns 1 where a process failed."""
    fork = multiprocessing.get_context("fork")
    together, answers = fork.Barrier(int(count) + 1), fork.SimpleQueue()
    arguments = (url, datetime.fromisoformat(now), together, answers)
    takers = [fork.Process(target=take_all, args=arguments, daemon=True) for _ in range(int(count))]
    for taker in takers:
        taker.start()
    together.wait(DEADLINE)
    began = time.perf_counter()
    for taker in takers:
        taker.join(float(deadline))
    seconds = time.perf_counter() - began
    if any(taker.exitcode != 0 for taker in takers):
        return 1
    sys.stdout.write(json.dumps([seconds, [answers.get() for _ in takers]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
