"""Merging that is killed at any point, or runs beside publishing: the database stays sound."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from models.database import engine as engines
from tests.support.groups import HOUR, grouped, merge, offers, prices_now, reset_all, written
from tests.support.storage import START, cents, check_sound, crawl, day

ROOT = Path(engines.__file__).parents[2]
KILLED = """
import os, signal, sys
from sqlalchemy import event
from models.database import engine as engines
from tests.support.groups import merge
engine, left = engines.create(sys.argv[1]), [int(sys.argv[2])]
def die(connection, cursor, statement, *rest):
    if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
event.listen(engine, "after_cursor_execute", die)
merge(engine)
"""


def chain_of(engine: Engine) -> None:
    for store, zone in (("1", 0), ("2", 0), ("3", 0), ("4", 3), ("5", 3)):
        crawl(engine, offers(zone, changed=[50 + int(store)]), store=store)


# Each store joins in 5 statements; then the comparisons are stored in 2.
@pytest.mark.parametrize("writes", [1, 5, 8, 16])
def test_a_merge_killed_at_any_point_changes_no_price_and_can_be_done_again(engine: Engine, writes) -> None:
    chain_of(engine)
    before, rows = prices_now(engine), written(engine)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url, str(writes)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert (prices_now(engine), written(engine)) == (before, rows)
    assert len(grouped(engine)) == 5 - (writes - 1) // 5
    check_sound(engine)
    merge(engine)
    assert grouped(engine) == {frozenset("123"), frozenset("45")}
    assert (prices_now(engine), written(engine)) == (before, rows)
    check_sound(engine)


def test_a_store_published_after_the_decision_is_decided_again(engine: Engine) -> None:
    chain_of(engine)
    once = []

    def publish_between(connection, cursor, statement, *rest) -> None:
        if statement.startswith("SELECT group_comparisons") and not once:
            once.append(
                threading.Thread(target=crawl, args=(engine, offers(6)), kwargs={"store": "3", "now": day(0.02)})
            )
            once[0].start()
            once[0].join(60)

    event.listen(engine, "before_cursor_execute", publish_between)
    merge(engine)
    assert once
    assert grouped(engine) == {frozenset("12"), frozenset("3"), frozenset("45")}
    check_sound(engine)


def test_publishing_and_merging_at_once_never_fail_the_caller(engine: Engine) -> None:
    chain_of(engine)
    failed: list[BaseException] = []

    def guarded(work) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 any error of a thread fails the test
            failed.append(error)

    def publish(store: str, zone: int) -> None:
        for number in range(4):
            rows = offers(zone, changed=[50 + number])
            crawl(engine, rows, store=store, now=START + HOUR * (1 + number) / 4)

    def merge_often() -> None:
        for number in range(6):
            merge(engine, START + HOUR * (1 + number / 6))

    works = [merge_often, merge_often, *(lambda s=s, z=z: publish(s, z) for s, z in (("1", 0), ("3", 0), ("5", 3)))]
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert failed == []
    assert not any(thread.is_alive() for thread in threads)
    check_sound(engine)
    merge(engine, day(0.3))
    assert grouped(engine) == {frozenset("123"), frozenset("45")}
    reset_all(engine, day(0.4))
    for store, zone in (("1", 0), ("3", 0), ("5", 3)):  # none of what was published beside it is lost
        assert cents(engine, store) == {one["sku"]: one["price_cents"] for one in offers(zone, changed=[53])}
