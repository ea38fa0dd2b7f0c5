"""What a member of a group charges, clause by clause, now and at any time before."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from models.prices.queries import price_at
from models.publishing.rollback import rollback
from tests.support import storage
from tests.support.groups import HOUR, grouped, merge, reset_all, rows
from tests.support.storage import START, check_sound, crawl, day, effective, row, value

MEMBER = "2"


def at(engine: Engine, when: datetime, sku: str = "5", store: str = MEMBER) -> tuple | None:
    """(price, source, observed_at) by price_at; None before the store showed it."""
    own = value(engine, "SELECT id FROM stores WHERE store_code = :s", s=store)
    listing = value(engine, "SELECT id FROM listings WHERE sku = :s", s=sku)
    with engine.connect() as connection:
        found = price_at(connection, own, listing, when)
    return found and (found.price_cents, found.source, found.observed_at)


def known(engine: Engine, sku: str = "5", store: str = MEMBER) -> tuple | None:
    """(price, source, observed_at) in effect, equal to what price_at returns; None where it is not sold."""
    found = effective(engine, store).get(sku)
    current = found and (found.offer["price_cents"], found.source, found.observed_at)
    then = at(engine, day(300), sku, store)
    assert current == (then if then and then[0] is not None else None)
    return current


@pytest.fixture
def pair(engine: Engine) -> Engine:
    """Store 1 and its member 2, which was seen an hour later; all that happens now is on the same Monday."""
    crawl(engine, rows(), store="1")
    crawl(engine, rows(), store=MEMBER, now=START + HOUR)
    merge(engine, START + HOUR)
    assert grouped(engine) == {frozenset("12")}
    return engine


def test_a_line_without_an_own_price_has_none_whatever_the_anchor_charges(pair: Engine) -> None:
    crawl(pair, rows(s200=50), store="1", now=day(0.1))
    assert known(pair, "200", "1") == (50, "own", day(0.1))
    assert known(pair, "200") is None
    crawl(pair, rows(s200=70), store=MEMBER, now=day(0.2))
    assert known(pair, "200") == (70, "own", day(0.2))


def test_an_equal_price_is_own_if_the_store_saw_it_later(pair: Engine) -> None:
    assert known(pair) == (205, "own", START + HOUR)


def test_an_equal_price_is_inferred_with_the_anchors_date_if_the_anchor_saw_it_later(pair: Engine) -> None:
    crawl(pair, rows(), store="1", now=day(0.1))
    assert known(pair) == (205, "inferred", day(0.1))
    crawl(pair, rows(), store=MEMBER, now=day(0.2))
    assert known(pair) == (205, "own", day(0.2))
    assert [at(pair, when)[1] for when in (START + HOUR, day(0.1), day(0.15), day(0.2))] == [
        *("own", "inferred", "inferred", "own")
    ]


def test_an_equal_price_that_the_anchor_reached_since_is_inferred_too(pair: Engine) -> None:
    crawl(pair, rows(s5=999), store=MEMBER, now=day(0.1))
    crawl(pair, rows(s5=999), store="1", now=day(3))
    assert known(pair) == (999, "inferred", day(3))


def test_a_deviation_is_own_as_long_as_the_anchor_has_not_changed_since(pair: Engine) -> None:
    crawl(pair, rows(s5=999), store=MEMBER, now=day(0.1))
    for when in (day(0.2), day(6)):
        crawl(pair, rows(s6=300), store="1", now=when)
        assert known(pair) == (999, "own", day(0.1))


def test_a_deviation_from_what_the_anchor_had_changed_before_is_own(pair: Engine) -> None:
    crawl(pair, rows(s5=300), store="1", now=day(0.1))
    crawl(pair, rows(), store=MEMBER, now=day(0.2))
    assert known(pair) == (205, "own", day(0.2))


def test_what_the_anchor_never_offered_is_own(pair: Engine) -> None:
    crawl(pair, rows(s200=50), store=MEMBER, now=day(0.1))
    crawl(pair, rows(), store="1", now=day(9))
    assert known(pair, "200") == (50, "own", day(0.1))
    crawl(pair, [*rows(s200=None), row(200, None)], store="1", now=day(9.1))  # shown, and never with a price
    assert known(pair, "200") == (50, "own", day(0.1))


def test_what_the_anchor_had_delisted_before_is_own(pair: Engine) -> None:
    for number in (0.1, 1):
        crawl(pair, rows(s5=None), store="1", now=day(number))
    assert known(pair) == (205, "contested", START + HOUR)
    crawl(pair, rows(), store=MEMBER, now=day(1.1))
    assert known(pair) == (205, "own", day(1.1))


def test_a_price_that_followed_the_anchor_follows_its_change(pair: Engine) -> None:
    crawl(pair, rows(s5=300), store="1", now=day(0.1))
    assert known(pair) == (300, "inferred", day(0.1))
    crawl(pair, rows(s5=300), store="1", now=day(0.2))
    assert known(pair) == (300, "inferred", day(0.2))
    crawl(pair, rows(s5=350), store="1", now=day(0.3))
    assert known(pair) == (350, "inferred", day(0.3))
    assert [at(pair, when)[0] for when in (START + HOUR, day(0.1), day(0.25), day(0.3))] == [205, 300, 300, 350]


def test_what_the_anchor_charged_before_the_store_joined_counts_too(engine: Engine) -> None:
    crawl(engine, rows(), store="1")
    crawl(engine, rows(), store=MEMBER)
    crawl(engine, rows(s5=300), store="1", now=day(0.1))
    assert known(engine) == (205, "own", START)
    merge(engine, day(0.2))
    assert known(engine) == (300, "inferred", day(0.1))
    assert at(engine, day(0.15)) == (205, "own", START)


@pytest.mark.parametrize("looked", [9, 11.5, 12, 13])
def test_a_price_follows_only_what_the_anchor_was_seen_to_charge_on_the_same_day_or_later(
    engine: Engine, looked: float
) -> None:
    """12 hours after the first crawl a Tuesday begins: the anchor's price of Monday does not hold for it."""
    crawl(engine, rows(), store="1")
    crawl(engine, rows(), store=MEMBER, now=START + looked * HOUR)
    merge(engine, START + 14 * HOUR)
    crawl(engine, rows(s5=300), store="1", now=START + 15 * HOUR)
    followed = (300, "inferred", START + 15 * HOUR)
    assert known(engine) == (followed if looked < 12 else (205, "contested", START + looked * HOUR))


def test_a_later_look_of_the_anchor_on_that_day_lets_the_price_follow(engine: Engine) -> None:
    for store, hours in (("1", 0), (MEMBER, 13), ("1", 13.5)):
        crawl(engine, rows(), store=store, now=START + hours * HOUR)
    merge(engine, START + 14 * HOUR)
    crawl(engine, rows(s5=300), store="1", now=START + 15 * HOUR)
    assert known(engine) == (300, "inferred", START + 15 * HOUR)


def test_a_later_probe_of_the_anchor_on_that_day_lets_the_lines_that_it_saw_follow(engine: Engine) -> None:
    for store, hours in (("1", 0), (MEMBER, 13)):
        crawl(engine, rows(), store=store, now=START + hours * HOUR)
    probe = [one for one in rows() if one["sku"] in ("5", "6")]
    crawl(engine, probe, store="1", now=START + 13.5 * HOUR, status="partial", reason="requested")
    merge(engine, START + 14 * HOUR)
    crawl(engine, rows(s5=300, s7=300), store="1", now=START + 15 * HOUR)
    assert known(engine) == (300, "inferred", START + 15 * HOUR)
    assert known(engine, "7") == (207, "contested", START + 13 * HOUR)


@pytest.mark.parametrize(("flip_hour", "source"), [(14, "contested"), (11, "inferred"), (17, "inferred")])
def test_a_price_follows_only_what_the_anchor_was_seen_to_charge_in_the_same_period_or_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, flip_hour: int, source: str
) -> None:
    """All is on one Monday: the anchor is seen at 12:00, the member at 15:00, and the anchor has changed by 17:00."""
    target = storage.target
    monkeypatch.setattr(storage, "target", lambda *names: replace(target(*names), flip_weekday=0, flip_hour=flip_hour))
    crawl(engine, rows(), store="1")
    crawl(engine, rows(), store=MEMBER, now=START + 3 * HOUR)
    merge(engine, START + 4 * HOUR)
    crawl(engine, rows(s5=300), store="1", now=START + 5 * HOUR)
    found = known(engine)
    assert found[:2] == (300 if source == "inferred" else 205, source)


@pytest.mark.parametrize(("anchor", "source"), [("Australia/Perth", "contested"), ("Australia/Sydney", "inferred")])
def test_the_days_of_two_stores_are_those_of_their_own_clocks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, anchor: str, source: str
) -> None:
    """At 13:30 UTC it is Tuesday for the member in Sydney; half an hour later still Monday for an anchor in Perth."""
    target, zones = storage.target, {"1": anchor, MEMBER: "Australia/Sydney"}
    monkeypatch.setattr(storage, "target", lambda store, slug: replace(target(store, slug), timezone=zones[store]))
    crawl(engine, rows(), store="1")
    crawl(engine, rows(), store=MEMBER, now=START + 12.5 * HOUR)
    crawl(engine, rows(), store="1", now=START + 13 * HOUR)
    merge(engine, START + 14 * HOUR)
    assert grouped(engine) == {frozenset("12")}
    crawl(engine, rows(s5=300), store="1", now=START + 15 * HOUR)
    assert known(engine)[1] == source


def test_a_deviation_is_contested_once_the_anchor_has_changed(pair: Engine) -> None:
    crawl(pair, rows(s5=999), store=MEMBER, now=day(0.1))
    crawl(pair, rows(s5=300), store="1", now=day(0.2))
    assert known(pair) == (999, "contested", day(0.1))
    assert at(pair, day(0.15)) == (999, "own", day(0.1))


def test_a_price_that_followed_is_contested_while_the_anchor_does_not_sell_the_line(pair: Engine) -> None:
    for number in (0.1, 1):
        crawl(pair, rows(s5=None), store="1", now=day(number))
    assert known(pair) == (205, "contested", START + HOUR)
    crawl(pair, rows(s5=300), store="1", now=day(1.2))  # it sells it again
    assert known(pair) == (300, "inferred", day(1.2))


def test_offers_are_compared_by_their_terms_alone(pair: Engine) -> None:
    """Another price for members is a deviation; another offer_id is not."""
    shown = [row(5, 205, member_price_cents=150), row(6, 206, offer_id="m"), *rows(s5=None, s6=None)]
    crawl(pair, shown, store=MEMBER, now=day(0.1))
    crawl(pair, [row(6, 206, offer_id="a"), *rows(s6=None)], store="1", now=day(0.2))
    assert known(pair)[1:] == ("own", day(0.1))
    assert effective(pair, MEMBER)["5"].offer["member_price_cents"] == 150
    assert known(pair, "6") == (206, "inferred", day(0.2))
    assert effective(pair, MEMBER)["6"].offer["offer_id"] == "a"


def test_later_events_change_no_price_at_an_earlier_time(pair: Engine) -> None:
    """Looks, changes, merges, resets, delistings and a rollback of later runs leave each earlier price as it was."""
    known: dict[tuple[str, datetime], tuple | None] = {}

    def check(now: datetime) -> None:
        for (sku, when), price in known.items():
            assert at(pair, when, sku) == price, (sku, when, now)
        known.update({(sku, now): at(pair, now, sku) for sku in ("5", "6", "7", "8")})

    later = {0.1: ("1", rows(s5=300)), 0.2: (MEMBER, rows(s5=300, s7=1)), 0.4: ("1", rows(s6=9, s5=300))}
    later |= {1.4: ("1", rows(s6=None)), 2.3: ("1", rows(s6=None)), 2.4: (MEMBER, rows(s8=None))}
    later |= {3.4: (MEMBER, rows(s8=None)), 3.5: (MEMBER, rows())}
    check(START + HOUR)
    for number, (store, shown) in later.items():
        run, _ = crawl(pair, shown, store=store, now=day(number))
        check(day(number))
        (merge if int(10 * number) % 2 else reset_all)(pair, day(number + 0.01))
        check(day(number + 0.02))
    rollback(pair, run.id, day(4))
    known = {key: price for key, price in known.items() if key[1] < day(3.5)}
    check(day(5))
    check_sound(pair)


def test_a_rollback_of_the_anchors_run_takes_nothing_that_a_member_saw_itself(pair: Engine) -> None:
    lie, _ = crawl(pair, rows(s5=130, s200=300), store="1", now=day(0.1))
    crawl(pair, rows(s5=130, s200=300), store=MEMBER, now=day(0.2))
    assert known(pair) == (130, "own", day(0.2))
    rollback(pair, lie.id, day(0.3))
    assert known(pair) == (130, "own", day(0.2))
    assert known(pair, "200") == (300, "own", day(0.2))
    assert at(pair, day(0.25)) == (130, "own", day(0.2))
    assert known(pair, store="1") == (205, "own", START)
    assert known(pair, "200", "1") is None
    check_sound(pair)


def test_a_rollback_of_the_anchors_run_takes_back_what_was_inferred_from_it(pair: Engine) -> None:
    lie, _ = crawl(pair, rows(s5=130), store="1", now=day(0.1))
    assert known(pair) == (130, "inferred", day(0.1))
    assert known(pair, "6") == (206, "inferred", day(0.1))
    rollback(pair, lie.id, day(0.2))
    assert known(pair) == (205, "own", START + HOUR)
    assert known(pair, "6") == (206, "own", START + HOUR)
    assert at(pair, day(0.15)) == (205, "own", START + HOUR)


def test_a_delisting_by_a_member_ends_its_price_and_a_relisting_brings_it_back(pair: Engine) -> None:
    """The anchor goes on selling it, and changes its price meanwhile."""
    crawl(pair, rows(s5=None), store=MEMBER, now=day(0.1))
    crawl(pair, rows(s5=300), store="1", now=day(0.2))
    assert known(pair)[0] == 300  # missing once: it may come back
    assert not effective(pair, MEMBER)["5"].is_available
    crawl(pair, rows(s5=None), store=MEMBER, now=day(1))
    assert known(pair) is None
    assert at(pair, day(1)) == (None, "own", None)
    own_rows = "SELECT count(*) FROM prices p JOIN listings l ON l.id = p.listing_id WHERE sku = '5' AND store_id = 2"
    assert value(pair, own_rows) == 0
    crawl(pair, rows(s5=310), store="1", now=day(1.1))
    reset_all(pair, day(1.2))
    assert known(pair) is None
    crawl(pair, rows(s5=310), store=MEMBER, now=day(1.3))
    assert known(pair) == (310, "own", day(1.3))
    assert at(pair, day(1.25)) == (None, "own", None)
    assert at(pair, day(0.9)) == (300, "inferred", day(0.2))
    check_sound(pair)


def test_whether_specials_have_flipped_since_an_offer_was_seen_follows_the_clock_of_the_store_that_saw_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flip is at midnight to Wednesday: 13:00 UTC on Tuesday in Sydney, three hours later in Perth."""
    target, zones = storage.target, {"1": "Australia/Perth", MEMBER: "Australia/Sydney"}
    monkeypatch.setattr(storage, "target", lambda store, slug: replace(target(store, slug), timezone=zones[store]))
    for hours, store, shown in ((0, "1", rows()), (1, MEMBER, rows(s5=999)), (2, "1", rows())):
        crawl(engine, shown, store=store, now=START + hours * HOUR)
    merge(engine, START + 3 * HOUR)
    flip = day(1.5)

    def flipped(now: datetime) -> dict[str, bool]:
        return {sku: one.flip_since for sku, one in effective(engine, MEMBER, now).items() if sku in ("5", "6")}

    assert [effective(engine, MEMBER)[sku].source for sku in ("5", "6")] == ["own", "inferred"]
    assert flipped(flip - timedelta(seconds=1)) == {"5": False, "6": False}
    assert flipped(flip) == {"5": True, "6": False}
    assert flipped(flip + 3 * HOUR) == {"5": True, "6": True}
    crawl(engine, rows(), store="1", now=flip + 4 * HOUR)
    assert flipped(flip + 5 * HOUR) == {"5": True, "6": False}
