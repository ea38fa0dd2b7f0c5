"""One merger a company, on both databases; what runs and merges show of what is due."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from models.database import engine as engines
from models.errors import MergeHeld
from models.publishing.publish import publish
from models.publishing.stores import publish_stores
from models.runs import opening
from models.runs.endings import Ending
from models.runs.leases import Holder
from models.scheduling.due import facts, last_run, run_after
from models.scheduling.merges import merge, the_only_merger
from splitcart.grouping.rules import Rules
from splitcart.scheduling.due import Facts, Intervals, merge_at
from tests.support.schedules import company_of
from tests.support.storage import START, crawl, judged, measured, query, row, stage, target

HERE, THERE = Holder("here", 1), Holder("there", 2)
HOUR = timedelta(hours=1)


def known(engine: Engine, now=START) -> Facts:
    with engine.connect() as connection:
        return facts(connection, company_of(engine), now)


def test_a_merge_is_refused_while_another_runs_and_the_message_names_that_one(engine: Engine) -> None:
    company, other = company_of(engine, ["1"]), engines.create(engine.url.render_as_string(hide_password=False))
    with the_only_merger(engine, company, lambda: START, HERE):
        with pytest.raises(MergeHeld) as held, the_only_merger(other, company, lambda: START, THERE):
            pass
        assert "the groups of ALDI are being merged by process 1 on here, until" in str(held.value)
    with the_only_merger(other, company, lambda: START, THERE):
        pass
    other.dispose()


def test_two_companies_are_merged_at_once(engine: Engine) -> None:
    with (
        the_only_merger(engine, company_of(engine), lambda: START, HERE),
        the_only_merger(engine, company_of(engine, slug="iga"), lambda: START, THERE),
    ):
        assert query(engine, "SELECT count(*) FROM group_merges WHERE lease_token IS NOT NULL") == [(2,)]


def test_a_dead_mergers_lease_ends_at_once_on_its_own_host_and_after_an_hour_on_others(engine: Engine) -> None:
    company = company_of(engine)
    gone = Holder("here", 2**22 + 1)  # no process of Linux has this id
    killed = [the_only_merger(engine, company, lambda: START, gone) for _ in range(2)]
    killed[0].__enter__()
    with pytest.raises(MergeHeld), the_only_merger(engine, company, lambda: START + HOUR - HOUR / 60, THERE):
        pass
    with the_only_merger(engine, company, lambda: START + HOUR, THERE):
        pass
    killed[1].__enter__()
    with the_only_merger(engine, company, lambda: START, HERE):
        assert query(engine, "SELECT host FROM group_merges") == [("here",)]


def test_a_merge_is_recorded_when_it_is_done_and_not_when_it_fails(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    crawl(engine, [row(1)], slug="aldi", store="1")
    merge(engine, company, Rules(), lambda: START + HOUR, HERE)
    found = known(engine)
    assert (found.merged_at, found.seen_until) == (START + HOUR, START + HOUR)
    with pytest.raises(ZeroDivisionError), the_only_merger(engine, company, lambda: START + 2 * HOUR, HERE):
        raise ZeroDivisionError
    assert known(engine).merged_at == START + HOUR
    assert query(engine, "SELECT lease_token, host, pid FROM group_merges") == [(None, None, None)]


def test_a_run_that_is_published_during_a_merge_counts_as_not_seen(engine: Engine) -> None:
    company = company_of(engine, ["1"])
    run = opening.open_run(engine, target("1", "aldi"), spider="aldi", now=START, host="h", pid=1)
    ends = START + timedelta(seconds=90)  # its publish begins, and the merge's does not see it
    with the_only_merger(engine, company, lambda: ends + timedelta(seconds=5), HERE):
        stage(engine, run.id, [row(1)])
        publish(engine, run, Ending(verdict=judged(), now=ends, counts=measured(engine, run)))
    found = known(engine, ends + HOUR)
    assert found.completed_at < found.merged_at
    assert merge_at(found, Intervals(), ends + HOUR) == ends + HOUR


def located(engine: Engine, status: str, now) -> None:
    run = opening.open_run(engine, target("*", "aldi"), spider="aldi_stores", now=now, host="h", pid=1)
    if status != "running":
        found = {"1": dict.fromkeys(("store_name", "timezone", "is_online"))}
        publish_stores(engine, run, Ending(verdict=judged(status), now=now + HOUR), found)


def test_the_facts_are_those_of_complete_runs_and_failed_tries(engine: Engine) -> None:
    assert known(engine) == Facts()
    located(engine, "complete", START)
    located(engine, "partial", START + 2 * HOUR)
    located(engine, "running", START + 4 * HOUR)
    crawl(engine, [row(1)], slug="aldi", store="1", now=START + 5 * HOUR)
    crawl(engine, [row(1)], slug="aldi", store="1", now=START + 6 * HOUR, status="partial", reason="shutdown")
    found = known(engine, START + 6 * HOUR)
    assert (found.located_at, found.tried_at) == (START + HOUR, START + 3 * HOUR)
    assert found.locating_until == START + 4 * HOUR + timedelta(seconds=120)
    assert found.completed_at == START + 5 * HOUR
    company_of(engine, ["9"], "iga")
    assert (found.merged_at, found.paused_until) == (None, None)


def test_a_crawls_run_is_the_first_of_its_store_after_the_last_known_one(engine: Engine) -> None:
    company = company_of(engine, ["1", "2"])
    with engine.connect() as connection:
        assert last_run(connection, company.id, "1") == 0
        assert run_after(connection, company.id, "1", 0) is None
    made = [crawl(engine, [row(1)], slug="aldi", store=s, now=START + n * HOUR)[0].id for n, s in enumerate("1211")]
    with engine.connect() as connection:
        assert last_run(connection, company.id, "1") == made[3]
        assert run_after(connection, company.id, "1", made[0]).id == made[2]
        assert run_after(connection, company.id, "1", made[3]) is None
