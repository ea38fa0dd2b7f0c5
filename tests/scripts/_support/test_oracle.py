"""The comparison that the demo and chaos use must itself notice wrong prices."""

import pytest
from _support import oracle

MILK = (310, None, None, None)
DEARER = (330, None, None, None)
NO_PRICE = (None, None, None, None)


def test_what_a_complete_crawl_should_leave_has_no_differences():
    assert oracle.differences({}, {"milk": MILK}, {"milk": MILK, "bread": NO_PRICE}) == []


def test_a_listing_without_a_price_today_keeps_the_price_it_had():
    assert oracle.differences({"milk": MILK}, {"milk": MILK}, {"milk": NO_PRICE}) == []
    assert oracle.differences({"milk": MILK}, {}, {"milk": NO_PRICE}) != []


@pytest.mark.parametrize(
    ("found", "truth"),
    [({"milk": DEARER}, {"milk": MILK}), ({}, {"milk": MILK}), ({"milk": MILK}, {})],
    ids=["wrong", "missing", "invented"],
)
def test_a_price_that_is_wrong_missing_or_invented_is_a_difference(found, truth):
    assert len(oracle.differences({}, found, truth)) == 1
