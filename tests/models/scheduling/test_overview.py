"""What operators look at of stores and runs."""

from datetime import timedelta

from sqlalchemy import Engine

from models.runs import opening
from models.runs.endings import Ending
from models.scheduling.overview import company_stores, recent_runs
from splitcart.scheduling.rule import Rules
from tests.support.schedules import begun, change, company_of, taken
from tests.support.storage import START, judged

HOUR = timedelta(hours=1)


def seen(engine: Engine, now=START) -> list[dict]:
    company = company_of(engine)
    with engine.connect() as connection:
        return company_stores(connection, company, Rules(), now)


def test_offered_stores_come_first_then_the_others_by_when_they_are_free(engine: Engine) -> None:
    company_of(engine, ["1", "2", "3", "4", "5"])
    change(engine, "1", closed_at=START)
    change(engine, "2", next_try_at=START + 2 * HOUR, fail_count=1)
    change(engine, "3", next_try_at=START + HOUR, fail_count=2)
    change(engine, "4", last_scraped=START)
    shown = [(each["store_id"], each["state"], each["why_not"], each["free_at"]) for each in seen(engine)]
    assert shown == [
        ("5", "never", None, None),
        ("4", "fresh", None, None),
        ("3", "failing", "waiting", START + HOUR),
        ("2", "failing", "waiting", START + 2 * HOUR),
        ("1", "closed", "closed", None),
    ]


def test_the_last_store_that_answered_is_shown(engine: Engine) -> None:
    company_of(engine, ["1"])
    for hours, answered in ((0, "7"), (30, "8"), (60, None)):
        run = begun(engine, taken(engine, START + hours * HOUR), START + hours * HOUR)
        verdict = judged("failed", "store_mismatch")
        opening.finish(engine, run, Ending(verdict=verdict, now=START + hours * HOUR, answered_for=answered))
    assert seen(engine)[0]["answered_for"] == "8"


def test_runs_come_the_latest_first_and_a_running_one_has_its_seconds_so_far(engine: Engine) -> None:
    company = company_of(engine, ["1", "2"])
    first = begun(engine, taken(engine))
    second = begun(engine, taken(engine, START + timedelta(seconds=60)), START + timedelta(seconds=60))
    with engine.connect() as connection:
        found = recent_runs(connection, START + timedelta(seconds=90), company_ids=[company.id])
        assert [(each["run"], each["seconds"]) for each in found] == [(second.id, 30), (first.id, 90)]
        assert recent_runs(connection, START, company_ids=[]) == []
