"""A row whose price or name could not be read: the listing was shown, and nothing is known of what it costs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from models.groups.reading import company_rows
from models.publishing.rollback import rollback
from models.runs import opening
from models.stores.companies import known_skus
from tests.support.storage import check_sound, crawl, day, effective, open_run, query, row, stage, value
from tests.support.truth import ranges

LINES = range(40)


def unreadable(sku: object, **fields: Any) -> dict[str, Any]:
    return row(sku, None, is_unreadable=True, **fields)


def shelf(changed: Mapping[int, Mapping[str, Any]] = {}, price: int = 100) -> list[Mapping[str, Any]]:
    """The store's lines at one price; those in `changed` otherwise."""
    return [changed.get(sku, row(sku, price)) for sku in LINES]


def seen(engine: Engine, sku: str, store: str = "1147") -> datetime:
    return effective(engine, store)[sku].observed_at


def state(engine: Engine) -> tuple[set[str], set[str]]:
    """What the store ranges, and what it has in stock."""
    return ranges(engine, "woolworths", "1147")


def test_it_counts_as_staged_and_listed_and_not_as_known_changed_or_in_the_median(engine: Engine) -> None:
    crawl(engine, shelf())
    run = open_run(engine, now=day(1))
    stage(engine, run.id, shelf({1: unreadable(1), 2: row(2, 300)}, price=50))
    found = opening.measure(engine, run)
    assert (found.staged, found.listings, found.unreadable) == (40, 40, 1)
    assert (found.known, found.changed, found.median_ratio) == (39, 39, 0.5)
    assert (found.ranged, found.unseen) == (40, 0)


@pytest.mark.parametrize("status", ["complete", "partial"])
def test_price_history_and_last_sighting_stay_and_the_rest_moves_on(engine: Engine, status: str) -> None:
    crawl(engine, shelf())
    before = query(engine, "SELECT * FROM prices ORDER BY listing_id")
    _, published = crawl(engine, shelf({1: unreadable(1)}), now=day(1), status=status)
    assert (published.updated, published.unchanged, published.missing, published.delisted) == (0, 39, 0, 0)
    assert query(engine, "SELECT * FROM prices ORDER BY listing_id") == before
    assert value(engine, "SELECT count(*) FROM price_changes") == 40
    assert (seen(engine, "1"), seen(engine, "2")) == (day(0), day(1))
    crawl(engine, shelf({1: unreadable(1)}), now=day(2))
    assert (seen(engine, "1"), seen(engine, "2")) == (day(0), day(2))
    check_sound(engine)


def test_it_is_ranged_and_no_option_until_its_price_can_be_read_again(engine: Engine) -> None:
    crawl(engine, shelf())
    crawl(engine, shelf({1: unreadable(1)}), now=day(1))
    one = effective(engine)["1"]
    assert (one.offer["price_cents"], one.is_available, one.missing_since) == (100, False, None)
    ranged, available = state(engine)
    assert "1" in ranged
    assert "1" not in available
    crawl(engine, shelf(), now=day(2))
    assert (effective(engine)["1"].is_available, seen(engine, "1")) == (True, day(2))
    assert value(engine, "SELECT count(*) FROM price_changes") == 40


def test_one_that_never_had_a_price_is_ranged_without_one(engine: Engine) -> None:
    crawl(engine, shelf({1: unreadable(1)}))
    assert "1" not in effective(engine)
    assert "1" in state(engine)[0]
    assert value(engine, "SELECT count(*) FROM listings") == 40
    assert value(engine, "SELECT count(*) FROM price_changes") == 39
    crawl(engine, shelf(), now=day(1))
    assert effective(engine)["1"].is_available
    check_sound(engine)


def test_it_ends_an_absence(engine: Engine) -> None:
    crawl(engine, shelf())
    crawl(engine, shelf()[:-1], now=day(1))
    assert effective(engine)["39"].missing_since == day(1)
    crawl(engine, shelf({39: unreadable(39)}), now=day(2))
    one = effective(engine)["39"]
    assert (one.missing_since, one.is_available, one.observed_at) == (None, False, day(0))
    assert value(engine, "SELECT count(*) FROM missing_listings") == 0
    crawl(engine, shelf()[:-1], now=day(3))
    assert effective(engine)["39"].missing_since == day(3)
    check_sound(engine)


def test_it_ranges_a_delisted_listing_again_and_invents_no_price(engine: Engine) -> None:
    crawl(engine, shelf())
    for number in (1, 2):
        crawl(engine, shelf()[:-1], now=day(number))
    assert "39" not in state(engine)[0]
    history = query(engine, "SELECT * FROM price_changes ORDER BY listing_id, changed_at")
    run, _ = crawl(engine, shelf({39: unreadable(39)}), now=day(3))
    assert "39" in state(engine)[0]
    assert value(engine, "SELECT count(*) FROM missing_listings") == 0
    assert "39" not in effective(engine)
    assert query(engine, "SELECT * FROM price_changes ORDER BY listing_id, changed_at") == history
    check_sound(engine)
    rollback(engine, run.id, day(3))
    assert "39" not in state(engine)[0]
    assert value(engine, "SELECT count(delisted_at) FROM missing_listings") == 1
    check_sound(engine)


def test_a_probe_counts_it_as_seen(engine: Engine) -> None:
    crawl(engine, shelf())
    crawl(engine, shelf()[:-1], now=day(1))
    crawl(engine, [unreadable(39)], now=day(1.1), status="partial", reason="requested")
    one = effective(engine)["39"]
    assert (one.missing_since, one.is_available, one.observed_at) == (None, False, day(0))
    assert effective(engine)["1"].is_available
    check_sound(engine)


def test_a_store_that_shows_it_keeps_the_line_for_grouping(engine: Engine) -> None:
    for store in ("1147", "1148"):
        crawl(engine, shelf(), store=store)
    crawl(engine, shelf({1: unreadable(1)}), store="1148", now=day(0.1))
    company = value(engine, "SELECT id FROM companies")
    with engine.connect() as connection:
        rows = company_rows(connection, company)
    assert rows["1147"].fingerprint == rows["1148"].fingerprint
    assert [int(rows[store].lines.sum()) for store in ("1147", "1148")] == [40, 40]


@pytest.mark.parametrize("order", ["price first", "price last"])
def test_of_several_rows_of_a_listing_one_with_a_price_counts(engine: Engine, order: str) -> None:
    crawl(engine, shelf())
    rows = [row(1, 90), unreadable(1)]
    crawl(engine, [*shelf()[2:], row(0), *(rows if order == "price first" else reversed(rows))], now=day(1))
    one = effective(engine)["1"]
    assert (one.offer["price_cents"], one.is_available, one.observed_at) == (90, True, day(1))


def test_an_advertised_price_counts_where_the_organic_one_cannot_be_read(engine: Engine) -> None:
    rows = [row(1, 90, sponsored=True, category_path=()), unreadable(1, category_path=("Pantry", "Tins"))]
    crawl(engine, [row(0), *rows])
    assert effective(engine)["1"].offer["price_cents"] == 90
    assert value(engine, "SELECT path FROM categories WHERE id = (SELECT category_id FROM listings WHERE sku = '1')")


@pytest.mark.parametrize(("price", "is_available"), [(100, True), (120, True), (None, False)])
def test_a_known_listing_keeps_its_name_where_none_can_be_read(
    engine: Engine, price: int | None, is_available: bool
) -> None:
    crawl(engine, shelf())
    unnamed = row(1, price, name=None, is_unreadable=True)
    for number in (1, 2):
        crawl(engine, shelf({1: unnamed}), now=day(number))
    assert value(engine, "SELECT count(*) FROM quarantined_items") == 0
    assert value(engine, "SELECT name FROM listings WHERE sku = '1'") == "Product 1"
    assert value(engine, "SELECT pending FROM listings WHERE sku = '1'") is None
    one = effective(engine)["1"]
    assert (one.offer["price_cents"], one.is_available) == (price or 100, is_available)
    check_sound(engine)


def test_the_skus_of_a_company_are_known_and_no_others(engine: Engine) -> None:
    crawl(engine, [row(1)], slug="coles")
    crawl(engine, [row(2)])
    ids = dict(query(engine, "SELECT slug, id FROM companies"))
    assert known_skus(engine, ids["woolworths"]) == {"2"}
    assert known_skus(engine, ids["coles"]) == {"1"}
