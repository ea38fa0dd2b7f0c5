"""Stores are handed out once, under a lease, and come back when their crawl does not."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from models.database.retry import retried
from models.errors import LeaseOver
from models.groups import merging
from models.publishing.publish import publish
from models.runs import opening
from models.runs.endings import Ending
from models.runs.leases import Holder
from models.scheduling import taking
from models.scheduling.taking import Taken, clear, give_back, reap, take
from models.tables import crawl_runs, stores
from splitcart.scheduling.probes import pages_for
from splitcart.scheduling.rule import Queue, Rules
from tests.support.schedules import HOLDER, all_taken, begun, change, company_of, taken
from tests.support.storage import START, check_sound, crawl, judged, measured, query, row, stage, value

HOUR = timedelta(hours=1)
STORE = "SELECT fail_count, scheduled_at, lease_token, next_try_at FROM stores WHERE store_code = '1'"


def ended(engine: Engine, run: opening.Run, status: str, now=START, reason: str | None = None, **figures: Any) -> None:
    """Ends a run as a crawl does."""
    verdict = judged(status, reason or {"complete": "finished"}.get(status, status), **figures)
    if verdict.publishes == "nothing":
        opening.finish(engine, run, Ending(verdict=verdict, now=now))
        return
    stage(engine, run.id, [row(1)])
    publish(engine, run, Ending(verdict=verdict, now=now, counts=measured(engine, run)))


@pytest.mark.parametrize(("kind", "processes"), [("postgres", 16), ("sqlite", 8)])
def test_many_processes_take_every_store_exactly_once(kind, processes, request):
    from models.database import engine as engines

    url = request.getfixturevalue(f"{kind}_url")
    engine, codes = engines.create(url), [str(i) for i in range(160)]
    company_of(engine, codes)
    found = all_taken(url, processes)
    given = [tuple(one) for some, _ in found for one in some]
    assert sorted(code for code, _ in given) == sorted(codes)
    assert sorted(given) == sorted(query(engine, "SELECT store_code, lease_token FROM stores"))
    assert len({token for _, token in given}) == 160
    assert [reasons for _, reasons in found] == [{"scheduled": 160}] * processes
    check_sound(engine)
    engine.dispose()


def test_taking_a_store_stamps_its_lock_out_its_lease_and_a_new_token(engine: Engine) -> None:
    company_of(engine, ["1", "2"])
    first, second = taken(engine), taken(engine, START + timedelta(seconds=1))
    assert (first.store_code, first.store_name, second.store_code) == ("1", "Store 1", "2")
    assert first.lease_token != second.lease_token
    assert first.lease_until == START + timedelta(seconds=120)
    [found] = [r for r in rows(engine) if r.store_code == "1"]
    assert (found.scheduled_at, found.lease_until) == (START, first.lease_until)
    assert found.lease_token == first.lease_token
    check_sound(engine)


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(stores).order_by(stores.c.id)))


def test_stores_are_taken_in_their_turn_whatever_their_rows_ids_are(engine: Engine) -> None:
    company_of(engine, ["x", "y"], "coles")
    company_of(engine, ["S10", "S9", "never", "again"])
    for code, hours in (("S10", 50), ("S9", 50), ("again", 1)):
        change(engine, code, last_scraped=START - hours * HOUR)
    change(engine, "again", needs_rescraping=True)
    assert [taken(engine).store_code for _ in range(4)] == ["again", "never", "S9", "S10"]
    assert taken(engine).reasons == {"scheduled": 4}
    assert taken(engine, slug="coles").store_code == "x"


def test_a_retry_after_a_lost_commit_takes_no_second_store(engine: Engine, monkeypatch) -> None:
    company_of(engine, ["1", "2"])

    def twice(_engine, work, **_options):
        work()
        return work()

    with monkeypatch.context() as patch:
        patch.setattr(taking, "retried", twice)
        assert taken(engine).store_code == "1"
    assert value(engine, "SELECT count(*) FROM stores WHERE lease_token IS NOT NULL") == 1


def test_a_store_that_another_transaction_has_locked_is_skipped(postgres_url) -> None:
    from models.database import engine as engines

    engine = engines.create(postgres_url)
    company_of(engine, ["1", "2"])
    with engine.begin() as connection:
        connection.execute(select(stores).where(stores.c.store_code == "1").with_for_update()).all()
        assert taken(engine).store_code == "2"
    assert taken(engine).store_code == "1"
    engine.dispose()


def test_a_store_that_was_taken_since_it_was_read_is_not_taken_again(postgres_url) -> None:
    from models.database import engine as engines

    engine, other = engines.create(postgres_url), engines.create(postgres_url)
    company, others = company_of(engine, ["1", "2", "3"]), []

    def late(_connection, _cursor, statement, *_rest):
        if "SKIP LOCKED" in statement and "CASE" in statement and not others:
            others.append(None)
            others.append(take(other, company, Rules(), START, holder=HOLDER).store_code)

    event.listen(engine, "before_cursor_execute", late)
    assert (taken(engine).store_code, others[1]) == ("2", "1")
    engine.dispose()
    other.dispose()


def test_taking_a_store_costs_a_few_statements_however_many_stores_there_are(engine: Engine) -> None:
    def statements() -> int:
        seen = []
        event.listen(engine, "before_cursor_execute", note := lambda *parts: seen.append(parts[2]))
        taken(engine)
        event.remove(engine, "before_cursor_execute", note)
        return len([one for one in seen if not one.startswith("BEGIN")])

    company_of(engine, ["1", "2", "3"])
    few = statements()
    company_of(engine, [f"a{i}" for i in range(120)])
    assert statements() == few <= 15


def test_the_four_hour_lock_out_holds_after_the_crawl_and_can_be_cleared(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    ended(engine, begun(engine, taken(engine)), "complete", START + HOUR)
    found = taken(engine, START + 4 * HOUR - timedelta(seconds=1))
    assert (found.reasons, found.next_free_at) == ({"scheduled": 1}, START + 4 * HOUR)
    assert clear(engine, company, START + 2 * HOUR, HOLDER) == (1, 0)
    assert taken(engine, START + 2 * HOUR).store_code == "1"
    check_sound(engine)


def test_the_lock_out_ends_by_itself(engine: Engine) -> None:
    company_of(engine, ["1"])
    ended(engine, begun(engine, taken(engine)), "complete", START + HOUR)
    assert taken(engine, START + 4 * HOUR).store_code == "1"


def test_a_crawl_that_ends_partial_as_requested_keeps_the_lock_out(engine: Engine) -> None:
    company_of(engine, ["1"])
    ended(engine, begun(engine, taken(engine)), "partial", reason="requested")
    assert taken(engine, START + HOUR).reasons == {"scheduled": 1}
    assert value(engine, "SELECT fail_count FROM stores") == 0


def test_clearing_never_frees_a_live_lease(engine: Engine) -> None:
    company = company_of(engine, ["1", "2"])
    ended(engine, begun(engine, taken(engine)), "complete", START + timedelta(seconds=30))
    held = taken(engine, START + timedelta(seconds=60))
    assert clear(engine, company, START + timedelta(seconds=90), HOLDER) == (1, 1)
    run = begun(engine, held, START + timedelta(seconds=100))
    assert clear(engine, company, START + timedelta(seconds=150), HOLDER) == (0, 1)
    opening.heartbeat(engine, run, START + timedelta(seconds=160))
    check_sound(engine)


def test_clearing_frees_stores_of_one_company_only(engine: Engine) -> None:
    for slug in ("aldi", "coles"):
        company_of(engine, ["1"], slug)
        ended(engine, begun(engine, taken(engine, slug=slug), slug=slug), "complete")
    assert clear(engine, company_of(engine), START + HOUR, HOLDER) == (1, 0)
    assert taken(engine, START + HOUR, slug="coles").reasons == {"scheduled": 1}


def test_needs_rescraping_survives_the_hand_out_and_failed_crawls_and_a_complete_one_clears_it(engine: Engine) -> None:
    company_of(engine, ["1"])
    change(engine, "1", needs_rescraping=True)
    now = START
    for status in ("failed", "partial", "blocked", "complete"):
        given = taken(engine, now)
        assert value(engine, "SELECT needs_rescraping FROM stores"), status
        run = begun(engine, given, now)
        ended(engine, run, status, now)
        assert bool(value(engine, "SELECT needs_rescraping FROM stores")) is (status != "complete"), status
        now += 30 * HOUR


def test_stores_that_always_fail_are_tried_only_as_often_as_their_delays_allow(engine: Engine) -> None:
    bad, good = [f"a{i}" for i in range(5)], [f"b{i}" for i in range(5)]
    company_of(engine, bad + good)
    for code in bad:
        change(engine, code, needs_rescraping=True)
    handed: list[str] = []
    for turn in range(40):  # a store every minute
        found = taken(engine, now := START + timedelta(minutes=turn))
        if isinstance(found, Taken):
            handed.append(found.store_code)
            ended(engine, begun(engine, found, now), "failed" if found.store_code in bad else "complete", now)
    assert handed[:10] == bad + good
    assert set(handed[10:]) == set(bad)
    assert all(handed.count(code) <= 3 for code in bad)  # at once, after 10 minutes, after 20 more


def test_a_killed_crawls_store_is_offered_after_its_delay_and_its_late_publish_is_refused(engine: Engine) -> None:
    company_of(engine, ["1"])
    killed = begun(engine, taken(engine))
    stage(engine, killed.id, [row(1)])
    found = taken(engine, START + timedelta(seconds=119))
    assert found.reasons == {"scheduled": 1}
    late = START + timedelta(seconds=120)
    found = taken(engine, late)
    assert (found.reasons, found.next_free_at) == ({"waiting": 1}, late + timedelta(minutes=10))
    assert query(engine, STORE)[0][:3] == (1, None, None)
    assert value(engine, "SELECT status FROM crawl_runs") == "abandoned"
    with pytest.raises(opening.LeaseLost):
        publish(engine, killed, Ending(verdict=judged(), now=late, counts={"staged": 1}))
    again = begun(engine, taken(engine, late + timedelta(minutes=10)), late + timedelta(minutes=10))
    with pytest.raises(opening.LeaseLost):
        publish(engine, killed, Ending(verdict=judged(), now=late, counts={"staged": 1}))
    ended(engine, again, "complete", late + timedelta(minutes=20))
    assert value(engine, "SELECT fail_count FROM stores") == 0
    assert value(engine, "SELECT count(*) FROM prices") == 1
    check_sound(engine)


def test_a_crawl_killed_on_this_host_is_reaped_at_once(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(60)
    here = Holder(socket.gethostname(), os.getpid())
    begun(engine, taken(engine), host=here.host, pid=process.pid)
    assert reap(engine, company.id, START, HOLDER) == 0
    assert reap(engine, company.id, START, here) == 1
    assert value(engine, "SELECT fail_count FROM stores") == 1


def test_a_lease_that_no_crawl_took_over_counts_as_a_failure_and_the_delay_grows_with_them(engine: Engine) -> None:
    company_of(engine, ["1"])
    now, waits = START, []
    for _ in range(4):
        assert taken(engine, now).store_code == "1"
        found = taken(engine, now := now + timedelta(seconds=120))
        waits.append((found.next_free_at - now).total_seconds() / 60)
        now = found.next_free_at
    assert waits == [10, 20, 40, 80]
    check_sound(engine)


@pytest.mark.parametrize("how", ["failed", "partial", "abandoned", "not taken over", "given back"])
def test_the_delay_after_a_failure_is_a_setting_however_the_crawl_failed(engine: Engine, how) -> None:
    company, delay, hour = company_of(engine, ["1"]), timedelta(minutes=3), START + HOUR
    given = taken(engine)
    if how not in ("not taken over", "given back"):
        run = begun(engine, given, failure_delay=delay)
    if how == "given back":
        assert give_back(engine, company.id, given, hour, delay)
        assert not give_back(engine, company.id, given, hour, delay)
    elif how in ("failed", "partial"):
        ended(engine, run, how, hour)
    else:
        reap(engine, company.id, hour, HOLDER, delay)
    assert taken(engine, hour).reasons == {"waiting": 1}
    assert taken(engine, hour).next_free_at == hour + delay
    reap(engine, company.id, hour, HOLDER, delay)
    assert taken(engine, hour).next_free_at == hour + delay
    check_sound(engine)


def test_a_blocked_company_pauses_and_no_other_does(engine: Engine) -> None:
    company_of(engine, ["1", "2"])
    company_of(engine, ["1"], "coles")
    ended(engine, begun(engine, taken(engine)), "blocked", at := START + timedelta(minutes=5))
    found = taken(engine, at)
    assert (found.reasons, found.next_free_at) == ({"blocked": 2}, at + HOUR)
    assert taken(engine, at, slug="coles").store_code == "1"
    again = taken(engine, at + HOUR)
    ended(engine, begun(engine, again, at + HOUR), "blocked", at + HOUR)
    assert taken(engine, at + HOUR).next_free_at == at + 3 * HOUR


def test_a_shortfall_waits_until_it_may_be_confirmed_and_counts_as_no_failure(engine: Engine) -> None:
    company_of(engine, ["1"])
    note = {"listings": 9, "at": START.isoformat(), "missing": [], "confirm_at": (START + 12 * HOUR).isoformat()}
    ended(engine, begun(engine, taken(engine)), "partial", reason="store_short: 9", shortfall=note)
    found = taken(engine, START + HOUR)
    assert (found.reasons, found.next_free_at) == ({"waiting": 1}, START + 12 * HOUR)
    assert query(engine, STORE)[0][:3] == (0, None, None)
    assert taken(engine, START + 12 * HOUR).store_code == "1"


def test_a_crawl_that_was_not_scheduled_holds_its_store(engine: Engine) -> None:
    company_of(engine, ["1", "2"])
    opening.open_run(engine, begun_target("1"), spider="aldi", now=START, host="elsewhere", pid=1)
    assert taken(engine).store_code == "2"
    assert taken(engine).reasons == {"scheduled": 1, "leased": 1}


def begun_target(code: str) -> opening.Target:
    return opening.Target("ALDI", "aldi", code)


def test_a_crawl_expected_to_cross_the_flip_waits_for_it(engine: Engine) -> None:
    company = company_of(engine, ["1", "2", "3"])
    flip = START + 36 * HOUR
    with engine.begin() as connection:
        for code, requests in (("1", 3600), ("2", 7200 + 1), ("other", "many")):
            run = {"company_id": company.id, "store_code": code, "spider": "aldi", "host": "h", "pid": 1}
            run |= {"started_at": START, "finished_at": START, "status": "complete", "counts": {"requests": requests}}
            connection.execute(insert(crawl_runs).values(**run))
    assert taken(engine, flip - 2 * HOUR).store_code == "1"
    found = taken(engine, flip - 2 * HOUR)  # 3 would take the median, but shares the rate with 1 now
    assert (found.reasons, found.next_free_at) == ({"flip": 2, "scheduled": 1}, flip)
    assert taken(engine, flip - 1.5 * HOUR).reasons == {"flip": 2, "waiting": 1}  # alone again, and too late
    assert [taken(engine, flip).store_code for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize("live", [True, False])
def test_a_wrong_token_is_refused_with_a_message(engine: Engine, live: bool) -> None:
    company_of(engine, ["1"])
    given = taken(engine)
    wrong = Taken("1", "", "f" * 32, given.lease_until)
    if live:
        with pytest.raises(opening.StoreHeld, match="a worker that took it from the scheduler"):
            begun(engine, wrong)
    else:
        change(engine, "1", lease_token=None, lease_until=None)
        with pytest.raises(LeaseOver, match=r"store 1 cannot be taken over: it is not the store's lease.*next_store"):
            begun(engine, wrong)
    assert value(engine, "SELECT count(*) FROM crawl_runs") == 0


def test_a_dead_token_is_refused_with_a_message(engine: Engine) -> None:
    company_of(engine, ["1"])
    given = taken(engine)
    with pytest.raises(LeaseOver, match="it ended at 2026-11-23 01:02:00 UTC; take a store with"):
        begun(engine, given, START + timedelta(seconds=120))
    assert value(engine, "SELECT count(*) FROM crawl_runs") == 0
    begun(engine, given, START + timedelta(seconds=119))


def test_a_token_serves_once(engine: Engine) -> None:
    company_of(engine, ["1"])
    given = taken(engine)
    run = begun(engine, given)
    with pytest.raises(opening.StoreHeld):
        begun(engine, given)
    ended(engine, run, "complete")
    with pytest.raises(LeaseOver):
        begun(engine, given)


def test_a_token_of_a_store_that_is_unknown_is_refused(engine: Engine) -> None:
    company_of(engine, ["1"])
    with pytest.raises(LeaseOver, match="the database has no such store"):
        begun(engine, Taken("99", "", "f" * 32, START))


def test_a_store_without_a_lease_is_taken_whatever_case_its_company_was_named_in(engine: Engine) -> None:
    crawl(engine, [row(1)], slug="aldi", store="1")
    with engine.begin() as connection:
        connection.execute(update(stores).values(is_online=False))
    assert isinstance(found := taken(engine, START + HOUR), Queue)
    assert (found.reasons, found.next_free_at) == ({"offline": 1}, None)


def grouped_pair(engine: Engine) -> None:
    """Store 1 and its member 2, crawled in one period, of 400 requests each; store 3 alone."""
    for store, hours in (("1", 0), ("2", 1), ("3", 2)):
        price = 500 if store == "3" else 100
        crawl(engine, [row(sku, price) for sku in range(60)], store=store, slug="aldi", now=START + hours * HOUR)
    with engine.begin() as connection:
        connection.execute(update(crawl_runs).values(counts={"requests": 400}))
    rules = merging.rules_of(company_of(engine), 0.98, 72)
    merging.Merger(engine, company_of(engine), rules, lambda: START + 3 * HOUR).run()


def test_with_groups_the_anchor_is_taken_in_full_and_then_its_member_for_a_probe(engine: Engine) -> None:
    grouped_pair(engine)
    after = START + 48 * HOUR  # specials have changed since
    assert [taken(engine, after, policy="groups").store_code for _ in range(2)] == ["1", "3"]
    soon = after + HOUR / 60
    crawl(engine, [row(1)], store="1", slug="aldi", now=soon, token=token_of(engine, "1"))
    found = taken(engine, soon, policy="groups")
    assert (found.store_code, found.probe) == ("2", pages_for(398))
    assert isinstance(taken(engine, soon, policy="groups"), Queue)


def token_of(engine: Engine, code: str) -> str:
    return str(value(engine, "SELECT lease_token FROM stores WHERE store_code = :s", s=code))


def test_a_retry_after_a_lost_commit_hands_out_the_probe_again(engine: Engine, monkeypatch) -> None:
    grouped_pair(engine)
    after = START + 48 * HOUR
    crawl(engine, [row(1)], store="1", slug="aldi", now=after)
    change(engine, "3", closed_at=after)
    lost = []

    def twice(engine, work, *, what):
        if what.startswith("taking"):
            lost.append(work())
        return retried(engine, work, what=what)

    monkeypatch.setattr(taking, "retried", twice)
    found = taken(engine, after + HOUR, policy="groups")
    assert found == lost[0]
    assert (found.store_code, found.probe) == ("2", pages_for(398))
