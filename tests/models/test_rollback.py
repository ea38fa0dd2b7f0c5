"""A rolled-back run leaves the database as if it had never been published."""

import pytest
from sqlalchemy import Engine

from models.checks import check
from models.errors import RollbackRefused
from models.rollback import rollback
from tests.models.test_groups import grouped, merge, reset_all
from tests.support.storage import cents, crawl, day, effective, open_run, query, row, value

TABLES = {
    "prices": "store_id, listing_id",
    "price_changes": "store_id, listing_id, changed_at",
    "store_ranges": "store_id",
    "missing_listings": "store_id, listing_id",
    "listings": "id",
    "store_vectors": "store_id",
    "product_aliases": "product_id, kind, value",
    "brand_aliases": "key",
}


def state(engine: Engine) -> dict[str, list[tuple]]:
    known = {
        name: [tuple(bytes(v) if isinstance(v, memoryview) else v for v in found) for found in query(engine, sql)]
        for name, order in TABLES.items()
        for sql in [f"SELECT * FROM {name} ORDER BY {order}"]
    }
    return known | {"stores": query(engine, "SELECT id, last_scraped, needs_rescraping FROM stores ORDER BY id")}


def sound(engine: Engine) -> bool:
    with engine.connect() as connection:
        return list(check(connection)) == []


def test_prices_history_range_absence_and_texts_are_as_before(engine: Engine) -> None:
    crawl(engine, [row(i, 100 + i) for i in range(8)])
    crawl(engine, [row(i, 100 + i, name=f"Other {i}") for i in range(1, 8)], now=day(1))
    crawl(engine, [row(i, 100 + i) for i in range(1, 7)], now=day(2.2))
    before = state(engine)
    lied = [row(i, 50, name=f"Lie {i}", was_price_cents=60) for i in (0, 1, 2)] + [row(3, None), row(4, 104)]
    run, _ = crawl(engine, lied, now=day(4))
    told = rollback(engine, run.id, day(5), dry=True)
    assert cents(engine)["1"] == 50
    assert rollback(engine, run.id, day(5)) == told
    assert state(engine) == before
    assert sound(engine)
    assert value(engine, "SELECT rolled_back_at IS NULL FROM crawl_runs WHERE id = :r", r=run.id) in (0, False)


def test_names_that_a_lie_taught_are_forgotten(engine: Engine) -> None:
    """A barcode on the wrong thing says that two names are one product: no later crawl may build on that."""
    true = row(1, name="Acme Milk", brand="Acme", gtin="09300605123454")
    crawl(engine, [true, row(2, name="Acme Cream", brand="Acme")])
    before = state(engine)["product_aliases"]
    lie = row(3, name="Acme Long Life Milk", brand="Acme Co", gtin="09300605123454")
    run, _ = crawl(engine, [true, row(2, name="Acme Cream", brand="Acme"), lie], now=day(1))
    assert len(state(engine)["product_aliases"]) > len(before)
    assert rollback(engine, run.id, day(2)).aliases > 0
    assert state(engine)["product_aliases"] == before
    assert state(engine)["brand_aliases"] == []
    assert sound(engine)


def test_listings_that_only_the_lie_saw_have_no_price_afterwards(engine: Engine) -> None:
    crawl(engine, [row(1)])
    run, _ = crawl(engine, [row(1), row("ghost")], now=day(1))
    rollback(engine, run.id, day(2))
    assert cents(engine) == {"1": 100}
    assert sound(engine)
    crawl(engine, [row(1, 90)], now=day(3))
    assert cents(engine) == {"1": 90}
    assert sound(engine)


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
    crawl(engine, [row(1, 100), row(2, 200), row(3, 300)], store="1")
    crawl(engine, [row(1, 100), row(2, 200), row(3, 300)], store="2")
    merge(engine)
    crawl(engine, [row(1, 110), row(2, 220), row(3, 300)], store="1", now=day(1))
    reset_all(engine, day(1.1))  # 1 and 2 are inferred from now on; 3 was seen, but only the leaving wrote it
    crawl(engine, [row(1, 110), row(2, 250), row(3, 300)], store="2", now=day(1.2))  # 1 is confirmed
    before, known = state(engine), effective(engine, "2")
    assert [one.source for _, one in sorted(known.items())] == ["own", "own", "own"]
    run, _ = crawl(engine, [row(i, 400) for i in (1, 2, 3)], store="2", now=day(1.4))
    rollback(engine, run.id, day(1.5))
    assert state(engine) == before
    assert effective(engine, "2") == known


def test_a_delisted_row_that_was_confirmed_since_its_entry_is_as_it_was(engine: Engine) -> None:
    """The history tells when the row was inferred, not that the store's own crawl has confirmed it."""
    for store in ("1", "2"):
        crawl(engine, [row(1), row(2)], store=store)
    merge(engine)
    crawl(engine, [row(1, 110), row(2)], store="1", now=day(1))
    reset_all(engine, day(1.1))  # 1 is inferred from now on
    crawl(engine, [row(1, 110), row(2)], store="2", now=day(1.2))  # and confirmed here
    crawl(engine, [row(2)], store="2", now=day(2.2))
    before, known = state(engine), effective(engine, "2")
    assert known["1"].source == "own"
    run, _ = crawl(engine, [row(2)], store="2", now=day(3.2))
    assert set(effective(engine, "2")) == {"2"}
    rollback(engine, run.id, day(3.3))
    assert state(engine) == before
    assert effective(engine, "2") == known
    assert sound(engine)


def test_a_partial_run_is_rolled_back_too(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    before = state(engine)
    run, _ = crawl(engine, [row(1, 5), row(3)], now=day(1), status="partial", reason="unproven: x")
    rollback(engine, run.id, day(2))
    after = state(engine)
    assert {name: rows for name, rows in after.items() if name != "listings"} == {
        name: rows for name, rows in before.items() if name != "listings"
    }


def test_what_members_saw_since_stays_when_their_anchor_is_rolled_back(engine: Engine) -> None:
    """Before, a member that had joined lost every price, and one that was published since went back with its anchor."""
    for store in ("2", "3", "4"):
        crawl(engine, [row(1), row(2)], store=store)
    merge(engine)
    lie, _ = crawl(engine, [row(1, 130), row(2), row(3, 300)], store="2", now=day(1))
    crawl(engine, [row(1, 130), row(2), row(3, 300)], store="3", now=day(1.1))  # a member that agrees
    crawl(engine, [row(1, 130), row(2), row(3, 300)], store="1", now=day(1.1))
    merge(engine, day(1.2))
    assert grouped(engine) == {frozenset("1234")}
    told = rollback(engine, lie.id, day(1.3))
    ids = dict(query(engine, "SELECT store_id, id FROM stores"))
    assert told.stores_left == tuple(sorted((ids["1"], ids["3"])))
    for store in ("1", "3"):
        assert cents(engine, store) == {"1": 130, "2": 100, "3": 300}
        assert {one.source for one in effective(engine, store).values()} == {"own"}
    assert cents(engine, "2") == cents(engine, "4") == {"1": 100, "2": 100}
    assert sound(engine)


def test_a_member_that_followed_its_anchor_follows_it_again(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)], store="1")
    crawl(engine, [row(1), row(2)], store="2")
    merge(engine)
    crawl(engine, [row(1, 110), row(2)], store="1", now=day(1))
    before = state(engine)
    run, _ = crawl(engine, [row(1, 90), row(2)], store="2", now=day(1.2))
    rollback(engine, run.id, day(1.3))
    assert state(engine) == before
    assert cents(engine, "2") == {"1": 110, "2": 100}
    assert sound(engine)


def partial_and_resumed(engine: Engine):
    first, _ = crawl(engine, [row(1), row(2)])
    run, _ = crawl(engine, [row(1, 90)], now=day(0.1), status="partial", reason="category_short: x")
    again = open_run(engine, now=day(0.2), resume=True)
    assert again.id == run.id
    return first, run


def test_a_run_that_is_being_gone_on_with_is_not_rolled_back_nor_what_it_stands_on(engine: Engine) -> None:
    first, run = partial_and_resumed(engine)
    with pytest.raises(RollbackRefused, match=f"run {run.id} is being gone on with until"):
        rollback(engine, run.id, day(0.2))
    with pytest.raises(RollbackRefused, match=f"roll back {run.id} first"):
        rollback(engine, first.id, day(0.2))


def test_a_run_that_was_rolled_back_is_not_gone_on_with(engine: Engine) -> None:
    crawl(engine, [row(1), row(2)])
    run, _ = crawl(engine, [row(1, 90)], now=day(0.1), status="partial", reason="category_short: x")
    rollback(engine, run.id, day(0.15))
    assert open_run(engine, now=day(0.2), resume=True).id != run.id
