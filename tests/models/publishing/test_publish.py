"""Publishing: what a run saw becomes what the store charges, in one transaction, and nothing else changes."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from models.errors import StagingIncomplete
from models.prices.queries import price_at
from models.publishing.publish import Published, publish
from models.runs import opening
from models.runs.endings import Ending
from tests.support.storage import (
    START,
    cents,
    check_sound,
    crawl,
    day,
    effective,
    judged,
    measured,
    open_run,
    query,
    row,
    stage,
    value,
)


def at(engine: Engine, sku: str, when, store: str = "1147"):
    """price_cents of price_at, None for no longer sold, 'unknown' before the first entry."""
    store_id = value(engine, "SELECT id FROM stores WHERE store_code = :s", s=store)
    listing_id = value(engine, "SELECT id FROM listings WHERE sku = :s", s=sku)
    with engine.connect() as connection:
        found = price_at(connection, store_id, listing_id, when)
    return "unknown" if found is None else found.price_cents


def test_the_first_publish_makes_store_group_membership_and_period(engine: Engine) -> None:
    run, published = crawl(engine, [row(1, 150), row(2, 250)])
    assert published == Published(inserted=2, updated=0, unchanged=0, missing=0, delisted=0)
    assert query(engine, "SELECT s.store_code, c.slug FROM stores s JOIN companies c ON c.id = s.company_id") == [
        ("1147", "woolworths")
    ]
    sql = "SELECT m.store_id, g.anchor_id FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id"
    assert query(engine, sql) == [(1, 1)]
    assert query(engine, "SELECT store_id, anchor_id, to_at FROM membership_periods") == [(1, 1, None)]
    assert query(engine, "SELECT status, store_id, lease_token FROM crawl_runs") == [("complete", 1, None)]
    assert cents(engine) == {"1": 150, "2": 250}
    assert {one.source for one in effective(engine).values()} == {"own"}
    assert {one.observed_at for one in effective(engine).values()} == {START}
    assert run.store_id is None


def test_only_what_differs_is_written_with_its_history(engine: Engine) -> None:
    crawl(engine, [row(1, 150), row(2, 250)])
    _, published = crawl(engine, [row(1, 150), row(2, 200, was_price_cents=250), row(3, 5)], now=day(1))
    assert published == Published(inserted=1, updated=1, unchanged=1, missing=0, delisted=0)
    assert cents(engine) == {"1": 150, "2": 200, "3": 5}
    assert [at(engine, "2", when) for when in (START - timedelta(1), START, day(0.9), day(1), day(9))] == [
        "unknown", 250, 250, 200, 200,
    ]  # fmt: skip
    assert query(engine, "SELECT seen_before FROM price_changes ORDER BY changed_at, listing_id") == [
        (None,), (None,), (1,), (1,),
    ]  # fmt: skip


def test_an_unchanged_crawl_writes_no_price(engine: Engine) -> None:
    rows = [row(i, 100 + i) for i in range(50)]
    crawl(engine, rows)
    before = query(engine, "SELECT * FROM prices ORDER BY 1, 2"), query(engine, "SELECT * FROM price_changes")
    _, published = crawl(engine, list(reversed(rows)), now=day(1))
    assert published == Published(inserted=0, updated=0, unchanged=50, missing=0, delisted=0)
    assert (query(engine, "SELECT * FROM prices ORDER BY 1, 2"), query(engine, "SELECT * FROM price_changes")) == before
    assert {one.observed_at for one in effective(engine).values()} == {day(1)}


def test_a_changed_price_is_not_delisted_the_day_after(engine: Engine) -> None:
    for number in range(4):
        crawl(engine, [row(i, 100 + number) for i in range(20)], now=day(number))
    assert cents(engine) == {str(i): 103 for i in range(20)}
    assert value(engine, "SELECT count(*) FROM missing_listings") == 0


def test_two_products_with_the_same_price_are_both_priced(engine: Engine) -> None:
    crawl(engine, [row(i, 100) for i in range(30)])
    assert cents(engine) == {str(i): 100 for i in range(30)}


def test_absence_takes_two_complete_runs_twenty_hours_apart(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    _, first = crawl(engine, [row(1)], now=day(1))
    assert (first.missing, first.delisted) == (1, 0)
    gone = effective(engine)["2"]
    assert (gone.is_available, gone.missing_since, gone.observed_at) == (False, day(1), START)
    _, soon = crawl(engine, [row(1)], now=day(1.5))
    assert (soon.missing, soon.delisted) == (0, 0)
    assert at(engine, "2", day(1.6)) == 100
    _, second = crawl(engine, [row(1)], now=day(2))
    assert (second.missing, second.delisted) == (0, 1)
    assert set(effective(engine)) == {"1"}
    assert at(engine, "2", day(2)) is None
    assert query(engine, "SELECT listing_id FROM prices") == [(1,)]
    sql = "SELECT crawl_run_id, seen_before FROM price_changes WHERE price_cents IS NULL"
    assert query(engine, sql) == [(4, 1)]
    mine = value(engine, "SELECT id FROM listings WHERE sku = '2'")
    with engine.connect() as connection:
        sold = price_at(connection, 1, mine, day(2.5))
    assert (sold.price_cents, sold.source, sold.observed_at) == (None, "own", None)
    _, third = crawl(engine, [row(1)], now=day(3))
    assert (third.missing, third.delisted) == (0, 0)
    check_sound(engine)


@pytest.mark.parametrize(("early", "delisted"), [(timedelta(0), 1), (timedelta(microseconds=1), 0)])
def test_the_second_look_is_twenty_hours_after_the_first_or_later(engine: Engine, early, delisted) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(1)], now=day(1))
    _, second = crawl(engine, [row(1)], now=day(1) + timedelta(hours=20) - early)
    assert second.delisted == delisted


def test_a_clock_gone_back_brings_no_second_look_nearer(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(1)], now=day(1))
    _, back = crawl(engine, [row(1)], now=day(0.5))
    _, again = crawl(engine, [row(1)], now=day(1.8))
    assert (back.delisted, again.delisted) == (0, 0)
    assert effective(engine)["2"].missing_since == day(1)


def test_a_listing_that_comes_back_is_sold_again(engine: Engine) -> None:
    for number, rows in enumerate([[row(1), row(2)], [row(1)], [row(1)], [row(1), row(2)]]):
        crawl(engine, rows, now=day(number))
    assert cents(engine) == {"1": 100, "2": 100}
    assert [at(engine, "2", day(n)) for n in range(4)] == [100, 100, None, 100]
    assert value(engine, "SELECT count(*) FROM missing_listings") == 0
    sql = "SELECT price_cents, crawl_run_id, seen_before FROM price_changes WHERE listing_id = 2 ORDER BY changed_at"
    assert query(engine, sql) == [(100, 1, None), (None, 3, 1), (100, 4, 3)]
    assert effective(engine)["2"].observed_at == day(3)
    check_sound(engine)


def test_a_listing_missing_once_and_seen_again_leaves_no_trace(engine: Engine) -> None:
    for number, rows in enumerate([[row(1), row(2)], [row(1)], [row(1), row(2)]]):
        crawl(engine, rows, now=day(number))
    assert effective(engine)["2"].is_available
    assert value(engine, "SELECT count(*) FROM price_changes") == 2
    assert value(engine, "SELECT count(*) FROM missing_listings") == 0


def test_a_partial_run_upserts_what_it_saw_and_judges_no_absence(engine: Engine) -> None:
    crawl(engine, [row(1, 100), row(2, 100)])
    _, published = crawl(engine, [row(1, 120), row(3, 5)], now=day(1), status="partial", reason="unproven: x")
    assert published == Published(inserted=1, updated=1, unchanged=0, missing=0, delisted=0)
    assert cents(engine) == {"1": 120, "2": 100, "3": 5}
    assert effective(engine)["2"].is_available
    assert (
        query(
            engine, "SELECT last_scraped = :t, fail_count FROM stores", t=str(START.isoformat(timespec="microseconds"))
        )[0][1]
        == 1
    )
    assert effective(engine)["2"].observed_at == START
    assert effective(engine)["1"].observed_at == day(1)


def test_a_row_without_a_price_sets_stock_and_never_a_price(engine: Engine) -> None:
    crawl(engine, [row(1, 100), row(2, None)])
    crawl(engine, [row(1, None), row(2, None)], now=day(1))
    assert cents(engine) == {"1": 100}
    assert not effective(engine)["1"].is_available
    assert value(engine, "SELECT count(*) FROM price_changes") == 1


def test_a_first_price_was_last_looked_for_by_the_latest_complete_run(engine: Engine) -> None:
    """Whether that saw the listing or not: it had no price there."""
    for number, rows in enumerate([[row(1, None), row(2, None)], [row(1, None)], [row(2, 100), row(3, 200)]]):
        crawl(engine, rows, now=day(number))
    sql = "SELECT l.sku, c.crawl_run_id, c.seen_before FROM price_changes c JOIN listings l ON l.id = c.listing_id"
    assert set(query(engine, sql)) == {("2", 3, 2), ("3", 3, 2)}


def test_a_stores_first_prices_follow_its_latest_complete_run(engine: Engine) -> None:
    crawl(engine, [row(1, None), row(2, None)])
    assert crawl(engine, [row(1, 100), row(2, None)], now=day(1))[1].inserted == 1
    assert query(engine, "SELECT crawl_run_id, seen_before FROM price_changes") == [(2, 1)]
    assert cents(engine) == {"1": 100}


TERMS = {
    "was_price_cents": 150,
    "price_basis": "kg",
    "multibuy_quantity": 3,
    "multibuy_total_cents": 250,
    "member_price_cents": 90,
    "member_multibuy_quantity": 3,
    "member_multibuy_total_cents": 230,
}
MULTIBUYS = {"multibuy_quantity": 2, "multibuy_total_cents": 180}
MULTIBUYS |= {"member_multibuy_quantity": 2, "member_multibuy_total_cents": 170}


@pytest.mark.parametrize("name", TERMS)
def test_each_term_of_an_offer_is_a_change_of_its_own(engine: Engine, name: str) -> None:
    """Coming, another value and going: three changes of one line, and none of the other."""
    base = MULTIBUYS if "multibuy" in name else {}
    offers = [base, base | {name: TERMS[name]}, base]
    for number, terms in enumerate(offers):
        special = {"is_on_special": "was_price_cents" in terms}
        _, published = crawl(engine, [row(1, **terms | special), row(2)], now=day(number))
        assert (published.inserted, published.updated, published.unchanged) == ((2, 0, 0), (0, 1, 1))[number > 0]
    sql = f"SELECT {name} FROM price_changes WHERE listing_id = 1 ORDER BY changed_at"
    before = base.get(name, "each" if name == "price_basis" else None)
    assert query(engine, sql) == [(before,), (TERMS[name],), (before,)]
    assert query(engine, f"SELECT {name}, changed_at FROM prices WHERE listing_id = 1")[0][0] == before
    assert effective(engine)["1"].changed_at == day(2)
    check_sound(engine)


DETAILS = {
    "offer_id": "o2",
    "offer_kind": "half price",
    "channel": "online",
    "offer_until": day(9),
    "typical_grams": 450,
    "is_estimated": True,
    "unit_price": 2.5,
}


@pytest.mark.parametrize("name", DETAILS)
def test_the_rest_of_an_offer_is_refreshed_in_its_row_and_is_not_a_change(engine: Engine, name: str) -> None:
    unit = {"unit_of_measure": "kg", "unit_price": 2.0}
    crawl(engine, [row(1, **unit), row(2, **unit)])
    history = query(engine, "SELECT * FROM price_changes ORDER BY 1, 2, 3")
    other = query(engine, "SELECT * FROM prices WHERE listing_id = 2")
    run, published = crawl(engine, [row(1, **unit | {name: DETAILS[name]}), row(2, **unit)], now=day(1))
    assert published == Published(inserted=0, updated=0, unchanged=2, missing=0, delisted=0)
    assert query(engine, "SELECT * FROM price_changes ORDER BY 1, 2, 3") == history
    assert query(engine, "SELECT * FROM prices WHERE listing_id = 2") == other
    offer = effective(engine)["1"].offer
    expected = {"unit_price_e4": 25000} if name == "unit_price" else {name: DETAILS[name]}
    assert {key: offer[key] for key in expected} == expected
    assert (effective(engine)["1"].changed_at, effective(engine)["1"].row.crawl_run_id) == (START, run.id)
    check_sound(engine)


def test_a_run_without_the_known_details_clears_them(engine: Engine) -> None:
    """An offer is all that the store showed last: nothing of it is left over from another week."""
    crawl(engine, [row(1, offer_id="o1", offer_until=day(2))])
    crawl(engine, [row(1)], now=day(3))
    assert (effective(engine)["1"].offer["offer_id"], effective(engine)["1"].offer["offer_until"]) == (None, None)
    assert value(engine, "SELECT count(*) FROM price_changes") == 1


def test_a_complete_run_that_shows_no_price_does_not_move_observed_at(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    for number in (1, 2, 3):
        crawl(engine, [row(1), row(2, None)], now=day(number))
        assert effective(engine)["1"].observed_at == day(number)
        assert (effective(engine)["2"].observed_at, cents(engine)["2"]) == (START, 100)
    assert seen_at(engine, "2", day(3)) == START
    crawl(engine, [row(1), row(2, 120)], now=day(4))
    sql = "SELECT seen_before FROM price_changes WHERE listing_id = 2 ORDER BY changed_at"
    assert query(engine, sql) == [(None,), (1,)]
    assert [seen_at(engine, "2", day(n)) for n in (3, 4)] == [START, day(4)]
    check_sound(engine)


def seen_at(engine: Engine, sku: str, when, store: str = "1147"):
    """observed_at of price_at."""
    store_id = value(engine, "SELECT id FROM stores WHERE store_code = :s", s=store)
    listing_id = value(engine, "SELECT id FROM listings WHERE sku = :s", s=sku)
    with engine.connect() as connection:
        return price_at(connection, store_id, listing_id, when).observed_at


def test_a_probe_before_an_absence_is_remembered(engine: Engine) -> None:
    """What was asked for saw the line after the last complete run did: it was there until then."""
    crawl(engine, [row(1), row(2), row(3)])
    probe, _ = crawl(engine, [row(2)], now=day(0.5), status="partial", reason="requested")
    assert value(engine, "SELECT fail_count FROM stores") == 0
    crawl(engine, [row(1)], now=day(1))
    assert query(engine, "SELECT listing_id, seen_run_id FROM missing_listings ORDER BY 1") == [(2, probe.id), (3, 1)]
    assert (effective(engine)["2"].observed_at, effective(engine)["3"].observed_at) == (day(0.5), START)
    crawl(engine, [row(1)], now=day(2))
    sql = "SELECT listing_id, seen_before FROM price_changes WHERE price_cents IS NULL ORDER BY 1"
    assert query(engine, sql) == [(2, probe.id), (3, 1)]
    assert seen_at(engine, "2", day(1.5)) == day(0.5)
    check_sound(engine)


def test_a_probe_before_a_change_is_the_last_look_at_the_former_price(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    probe, _ = crawl(engine, [row(2)], now=day(0.5), status="partial", reason="requested")
    crawl(engine, [row(1, 120), row(2, 120)], now=day(1))
    sql = "SELECT listing_id, seen_before FROM price_changes WHERE price_cents = 120 ORDER BY 1"
    assert query(engine, sql) == [(1, 1), (2, probe.id)]


def test_a_probe_that_sees_a_missing_line_ends_its_absence(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    crawl(engine, [row(1)], now=day(1))
    crawl(engine, [row(2)], now=day(1.5), status="partial", reason="requested")
    assert (effective(engine)["2"].missing_since, effective(engine)["2"].observed_at) == (None, day(1.5))
    _, again = crawl(engine, [row(1)], now=day(2))
    assert (again.missing, again.delisted) == (1, 0)
    check_sound(engine)


@pytest.mark.parametrize("status", ["complete", "partial"])
def test_a_resumed_run_keeps_the_time_of_what_it_published_before(engine: Engine, status: str) -> None:
    """1 was seen by the first walk, 2 by the second, 3 by both at two prices, 4 by the first without a price."""
    crawl(engine, [row(i) for i in range(1, 6)])
    short = judged("partial", "category_short: x")
    first = open_run(engine, now=day(0.05))
    stage(engine, first.id, [row(1, 90), row(3, 90), row(4, None)])
    counts = measured(engine, first)
    publish(engine, first, Ending(verdict=short, now=day(0.1), counts=counts))
    again = open_run(engine, now=day(0.15), resume=True)
    assert (again.id, again.started_at) == (first.id, day(0.05))
    stage(engine, again.id, [row(2, 80), row(3, 80)])
    counts = measured(engine, again)
    verdict = judged() if status == "complete" else short
    publish(engine, again, Ending(verdict=verdict, now=day(0.2), counts=counts))
    known = {sku: (one.offer["price_cents"], one.observed_at) for sku, one in effective(engine).items()}
    assert known == {
        "1": (90, day(0.1)),
        "2": (80, day(0.2)),
        "3": (80, day(0.2)),
        "4": (100, START),
        "5": (100, START),
    }
    assert [seen_at(engine, sku, day(0.15)) for sku in "1234"] == [day(0.1), START, day(0.1), START]
    assert [at(engine, "3", day(number)) for number in (0, 0.15, 0.2)] == [100, 90, 80]
    crawl(engine, [row(i, 70) for i in range(1, 6)], now=day(1))
    sql = "SELECT listing_id, seen_before FROM price_changes WHERE price_cents = 70 ORDER BY 1"
    assert query(engine, sql) == [(1, first.id), (2, first.id), (3, first.id), (4, 1), (5, 1)]
    check_sound(engine)


def test_a_resumed_run_saw_what_a_dead_walk_had_staged_when_that_began(engine: Engine) -> None:
    """Nobody knows when the first walk saw it: not before it began, and surely not when the second one ended."""
    crawl(engine, [row(1), row(2)])
    dead = open_run(engine, now=day(0.1))
    stage(engine, dead.id, [row(1)])
    again = open_run(engine, now=day(0.2), resume=True)
    assert again.id == dead.id
    stage(engine, again.id, [row(2)])
    counts = measured(engine, again)
    publish(engine, again, Ending(verdict=judged(), now=day(0.25), counts=counts))
    assert [effective(engine)[sku].observed_at for sku in "12"] == [day(0.1), day(0.25)]
    check_sound(engine)


def test_a_run_that_crosses_a_flip_saw_at_its_start(engine: Engine) -> None:
    """What it saw last may be of the new week, what it saw first is not: none of it counts for the new one."""
    run = open_run(engine, now=day(1.4))
    stage(engine, run.id, [row(1), row(2)])
    counts = measured(engine, run)
    publish(engine, run, Ending(verdict=judged(), now=day(1.6), counts=counts))
    assert {one.observed_at for one in effective(engine).values()} == {day(1.4)}
    assert all(one.flip_since for one in effective(engine, now=day(1.6)).values())
    assert query(engine, "SELECT local_day, period FROM sightings") == [("2026-11-24", "2026-11-18")]
    assert effective(engine)["1"].changed_at == day(1.6)
    crawl(engine, [row(1), row(2)], now=day(1.7))
    assert {one.observed_at for one in effective(engine).values()} == {day(1.7)}
    assert not any(one.flip_since for one in effective(engine, now=day(1.8)).values())


def test_an_offers_end_and_the_flip_since_are_returned(engine: Engine) -> None:
    crawl(engine, [row(1, 80, was_price_cents=100, offer_until=day(1.2)), row(2)])
    found = effective(engine, now=day(1.49))
    assert (found["1"].offer["offer_until"], found["2"].offer["offer_until"]) == (day(1.2), None)
    assert {one.flip_since for one in found.values()} == {False}
    assert {one.flip_since for one in effective(engine, now=day(1.5)).values()} == {True}


def test_a_delisted_listing_seen_without_a_price_stays_without_one(engine: Engine) -> None:
    for number, rows in enumerate([[row(1), row(2)], [row(1)], [row(1)], [row(1), row(2, None)]]):
        crawl(engine, rows, now=day(number))
    assert set(effective(engine)) == {"1"}
    assert value(engine, "SELECT count(*) FROM prices") == 1
    crawl(engine, [row(1), row(2)], now=day(4))
    assert cents(engine) == {"1": 100, "2": 100}
    assert [at(engine, "2", day(n)) for n in (2, 3, 4)] == [None, None, 100]
    check_sound(engine)


def test_what_the_store_does_not_range_is_not_given_and_comes_back_without_a_change(engine: Engine) -> None:
    crawl(engine, [row(1), row(2, is_ranged=False)])
    assert set(effective(engine)) == {"1"}
    crawl(engine, [row(1), row(2)], now=day(1))
    assert set(effective(engine)) == {"1", "2"}
    assert value(engine, "SELECT count(*) FROM price_changes") == 2


def test_the_last_organic_row_of_a_sku_counts_whatever_came_between(engine: Engine) -> None:
    organic = [row(1, 100), row(1, 110)]
    crawl(engine, [row(1, 90, sponsored=True), *organic, row(1, 95, sponsored=True), row(2, 7, sponsored=True)])
    assert cents(engine) == {"1": 110, "2": 7}


def test_a_lost_lease_publishes_nothing(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1)])
    counts = measured(engine, run)
    open_run(engine, now=START + timedelta(hours=1))
    with pytest.raises(opening.LeaseLost):
        publish(engine, run, Ending(verdict=judged(), now=START, counts=counts))
    assert value(engine, "SELECT count(*) FROM stores") == 0


def test_rows_missing_from_staging_publish_nothing(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1)])
    with pytest.raises(StagingIncomplete, match="staged 2 rows but 1 were found"):
        publish(engine, run, Ending(verdict=judged(), now=START, counts={"staged": 2}))
    assert value(engine, "SELECT count(*) FROM prices") == 0
    assert value(engine, "SELECT status FROM crawl_runs") == "running"


def test_a_walk_that_died_when_it_was_resumed_observed_nothing_since_it_published(engine: Engine) -> None:
    crawl(engine, [row(1, 100)])
    partial, _ = crawl(engine, [row(1, 120)], now=day(0.1), status="partial", reason="category_short: x")
    assert open_run(engine, now=day(0.2), resume=True).id == partial.id
    open_run(engine, now=day(9))
    assert value(engine, "SELECT status FROM crawl_runs WHERE id = :r", r=partial.id) == "abandoned"
    assert effective(engine)["1"].observed_at == day(0.1)


def test_publishing_again_after_the_commit_gives_the_same_answer(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1), row(2)])
    counts = measured(engine, run)
    ending = Ending(verdict=judged(), now=START, answered_for="1147", counts=counts)
    answers = {publish(engine, run, ending) for _ in range(2)}
    assert answers == {Published(2, 0, 0, 0, 0)}


def test_a_clock_gone_back_keeps_the_order_of_history(engine: Engine) -> None:
    crawl(engine, [row(1, 100)], now=day(1))
    crawl(engine, [row(1, 200)], now=day(0.5))
    assert cents(engine) == {"1": 200}
    assert query(engine, "SELECT price_cents FROM price_changes ORDER BY changed_at") == [(100,), (200,)]


def test_the_runs_of_other_stores_and_companies_do_not_touch_each_other(engine: Engine) -> None:
    crawl(engine, [row(1, 100), row(2, 100)], store="a")
    crawl(engine, [row(1, 200)], store="b")
    crawl(engine, [row(1, 300)], store="a", slug="coles")
    crawl(engine, [row(1, 100), row(2, 100)], store="a", now=day(1))
    assert cents(engine, "b") == {"1": 200}
    assert query(engine, "SELECT p.price_cents FROM prices p ORDER BY 1") == [(100,), (100,), (200,), (300,)]


def test_a_store_without_a_complete_run_has_flipped_since_its_first_prices(engine: Engine) -> None:
    """Else a store whose first run was partial could never be published again after a flip of 40% of its prices."""
    crawl(engine, [row(1)], status="partial", reason="category_short: x")
    same_week, next_week = open_run(engine, now=day(1)), None
    assert not opening.measure(engine, same_week).flipped
    opening.finish(engine, same_week, Ending(verdict=judged("failed", "failed"), now=day(1)))
    next_week = open_run(engine, now=day(3))
    assert opening.measure(engine, next_week).flipped


def test_measure_compares_staging_with_live_prices(engine: Engine) -> None:
    crawl(engine, [row(i, 100) for i in range(4)])
    run = open_run(engine, now=day(1))
    stage(engine, run.id, [row(0, 100), row(1, 150), row(2, 300), row(3, None), row(4, 7)])
    found = opening.measure(engine, run)
    assert (found.staged, found.listings, found.known, found.changed, found.median_ratio) == (5, 5, 3, 2, 1.5)


def test_a_run_without_the_number_of_rows_handed_over_is_not_published(engine: Engine) -> None:
    run = open_run(engine)
    stage(engine, run.id, [row(1)])
    with pytest.raises(ValueError, match="staged"):
        publish(engine, run, Ending(verdict=judged(), now=START))
    assert query(engine, "SELECT count(*) FROM prices") == [(0,)]
