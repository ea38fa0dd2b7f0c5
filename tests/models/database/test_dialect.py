"""Lists of values as one parameter: exactly the values are found, whatever characters they hold."""

import pytest
from sqlalchemy import Column, Engine, Integer, Text, select

from models.database import bulk
from models.database.dialect import emptied, is_one_of, temporary_table
from tests.support.awkward import AWKWARD

WORDS = temporary_table("words_and_numbers", Column("word", Text), Column("number", Integer))


@pytest.mark.parametrize("value", AWKWARD)
def test_exactly_the_texts_of_a_list_are_found(engine: Engine, value: str) -> None:
    with engine.begin() as connection:
        emptied(connection, WORDS)
        bulk.insert(connection, WORDS, ("word",), [(word,) for word in AWKWARD])
        found = select(WORDS.c.word).where(is_one_of(connection, WORDS.c.word, [value, "absent"]))
        assert connection.execute(found).scalars().all() == [value]


def test_exactly_the_numbers_of_a_list_are_found_and_none_by_an_empty_list(engine: Engine) -> None:
    with engine.begin() as connection:
        emptied(connection, WORDS)
        bulk.insert(connection, WORDS, ("number",), [(n,) for n in range(-5, 5)])
        for wanted, expected in (([-3, 4, 99], [-3, 4]), ([], [])):
            found = select(WORDS.c.number).where(is_one_of(connection, WORDS.c.number, wanted))
            assert sorted(connection.execute(found).scalars()) == expected


def test_a_temporary_table_lasts_as_long_as_its_connection_until_it_is_emptied(engine: Engine) -> None:
    with engine.connect() as connection:
        for _ in range(2):
            with connection.begin():
                emptied(connection, WORDS)
                bulk.insert(connection, WORDS, ("number",), [(1,)])
            with connection.begin():
                assert connection.execute(select(WORDS.c.number)).scalars().all() == [1]
