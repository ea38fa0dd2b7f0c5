"""A rolled-back run leaves the database as if it had never been published."""

import pytest
from sqlalchemy import Engine, select

from models.errors import RollbackRefused
from models.prices.queries import price_at
from models.publishing.publish import publish
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from models.tables import membership_periods
from tests.support.groups import HOUR, grouped, merge
from tests.support.states import state
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


def test_prices_history_range_absence_and_texts_are_as_before(engine: Engine) -> None:
    crawl(engine, [row(i, 100 + i) for i in range(8)])
    crawl(engine, [row(i, 100 + i, name=f"Other {i}") for i in range(1, 8)], now=day(1))
    crawl(engine, [row(i, 100 + i) for i in range(1, 7)], now=day(2.2))
    before = state(engine)
    lied = [row(i, 50, name=f"Lie {i}", was_price_cents=60) for i in (0, 1, 2)] + [row(3, None), row(4, 104)]
    run, _ = crawl(engine, lied, now=day(4))
    expected = rollback(engine, run.id, day(5), dry=True)
    assert cents(engine)["1"] == 50
    assert rollback(engine, run.id, day(5)) == expected
    assert state(engine) == before
    check_sound(engine)
    assert value(engine, "SELECT rolled_back_at IS NULL FROM crawl_runs WHERE id = :r", r=run.id) in (0, False)


def test_names_that_a_lie_taught_are_forgotten(engine: Engine) -> None:
    """A barcode on the wrong thing says that two names are one product: no later crawl may build on that."""
    true = row(1, name="Acme Milk", brand="Acme", gtin="09300605123454")
    crawl(engine, [true, row(2, name="Acme Cream", brand="Acme")])
    before = state(engine)
    lie = row(3, name="Acme Long Life Milk", brand="Acme Co", gtin="09300605123454")
    run, _ = crawl(engine, [true, row(2, name="Acme Cream", brand="Acme"), lie], now=day(1))
    assert len(state(engine)["product_aliases"]) > len(before["product_aliases"])
    assert rollback(engine, run.id, day(2)).aliases > 0
    assert state(engine)["product_aliases"] == before["product_aliases"]
    assert state(engine)["brand_aliases"] == []
    check_sound(engine)


def test_listings_that_only_the_lie_saw_have_no_price_afterwards(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run, _ = crawl(engine, [row(1), row("ghost")], now=day(1))
    rollback(engine, run.id, day(2))
    assert cents(engine) == {"1": 100}
    check_sound(engine)
    crawl(engine, [row(1, 90)], now=day(3))
    assert cents(engine) == {"1": 90}
    check_sound(engine)


def test_a_rollback_that_later_runs_stand_on_is_refused(engine: Engine) -> None:
    first, _ = crawl(engine, [row(1)])
    second, _ = crawl(engine, [row(1, 90)], now=day(1))
    with pytest.raises(RollbackRefused, match=f"roll back {second.id} first"):
        rollback(engine, first.id, day(2))
    rollback(engine, second.id, day(2))
    rollback(engine, first.id, day(2))
    assert cents(engine) == {}
    with pytest.raises(RollbackRefused, match="already"):
        rollback(engine, first.id, day(2))
    with pytest.raises(RollbackRefused, match="unknown"):
        rollback(engine, 99, day(2))


def test_a_row_is_as_old_and_as_well_known_as_before(engine: Engine) -> None:
    """A member's run: its own rows, and its own looks at them, are what they were."""
    crawl(engine, [row(1, 100), row(2, 200), row(3, 300)], store="1")
    crawl(engine, [row(1, 100), row(2, 200), row(3, 300)], store="2")
    merge(engine)
    crawl(engine, [row(1, 110), row(2, 220), row(3, 300)], store="1", now=day(0.1))
    crawl(engine, [row(1, 110), row(2, 250), row(3, 300)], store="2", now=day(0.2))
    crawl(engine, [row(1, 110), row(2, 220), row(3, 300)], store="1", now=day(0.3))
    before, known = state(engine), effective(engine, "2")
    assert [one.source for _, one in sorted(known.items())] == ["inferred", "own", "inferred"]
    run, _ = crawl(engine, [row(i, 400) for i in (1, 2, 3)], store="2", now=day(0.4))
    rollback(engine, run.id, day(0.5))
    assert state(engine) == before
    assert effective(engine, "2") == known
    check_sound(engine)


def test_a_run_that_changed_no_price_is_no_look_at_them_any_more(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    before, known = state(engine), effective(engine)
    run, _ = crawl(engine, [row(1), row(2)], now=day(1))
    assert {one.observed_at for one in effective(engine).values()} == {day(1)}
    rollback(engine, run.id, day(2))
    assert state(engine) == before
    assert effective(engine) == known
    assert {one.observed_at for one in known.values()} == {START}
    with engine.connect() as connection:
        assert price_at(connection, 1, 1, day(1.5)).observed_at == START
    crawl(engine, [row(1, 120), row(2)], now=day(3))
    assert query(engine, "SELECT seen_before FROM price_changes ORDER BY changed_at DESC")[0] == (1,)
    check_sound(engine)


def test_a_row_whose_details_were_refreshed_gets_those_of_its_change_back(engine: Engine) -> None:
    """The history keeps an offer's details as they were when it changed."""
    crawl(engine, [row(1, offer_id="a"), row(2, offer_id="a")])
    before = state(engine)
    run, _ = crawl(engine, [row(1, offer_id="b"), row(2, offer_id="a")], now=day(1))
    rollback(engine, run.id, day(2))
    assert state(engine) == before
    check_sound(engine)


def test_a_delisting_that_is_rolled_back_leaves_the_line_missing_with_its_price(engine: Engine) -> None:
    for number, rows in enumerate([[row(1), row(2)], [row(1, 110), row(2)], [row(2)]]):
        crawl(engine, rows, now=day(number))
    before, known = state(engine), effective(engine)
    run, published = crawl(engine, [row(2)], now=day(3))
    assert (published.delisted, set(effective(engine))) == (1, {"2"})
    rollback(engine, run.id, day(3.3))
    assert state(engine) == before
    assert effective(engine) == known
    assert (known["1"].offer["price_cents"], known["1"].observed_at) == (110, day(1))
    check_sound(engine)


def test_a_relisting_that_is_rolled_back_leaves_the_line_delisted(engine: Engine) -> None:
    for number, rows in enumerate([[row(1), row(2)], [row(2)], [row(2)]]):
        crawl(engine, rows, now=day(number))
    before = state(engine)
    run, _ = crawl(engine, [row(1), row(2)], now=day(3))
    assert set(effective(engine)) == {"1", "2"}
    rollback(engine, run.id, day(4))
    assert state(engine) == before
    assert set(effective(engine)) == {"2"}
    with engine.connect() as connection:
        assert price_at(connection, 1, 1, day(3.5)).price_cents is None
    check_sound(engine)


def test_a_partial_run_is_rolled_back_too(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    before = state(engine)
    run, _ = crawl(engine, [row(1, 5), row(3)], now=day(1), status="partial", reason="unproven: x")
    rollback(engine, run.id, day(2))
    after = state(engine)
    assert _apart_from_what_is_new(after) == _apart_from_what_is_new(before)
    check_sound(engine)


def _apart_from_what_is_new(found: dict[str, list]) -> dict[str, list]:
    """Without the listings and products that the run made: they stay, and are shown nowhere without prices."""
    return {name: rows for name, rows in found.items() if name not in ("listings", "product_categories")}


def test_what_members_saw_since_stays_when_their_anchor_is_rolled_back(engine: Engine) -> None:
    """And who is in which group does not hang on it."""
    for store in ("2", "3", "4"):
        crawl(engine, [row(1), row(2)], store=store)
    merge(engine)
    lie, _ = crawl(engine, [row(1, 130), row(2), row(3, 300)], store="2", now=day(0.1))
    crawl(engine, [row(1, 130), row(2), row(3, 300)], store="3", now=day(0.2))  # a member that agrees
    crawl(engine, [row(1, 130), row(2), row(3, 300)], store="1", now=day(0.2))
    merge(engine, day(0.3))
    assert {s: cents(engine, s) for s in "34"} == {"3": {"1": 130, "2": 100, "3": 300}, "4": {"1": 100, "2": 100}}
    periods = query(engine, "SELECT * FROM membership_periods ORDER BY 1, 2")
    groups = grouped(engine)
    rollback(engine, lie.id, day(0.4))
    assert (grouped(engine), query(engine, "SELECT * FROM membership_periods ORDER BY 1, 2")) == (groups, periods)
    for store in ("1", "3"):
        assert cents(engine, store) == {"1": 130, "2": 100, "3": 300}
        assert {(one.source, one.observed_at) for one in effective(engine, store).values()} == {("own", day(0.2))}
    assert cents(engine, "2") == cents(engine, "4") == {"1": 100, "2": 100}
    check_sound(engine)


def test_a_member_that_followed_its_anchor_follows_it_again(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)], store="1")
    crawl(engine, [row(1), row(2)], store="2")
    merge(engine)
    crawl(engine, [row(1, 110), row(2)], store="1", now=day(0.1))
    before = state(engine)
    run, _ = crawl(engine, [row(1, 90), row(2)], store="2", now=day(0.2))
    assert cents(engine, "2") == {"1": 90, "2": 100}
    rollback(engine, run.id, day(0.3))
    assert state(engine) == before
    assert cents(engine, "2") == {"1": 110, "2": 100}
    check_sound(engine)


def texts(engine: Engine, *names: str) -> list[tuple]:
    return query(engine, f"SELECT {', '.join(names)} FROM listings ORDER BY id")


def test_texts_are_restored_only_where_no_later_run_has_agreed_on_others(engine: Engine) -> None:
    """Runs of two stores agree on a text; a third store's have agreed on another one of the first listing since."""
    rows = [row(1, name="Old 1", brand="A"), row(2, name="Old 2", brand="A")]
    for store in ("1", "2", "3"):
        crawl(engine, rows, store=store)
    lies = [row(1, name="Lie 1", brand="B"), row(2, name="Lie 2", brand="B")]
    crawl(engine, lies, store="1", now=day(1))
    lie, _ = crawl(engine, lies, store="2", now=day(2))
    assert texts(engine, "name", "brand") == [("Lie 1", "B"), ("Lie 2", "B")]
    for number in (3, 4):
        crawl(engine, [row(1, name="Best 1", brand="B")], store="3", now=day(number))
    assert texts(engine, "name", "brand") == [("Best 1", "B"), ("Lie 2", "B")]
    assert rollback(engine, lie.id, day(5)).texts == 2
    assert texts(engine, "name", "brand") == [("Best 1", "A"), ("Old 2", "A")]
    check_sound(engine)


def test_a_text_that_a_rolled_back_run_had_noted_is_forgotten_and_a_later_note_is_kept(engine: Engine) -> None:
    for store in ("1", "2"):
        crawl(engine, [row(1, name="Old"), row(2, name="Old")], store=store)
    before = texts(engine, "name", "pending", "pending_at")
    lie, _ = crawl(engine, [row(1, name="Lie"), row(2, name="Lie")], store="1", now=day(1))
    assert texts(engine, "pending") != [(None,), (None,)]
    crawl(engine, [row(1, name="Truer")], store="2", now=day(1.1))
    noted = texts(engine, "name", "pending", "pending_at")[0]
    assert rollback(engine, lie.id, day(2)).texts == 1
    assert texts(engine, "name", "pending", "pending_at") == [noted, before[1]]
    check_sound(engine)


def placed(engine: Engine) -> list[tuple]:
    """Which product is in which category, by names."""
    sql = """SELECT p.name, k.path FROM product_categories x JOIN products p ON p.id = x.product_id
        JOIN categories k ON k.id = x.category_id ORDER BY 1, 2"""
    return query(engine, sql)


def test_products_leave_the_categories_that_a_rolled_back_run_put_them_into(engine: Engine) -> None:
    rows = [row(1, category_path=("Pantry",)), row(2, category_path=("Pantry",))]
    for store in ("1", "2"):
        crawl(engine, rows, store=store)
    before = placed(engine)
    lies = [row(1, category_path=("Toys",)), row(2, category_path=("Toys",))]
    crawl(engine, lies, store="1", now=day(1))
    lie, _ = crawl(engine, lies, store="2", now=day(2))
    assert len(placed(engine)) == len(before) + 2
    rollback(engine, lie.id, day(3))
    assert placed(engine) == before
    check_sound(engine)


def test_a_product_stays_in_a_category_that_a_later_run_has_put_a_listing_of_it_into(engine: Engine) -> None:
    """Another company's listing of the same product lies there by now."""
    milk = {"name": "Acme Milk", "brand": "Acme", "size": "1L", "gtin": "09300605123454"}
    for store in ("1", "2"):
        crawl(engine, [row(1, **milk, category_path=("Pantry",))], store=store)
    crawl(engine, [row(1, **milk, category_path=("Dairy",))], store="1", now=day(1))
    lie, _ = crawl(engine, [row(1, **milk, category_path=("Dairy",))], store="2", now=day(2))
    for number in (3, 4):
        crawl(engine, [row(1, **milk, category_path=("Frozen",))], store="1", now=day(number))
    sql = "SELECT path FROM listings l JOIN categories k ON k.id = l.category_id"
    [(path,)] = query(engine, sql)
    before = placed(engine)
    rollback(engine, lie.id, day(5))
    assert query(engine, sql) == [(path,)]
    assert len(placed(engine)) == len(before) - 1
    assert ("Acme Milk", path) in placed(engine)
    assert not [one for one in placed(engine) if "Dairy" in one[1]]


@pytest.mark.parametrize("status", ["complete", "partial"])
def test_failures_and_their_lock_out_are_as_before_the_run(engine: Engine, status: str) -> None:
    crawl(engine, [row(1), row(2)])
    for number in (0.1, 0.2):
        failed = open_run(engine, now=day(number))
        opening.finish(engine, failed, Ending(verdict=judged("failed", "failed"), now=day(number)))
    before = state(engine)
    assert before["stores"][0][3] == 2
    assert before["stores"][0][4] is not None
    reason = "finished" if status == "complete" else "category_short: x"
    run, _ = crawl(engine, [row(1, 5)], now=day(1), status=status, reason=reason)
    assert state(engine)["stores"] != before["stores"]
    rollback(engine, run.id, day(2))
    assert state(engine) == before


def test_a_failure_since_the_run_still_counts(engine: Engine) -> None:
    """It says something of the storefront, whatever the run before it had published."""
    crawl(engine, [row(1), row(2)])
    run, _ = crawl(engine, [row(1, 5)], now=day(1))
    failed = open_run(engine, now=day(1.1))
    opening.finish(engine, failed, Ending(verdict=judged("failed", "failed"), now=day(1.1)))
    since = query(engine, "SELECT fail_count, next_try_at FROM stores")
    rollback(engine, run.id, day(2))
    assert query(engine, "SELECT fail_count, next_try_at FROM stores") == since
    assert query(engine, "SELECT last_scraped FROM stores") == query(
        engine, "SELECT finished_at FROM crawl_runs WHERE id = 1"
    )
    check_sound(engine)


def test_a_time_that_only_a_rolled_back_run_had_reached_no_longer_pushes_later_runs(engine: Engine) -> None:
    """Its clock was years ahead: what is published after the rollback has the time of the day again."""
    crawl(engine, [row(1), row(2)])
    fast, _ = crawl(engine, [row(1, 5), row(2)], now=day(3650))
    pushed, _ = crawl(engine, [row(1, 6), row(2)], now=day(1))
    assert effective(engine)["1"].changed_at > day(3650)
    for run in (pushed, fast):
        rollback(engine, run.id, day(2))
    assert effective(engine)["1"].observed_at == START
    crawl(engine, [row(1, 7), row(2)], now=day(3))
    assert (effective(engine)["1"].changed_at, effective(engine)["1"].observed_at) == (day(3), day(3))
    sql = "SELECT count(*) FROM stores s JOIN crawl_runs r ON r.finished_at = s.last_scraped AND r.id = 4"
    assert value(engine, sql) == 1
    check_sound(engine)


def test_memberships_of_a_time_that_only_a_rolled_back_run_had_reached_are_brought_back(engine: Engine) -> None:
    """The store's first run was years ahead, and so is the period that began with it."""
    crawl(engine, [row(1), row(2)], store="1")
    fast, _ = crawl(engine, [row(1), row(2)], store="2", now=day(3650))
    rollback(engine, fast.id, day(1))
    for store in ("1", "2"):
        crawl(engine, [row(1), row(2)], store=store, now=day(2))
    assert {one.observed_at for one in effective(engine, "2").values()} == {day(2)}
    merge(engine, day(2) + HOUR)
    assert grouped(engine) == {frozenset("12")}
    with engine.connect() as connection:
        begun = connection.execute(select(membership_periods.c.from_at)).scalars().all()
    assert max(begun) == day(2) + HOUR
    check_sound(engine)


def test_a_run_that_published_twice_is_rolled_back_whole(engine: Engine) -> None:
    crawl(engine, [row(1), row(2), row(3)])
    before, known = state(engine), effective(engine)
    first, _ = crawl(engine, [row(1, 90)], now=day(0.1), status="partial", reason="category_short: x")
    again = open_run(engine, now=day(0.2), resume=True)
    stage(engine, again.id, [row(1, 80), row(2, 80), row(4)])
    counts = measured(engine, again)
    publish(engine, again, Ending(verdict=judged(), now=day(0.2), counts=counts))
    assert (again.id, cents(engine)["1"]) == (first.id, 80)
    assert rollback(engine, again.id, day(0.3)).history == 4
    assert _apart_from_what_is_new(state(engine)) == _apart_from_what_is_new(before)
    assert effective(engine) == known
    check_sound(engine)


def test_a_rollback_writes_nothing_of_other_stores(engine: Engine) -> None:
    for store in ("1", "2", "3"):
        crawl(engine, [row(1), row(2)], store=store)
    merge(engine)
    run, _ = crawl(engine, [row(1, 90), row(2)], store="1", now=day(0.1))

    def others() -> list:
        tables = {"prices": "1, 2", "price_changes": "1, 2, 3", "sightings": "1, 2", "store_ranges": "1"}
        tables = [
            query(engine, f"SELECT * FROM {name} WHERE store_id <> 1 ORDER BY {order}")
            for name, order in tables.items()
        ]
        return [[[bytes(v) if isinstance(v, memoryview) else v for v in one] for one in rows] for rows in tables]

    before = others()
    assert rollback(engine, run.id, day(0.2)).restored == 1
    assert others() == before


def partial_and_resumed(engine: Engine):
    first, _ = crawl(engine, [row(1), row(2)])
    run, _ = crawl(engine, [row(1, 90)], now=day(0.1), status="partial", reason="category_short: x")
    again = open_run(engine, now=day(0.2), resume=True)
    assert again.id == run.id
    return first, run


def test_a_run_that_is_being_resumed_is_not_rolled_back_nor_what_it_stands_on(engine: Engine) -> None:
    first, run = partial_and_resumed(engine)
    with pytest.raises(RollbackRefused, match=f"run {run.id} has been resumed until"):
        rollback(engine, run.id, day(0.2))
    with pytest.raises(RollbackRefused, match=f"roll back {run.id} first"):
        rollback(engine, first.id, day(0.2))


def test_a_run_that_was_rolled_back_is_not_resumed(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    run, _ = crawl(engine, [row(1, 90)], now=day(0.1), status="partial", reason="category_short: x")
    rollback(engine, run.id, day(0.15))
    assert open_run(engine, now=day(0.2), resume=True).id != run.id
