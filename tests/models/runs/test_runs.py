"""A store has one run at a time; a dead one never blocks it, and its walk may be resumed."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from models.publishing.publish import publish
from models.runs import opening
from models.runs.endings import Ending
from models.runs.run import last_complete_runs
from models.tables import stores
from splitcart.runs.verdict import Category, Counts, Shortfall
from tests.support.storage import (
    START,
    category,
    check_sound,
    crawl,
    judged,
    measured,
    open_run,
    query,
    row,
    stage,
    value,
)


def end(engine: Engine, run: opening.Run, status: str = "blocked", reason: str = "blocked", **options):
    options = {"counts": asdict(Counts(1, 1, listings=1)), "now": START} | options
    figures = options.pop("figures", {})
    opening.finish(engine, run, Ending(verdict=judged(status, reason, **figures), **options))


def gone_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_held_store_is_refused_with_until_when_and_by_whom(engine: Engine) -> None:
    open_run(engine, pid=os.getpid())
    with pytest.raises(opening.StoreHeld, match=f"{os.getpid()} on test") as held:
        open_run(engine, now=START + timedelta(seconds=119))
    assert held.value.until == START + timedelta(seconds=120)


def test_of_many_at_once_one_gets_the_store(engine: Engine) -> None:
    def attempt(_: int) -> bool:
        try:
            open_run(engine)
        except opening.StoreHeld:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert value(engine, "SELECT count(*) FROM crawl_runs") == 1
    assert value(engine, "SELECT count(*) FROM companies") == 1


def test_other_stores_and_other_companies_are_free(engine: Engine) -> None:
    assert len({open_run(engine, s, c).id for s in ("1", "2") for c in ("coles", "aldi")}) == 4


def test_a_company_is_found_whatever_the_case_of_its_slug(engine: Engine) -> None:
    open_run(engine, "1", "coles")
    shouted = opening.Target("Coles", "COLES", "2")
    opening.open_run(engine, shouted, spider="coles", now=START, host="h", pid=1)
    assert query(engine, "SELECT slug FROM companies") == [("coles",)]


def test_a_dead_lease_is_reaped_and_its_staging_dropped(engine: Engine) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(1)])
    run = open_run(engine, now=START + timedelta(seconds=121))
    assert run.id != dead.id
    assert query(engine, "SELECT id, status, lease_token FROM crawl_runs ORDER BY id") == [
        (dead.id, "abandoned", None),
        (run.id, "running", run.token),
    ]
    assert value(engine, "SELECT count(*) FROM staged_items") == 0


def test_a_killed_process_of_this_host_is_reaped_at_once(engine: Engine) -> None:
    host = socket.gethostname()
    open_run(engine, host=host, pid=gone_pid())
    assert open_run(engine, host=host, pid=os.getpid()).id == 2


def test_a_living_process_of_this_host_is_not_reaped(engine: Engine) -> None:
    host = socket.gethostname()
    open_run(engine, host=host, pid=os.getppid())
    with pytest.raises(opening.StoreHeld):
        open_run(engine, host=host, pid=os.getpid())


@pytest.mark.parametrize("resume", [False, True])
def test_an_opening_whose_answer_was_lost_is_not_held_by_itself(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(1)])
    opening.heartbeat(engine, dead, START, [category("a", 1)])

    def twice(_engine: Engine, work: Callable[[], opening.Run], **_options: Any) -> opening.Run:
        work()
        return work()

    with monkeypatch.context() as patch:
        patch.setattr(opening, "retried", twice)
        run = open_run(engine, now=START + timedelta(hours=1), resume=resume)
    assert query(engine, "SELECT lease_token FROM crawl_runs WHERE status = 'running'") == [(run.token,)]
    assert [(run.id == dead.id), [c.key for c in run.resumed]] == ([True, ["a"]] if resume else [False, []])
    assert run.started_at == (START if resume else START + timedelta(hours=1))
    opening.heartbeat(engine, run, START + timedelta(hours=1))


def test_a_heartbeat_prolongs_the_lease(engine: Engine) -> None:
    run = open_run(engine)
    opening.heartbeat(engine, run, START + timedelta(seconds=100))
    with pytest.raises(opening.StoreHeld):
        open_run(engine, now=START + timedelta(seconds=200))


def test_a_heartbeat_of_a_lost_lease_raises(engine: Engine) -> None:
    run = open_run(engine)
    open_run(engine, now=START + timedelta(hours=1))
    with pytest.raises(opening.LeaseLost, match="abandoned"):
        opening.heartbeat(engine, run, START + timedelta(hours=1))
    with pytest.raises(opening.LeaseLost):
        end(engine, run)


def test_resume_takes_over_the_rows_and_the_finished_categories_of_the_dead_walk(engine: Engine) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(1)])
    opening.heartbeat(engine, dead, START, [category("a", 1), category("b", 1, ended=False, expected=3)])
    run = open_run(engine, now=START + timedelta(hours=1), resume=True)
    assert (run.id, run.started_at) == (dead.id, START)
    assert run.token != dead.token
    assert run.resumed == (Category("a", 1, 1, True),)
    assert value(engine, "SELECT count(*) FROM staged_items") == 1


@pytest.mark.parametrize("lost", ["seq < 5", "true"])
def test_a_walk_whose_staging_a_server_crash_emptied_is_not_resumed(engine: Engine, lost: str) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(i) for i in range(5)])
    opening.heartbeat(engine, dead, START, [category("a", 5)])
    stage(engine, dead.id, [row(5)])
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM staged_items WHERE {lost}"))
    run = open_run(engine, now=START + timedelta(hours=1), resume=True)
    assert run.id != dead.id
    assert run.resumed == ()


def test_a_walk_with_a_refused_row_is_resumed_and_still_counts_it(engine: Engine) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(0), row(1), row(2, price_cents=-1)])
    run = open_run(engine, now=START + timedelta(hours=1), resume=True)
    assert run.id == dead.id
    totals = stage(engine, run.id, [row(3)])
    assert (totals.accepted, totals.staged, totals.quarantined) == (4, 3, 1)
    assert query(engine, "SELECT seq FROM quarantined_items") == [(2,)]


def test_a_crash_that_empties_the_staging_of_a_walk_already_taken_over_is_counted(engine: Engine) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(0), row(1), row(2, price_cents=-1)])
    run = open_run(engine, now=START + timedelta(hours=1), resume=True)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM staged_items"))
    totals = stage(engine, run.id, [row(3)], resumed=run.resumed_rows)
    assert (totals.accepted, totals.staged, totals.quarantined) == (4, 1, 1)
    assert opening.measure(engine, run).staged != totals.accepted - totals.quarantined


@pytest.mark.parametrize("hours", [6.1, 38])  # 38 hours after Monday 12:00 in Sydney the specials have flipped
def test_walks_too_far_apart_are_no_one_run(engine: Engine, hours: float) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(1)])
    run = open_run(engine, now=START + timedelta(hours=hours), resume=True)
    assert run.id != dead.id
    assert run.resumed == ()
    assert value(engine, "SELECT count(*) FROM staged_items") == 0


@pytest.mark.parametrize(("late", "resumed"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
def test_a_walk_of_exactly_six_hours_ago_may_be_resumed(engine: Engine, late, resumed) -> None:
    dead = open_run(engine)
    stage(engine, dead.id, [row(1)])
    run = open_run(engine, now=START + timedelta(hours=6) + late, resume=True)
    assert (run.id == dead.id) is resumed


@pytest.mark.parametrize(("zone", "resumed"), [("Australia/Sydney", False), ("Australia/Perth", True)])
def test_whether_a_flip_lies_between_two_walks_is_judged_by_the_stores_clock(engine: Engine, zone, resumed) -> None:
    crawl(engine, [row(1), row(2)])
    with engine.begin() as connection:
        connection.execute(update(stores).values(timezone=zone))
    before = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # Tuesday 23:00 in Sydney, 20:00 in Perth
    run = open_run(engine, now=before)
    stage(engine, run.id, [row(1)])
    again = open_run(engine, now=before + timedelta(hours=2), resume=True)
    assert (again.id == run.id) is resumed


def test_a_run_that_was_blocked_may_be_resumed(engine: Engine) -> None:
    blocked = open_run(engine)
    stage(engine, blocked.id, [row(1)])
    end(engine, blocked, categories=[category("a")])
    run = open_run(engine, now=START + timedelta(hours=1), resume=True)
    assert (run.id, [c.key for c in run.resumed]) == (blocked.id, ["a"])


def test_a_run_limited_on_request_is_not_resumed(engine: Engine) -> None:
    limited = open_run(engine)
    stage(engine, limited.id, [row(1)])
    end(engine, limited, "partial", "requested")
    assert open_run(engine, now=START + timedelta(hours=1), resume=True).id != limited.id


def test_finish_ends_the_run_once_and_frees_the_store(engine: Engine) -> None:
    run = open_run(engine)
    end(engine, run, "failed", "store_mismatch", categories=[category("a", 4)], answered_for="1101")
    end(engine, run, "failed", "store_mismatch")
    assert query(engine, "SELECT status, reason, answered_for, lease_token FROM crawl_runs") == [
        ("failed", "store_mismatch", "1101", None)
    ]
    assert query(engine, 'SELECT "key", seen, status FROM crawl_run_categories') == [("a", 4, "complete")]
    assert open_run(engine).id != run.id


def test_a_run_that_did_what_was_asked_and_found_nothing_is_no_failure_of_its_store(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run = open_run(engine, now=START + timedelta(hours=1))
    end(engine, run, "partial", "requested", now=START + timedelta(hours=1))
    assert query(engine, "SELECT fail_count, next_try_at, lease_token FROM stores") == [(0, None, None)]


def test_history_has_the_last_five_complete_runs(engine: Engine) -> None:
    assert opening.history(engine, open_run(engine)).last_complete is None
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM crawl_runs"))
    for i in range(7):
        now = START + timedelta(days=i)
        keys = [category("a", 10 + i), category("promo", 5, held=False)] + ([category("b", 3)] if i == 5 else [])
        run = open_run(engine, now=now)
        end(engine, run, "complete", "finished", now=now, categories=keys, counts={"listings": 20 + i})
    found = opening.history(engine, open_run(engine, now=START + timedelta(days=9)))
    assert found.last_complete == 26
    assert found.categories == {"a": (12, 13, 14, 15, 16), "b": (0, 0, 0, 3, 0)}
    assert found.shortfall is None


def test_a_complete_run_drops_categories_that_left_the_tree_before_it_was_resumed(engine: Engine) -> None:
    """Else the next run would miss a category that the complete one never had."""
    crawl(engine, [row(1)], status="partial", reason="category_failed: b", categories=[
        category("a"), category("b", 24, failed="500"),
    ])  # fmt: skip
    again = open_run(engine, now=START + timedelta(hours=1), resume=True)
    stage(engine, again.id, [row(2)])
    now, counts = START + timedelta(hours=2), measured(engine, again)
    publish(engine, again, Ending(verdict=judged(), now=now, categories=[*again.resumed, category("c")], counts=counts))
    assert set(opening.history(engine, open_run(engine, now=START + timedelta(days=1))).categories) == {"a", "c"}
    check_sound(engine)


def test_history_has_the_shortfall_that_no_complete_run_followed(engine: Engine) -> None:
    note = {"listings": 9, "at": START.isoformat(), "missing": ["b"]}
    end(engine, open_run(engine), "partial", "missing: b", figures={"shortfall": note})
    wanted = Shortfall(9, START, frozenset({"b"}))
    assert opening.history(engine, open_run(engine, now=START + timedelta(hours=13))).shortfall == wanted
    end(engine, open_run(engine, now=START + timedelta(days=1)), "complete", "finished", now=START + timedelta(days=1))
    assert opening.history(engine, open_run(engine, now=START + timedelta(days=2))).shortfall is None


def test_measure_counts_staging_before_any_price_is_known(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1), row(2), row(2, sponsored=True)])
    found = opening.measure(engine, run)
    assert (found.staged, found.listings, found.known, found.changed, found.median_ratio) == (3, 2, 0, 0, None)


def test_the_last_complete_run_of_each_store_is_looked_up_by_index_however_many_runs_there_are(engine: Engine) -> None:
    for days, (store, status, listings) in enumerate(
        [("1", "complete", 10), ("1", "complete", 11), ("1", "partial", 3), ("2", "complete", 20), ("3", "partial", 5)]
    ):
        run = open_run(engine, store, now=START + timedelta(days=days))
        stage(engine, run.id, [row(1)])
        verdict, counts = judged(status), measured(engine, run) | {"listings": listings}
        publish(engine, run, Ending(verdict=verdict, now=START + timedelta(days=days, hours=1), counts=counts))
    wanted = last_complete_runs(run.company_id)
    with engine.connect() as connection:
        found = {one.store_code: one.counts and one.counts["listings"] for one in connection.execute(wanted)}
        assert found == {"1": 11, "2": 20, "3": None}
        if engine.dialect.name == "sqlite":
            compiled = wanted.compile(connection, compile_kwargs={"literal_binds": True})
            steps = [step[-1] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
            [look_up] = [step for step in steps if "crawl_runs" in step]
            assert look_up.startswith("SEARCH")
            assert "store_code=?" in look_up
