"""Which runs count as live."""

from datetime import timedelta

from sqlalchemy import Engine

from models.runs import leases
from tests.support.storage import START
from tests.support.storage import open_run as opened


def test_runs_of_the_company_with_a_live_lease_count(engine: Engine) -> None:
    first = opened(engine, "1", "coles")
    assert leases.live_runs(engine, first.company_id, START) == 1
    opened(engine, "2", "coles")
    opened(engine, "3", "aldi")
    assert leases.live_runs(engine, first.company_id, START) == 2
    assert leases.live_runs(engine, first.company_id, START + timedelta(seconds=120)) == 0
