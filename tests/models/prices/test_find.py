"""The plain search: every word anywhere in name, brand or size, in any case, with what is charged now."""

import pytest
from sqlalchemy import Engine

from models.prices.find import find
from tests.support.storage import crawl, day, row

NAMES = {"1": "Full Cream Milk", "2": "Crème Fraîche 50%_x", "3": "Milk Chocolate"}


@pytest.fixture
def crawled(engine: Engine) -> Engine:
    crawl(engine, [row(sku, 100 + int(sku), name=name, brand="Élan", size="2L") for sku, name in NAMES.items()])
    return engine


@pytest.mark.parametrize(
    ("words", "skus"),
    [
        (["milk"], ["1", "3"]), (["MILK", "cream"], ["1"]), (["CRÈME"], ["2"]), (["élan", "chocolate"], ["3"]),
        (["2l"], ["2", "1", "3"]), (["50%_X"], ["2"]), (["%"], ["2"]), (["5_%"], []), (["\\"], []), (["è", "î"], ["2"]),
    ],
)  # fmt: skip
def test_every_word_must_match_and_wildcards_are_literal(crawled: Engine, words: list[str], skus: list[str]) -> None:
    with crawled.connect() as connection:
        found, more = find(connection, words, day(1), limit=10)
    assert [one.sku for one in found] == skus
    assert not more


def test_no_more_than_the_limit_is_returned_and_whether_there_is_more(crawled: Engine) -> None:
    with crawled.connect() as connection:
        assert [find(connection, ["2l"], day(1), limit=n)[1] for n in (2, 3)] == [True, False]
        [one, *_], _ = find(connection, ["milk"], day(1), limit=2)
        assert find(connection, ["milk"], day(1), limit=2, store="9") == ([], False)
    assert (one.company, one.price_cents, one.source, one.observed_at) == ("woolworths", 101, "own", day(0))
