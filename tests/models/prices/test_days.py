"""Random days of crawls, probes, kills, faults, merges, resets, rollbacks and flips: the database stays truthful."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import engine as engines
from tests.support.days import Days


def live(engine: Engine, seed: int, operations: int) -> Days:
    days = Days(engine, seed)
    try:
        days.live(operations // 2)
        days.check()
        days.live(operations // 2)
        for store in days.shelves:
            days.check_storefront(store)
        days.check()
        days.check_history()
    except BaseException as error:
        error.add_note("\n".join(days.log))
        raise
    return days


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_random_events_leave_the_database_truthful(tmp_path: Path, seed: int) -> None:
    engine = engines.create(f"sqlite:///{tmp_path}/days.db")
    days = live(engine, seed, 100)
    assert days.sources.keys() >= {"own"}
    engine.dispose()


@pytest.mark.parametrize("seed", range(20, 23))
def test_random_events_leave_the_database_truthful_on_postgresql(postgres_url: str, seed: int) -> None:
    engine = engines.create(postgres_url)
    assert live(engine, seed, 60).sources
    engine.dispose()
