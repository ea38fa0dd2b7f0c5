"""The fixtures that every other storage test stands on."""

import pytest
from sqlalchemy import func, insert, inspect, select

from models import tables


def test_a_database_is_migrated(engine):
    assert {"stores", "listings", "prices", "crawl_runs"} <= set(inspect(engine).get_table_names())


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_does_not_see_what_the_test_before_wrote(engine, turn):
    with engine.begin() as connection:
        before = connection.execute(select(func.count()).select_from(tables.companies)).scalar_one()
        connection.execute(insert(tables.companies).values(name="ALDI", slug="aldi"))
    assert before == 0
