"""The fixtures that every other storage test stands on."""

import pytest
from sqlalchemy import func, insert, inspect, select

from models import tables


def test_a_database_is_migrated(engine):
    assert {"stores", "listings", "prices", "crawl_runs"} <= set(inspect(engine).get_table_names())


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_one_test_wrote_the_next_does_not_see(engine, turn):
    with engine.begin() as connection:
        before = connection.execute(select(func.count()).select_from(tables.companies)).scalar_one()
        connection.execute(insert(tables.companies).values(name="ALDI", slug="aldi"))
    assert before == 0
