"""Lists as one bound text: whatever their values hold, exactly they are found."""

import pytest
from sqlalchemy import Engine, text

from models import bulk
from models.dialect import among, listed, temporary

AWKWARD = [
    "",
    " ",
    '"',
    "\\",
    '\\"',
    "a,b",
    "{}",
    "NULL",
    "null",
    "it's",
    "%s",
    ":name",
    "é",
    "x\ny",
    "\t",
    "\\n",
    "牛乳",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_a_list_finds_its_texts_and_no_others(engine: Engine, value: str) -> None:
    with engine.begin() as connection:
        temporary(connection, "words", "word TEXT")
        bulk.insert(connection, "words", ("word",), [(word,) for word in AWKWARD])
        sql = text(f"SELECT word FROM words WHERE {among(connection, 'word', 'wanted')}")
        found = connection.execute(sql, {"wanted": listed(connection, [value, "absent"])}).scalars().all()
        assert found == [value]


def test_a_list_finds_numbers_and_an_empty_one_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        temporary(connection, "numbers", "number INTEGER")
        bulk.insert(connection, "numbers", ("number",), [(n,) for n in range(-5, 5)])
        sql = text(f"SELECT number FROM numbers WHERE {among(connection, 'number', 'wanted')} ORDER BY 1")
        for wanted, expected in (([-3, 4, 99], [-3, 4]), ([], [])):
            assert connection.execute(sql, {"wanted": listed(connection, wanted)}).scalars().all() == expected
