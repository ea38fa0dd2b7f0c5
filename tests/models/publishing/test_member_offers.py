"""A members' offer is part of the offer: stored, returned, and a change where it changes, on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.storage import crawl, day, effective, query, row

MEMBERS = {"member_price_cents": 80, "member_multibuy_quantity": 3, "member_multibuy_total_cents": 200}
TOLD = "SELECT member_price_cents, member_multibuy_quantity, member_multibuy_total_cents FROM prices"


def history(engine: Engine) -> int:
    (count,) = query(engine, "SELECT count(*) FROM price_changes")
    return int(count[0])


def test_members_offers_are_stored_and_returned(engine: Engine) -> None:
    crawl(engine, [row(1, 100, **MEMBERS)])
    assert query(engine, TOLD) == [(80, 3, 200)]
    offer = effective(engine)["1"].offer
    assert {name: offer[name] for name in MEMBERS} == MEMBERS
    assert (offer["price_cents"], offer["multibuy_quantity"]) == (100, None)


@pytest.mark.parametrize(
    "change", [{"member_price_cents": 79}, {"member_multibuy_quantity": 4}, {"member_multibuy_total_cents": 199}]
)
def test_a_change_of_what_members_pay_is_a_change_of_the_offer(engine: Engine, change: dict[str, Any]) -> None:
    crawl(engine, [row(1, 100, **MEMBERS)])
    crawl(engine, [row(1, 100, **MEMBERS)], now=day(1))
    assert history(engine) == 1
    crawl(engine, [row(1, 100, **(MEMBERS | change))], now=day(2))
    assert history(engine) == 2
    assert query(engine, TOLD) == [tuple((MEMBERS | change).values())]


def test_an_offer_for_members_that_ends_leaves_none(engine: Engine) -> None:
    crawl(engine, [row(1, 100, **MEMBERS)])
    crawl(engine, [row(1, 100)], now=day(1))
    assert query(engine, TOLD) == [(None, None, None)]
