"""A run that stages nothing names the cause nearest to the site."""

from datetime import UTC, datetime

import pytest

from splitcart.runs.causes import why_empty
from splitcart.runs.verdict import Category, Counts, Gates, History, verdict


def category(key="tins", expected=0, seen=0, **fields):
    return Category(key=key, expected=expected, seen=seen, ended=True, **fields)


@pytest.mark.parametrize(
    ("counts", "categories", "why"),
    [
        ({}, [], "no category was walked"),
        ({"accepted": -1}, [category()], "staging never began"),
        ({}, [category(), category("b")], "the site lists no product in any of 2 categories"),
        ({}, [category(expected=40)], "40 products were promised and none was listed"),
        (
            {"drops": {"mapping/no_price": 39, "clean/no_name": 1}},
            [category(expected=40, seen=40)],
            "40 products were listed and every row was dropped (mapping/no_price 39, clean/no_name 1)",
        ),
        (
            {"error": "catalogue_error: u gives 'x' as its total"},
            [category("a"), category("b", failed="u answered 500")],
            "1 of 2 categories failed, first b: u answered 500",
        ),
        ({"error": "catalogue_error: the tree cannot be read"}, [], "catalogue_error: the tree cannot be read"),
        ({"accepted": 9, "quarantined": 9}, [category(seen=9)], "the database refused 9 of 9 rows"),
        ({"accepted": 9}, [category(seen=9)], "9 accepted rows are not in the staging table"),
    ],
)
def test_an_empty_store_names_its_cause(counts, categories, why):
    counted = Counts(**({"accepted": 0, "staged": 0} | counts))
    assert why in why_empty(counted, categories)
    judged = verdict("finished", counted, categories, History(), Gates(), now=datetime.now(UTC))
    assert (judged.status, judged.publishes) == ("failed", "nothing")
    assert judged.reason.startswith("empty_store: ")
    assert why in judged.reason
