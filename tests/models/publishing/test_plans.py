"""What is new since PostgreSQL's last ANALYZE is read once, not once for each row of a crawl."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from models.database import engine as engines
from models.groups import membership
from models.groups.merging import reset
from models.prices import effective
from models.prices.queries import effective_prices
from models.products import barcodes
from models.publishing.publish import publish
from models.publishing.rollback import rollback
from models.runs.endings import Ending
from models.slots.building import build
from tests.support.groups import company, merge, no_price_read
from tests.support.plans import analyse, measured
from tests.support.storage import cents, crawl, day, judged, open_run, query, row, stage

COUNT = 300
MOST = 60 * COUNT
"""Rows that a statement may read: were it all rows of a crawl for each of them, they would be five times as many."""


@pytest.fixture
def stale(postgres_url: str) -> Iterator[Engine]:
    """A database whose statistics know another company alone."""
    engine = engines.create(postgres_url)
    others = [row(f"o{n}", 100 + n, name=f"Other {n}", gtin=None) for n in range(3 * COUNT)]
    for store in ("a", "b", "c"):
        crawl(engine, others, store=store, slug="coles")
    analyse(engine)
    yield engine
    engine.dispose()


def shelf(first: int, last: int, more: int = 0, **fields) -> list[dict]:
    """Rows of some skus, on 40 shelves, of 50 brands."""
    return [
        row(
            n,
            100 + n + more,
            **{"name": f"Thing {n}", "brand": f"B{n % 50}", "category_path": (f"Shelf {n % 40}",)} | fields,
        )
        for n in range(first, last)
    ]


@contextmanager
def little(engine: Engine, most: int = MOST) -> Iterator[None]:
    """No statement meanwhile reads more than a few rows for each that a crawl has."""
    with measured(engine) as found:
        yield
    assert found
    assert [(rows, statement) for rows, statement in found if rows > most] == []


def test_a_company_that_the_statistics_do_not_know_is_published_row_by_row(stale: Engine) -> None:
    half, most = COUNT // 2, COUNT + COUNT // 2
    runs = (
        ("1", shelf(0, COUNT)),
        ("1", shelf(0, COUNT)),
        ("2", shelf(0, COUNT)),
        ("1", shelf(0, COUNT, 7)),
        ("1", shelf(half, most, 7)),  # half is missing, as many are new
        ("1", shelf(half, most, 7)),  # and delisted
        ("1", shelf(0, most, 7)),  # and back
        ("2", shelf(0, COUNT, name="Renamed", size="1L")),
        ("2", shelf(0, COUNT, name="Renamed", size="1L")),
    )
    for number, (store, rows) in enumerate(runs):
        with little(stale):
            crawl(stale, rows, store=store, now=day(1 + number))
    for number in range(2):
        with little(stale):
            crawl(stale, shelf(0, COUNT, 3), store="9", slug="aldi", now=day(20 + number))
    assert len(cents(stale, "1")) == most


def test_a_few_listings_are_published_without_reading_those_of_others(stale: Engine) -> None:
    for number, rows in enumerate((shelf(0, 9), shelf(0, 9), shelf(0, 12), shelf(0, 12, 7))):
        with little(stale, 3 * COUNT - 1):
            crawl(stale, rows, now=day(1 + number))
    assert len(cents(stale)) == 12


def test_its_stores_are_grouped_and_rolled_back_row_by_row(stale: Engine) -> None:
    for store in ("0", "1", "2", "3"):
        crawl(stale, shelf(0, COUNT, store == "3"), store=store, now=day(1))
    with little(stale):
        assert merge(stale, day(1.5)).merged == 2
    steps = (
        ("0", shelf(0, COUNT, 3)),  # the anchor changes
        ("1", shelf(0, COUNT, 3)),  # a member shows the same
        ("1", shelf(0, COUNT, 3)),
        ("2", shelf(0, COUNT, 5)),  # a member shows other prices
        ("2", shelf(COUNT // 3, COUNT, 5)),
        ("2", shelf(COUNT // 3, COUNT, 5)),  # a third of them is delisted
    )
    for number, (store, rows) in enumerate(steps):
        with little(stale):
            crawl(stale, rows, store=store, now=day(2 + number))
    with little(stale):
        merge(stale, day(7))
    with little(stale):
        reset(stale, company(stale), lambda: day(8))
    crawl(stale, shelf(0, COUNT, 4), store="2", now=day(9))
    with little(stale):
        rollback(stale, query(stale, "SELECT max(id) FROM crawl_runs")[0][0], now=day(10))


def test_an_unchanged_merge_reads_no_price_and_few_rows_of_any_table(stale: Engine, monkeypatch) -> None:
    """No statement reads more than the company's listings once, however many stores have them."""
    for store in ("0", "1", "2", "3"):
        crawl(stale, shelf(0, COUNT, store == "3"), store=store, now=day(1))
    merge(stale, day(1.5))
    with little(stale, 2 * COUNT), no_price_read(stale, monkeypatch):
        assert merge(stale, day(1.6)).comparisons.made == 0


def test_the_prices_of_many_stores_are_read_row_by_row(stale: Engine) -> None:
    """Own rows, the anchor's, and its history where that is needed: of members that follow, deviate, or are anchors."""
    for store in ("0", "1", "2", "3"):
        crawl(stale, shelf(0, COUNT), store=store, now=day(1))
    merge(stale, day(1.1))
    crawl(stale, shelf(0, COUNT, 3), store="0", now=day(1.2))  # all that the members have hangs on its history
    crawl(stale, shelf(0, COUNT, 9), store="2", now=day(1.3))
    crawl(stale, shelf(0, 9), store="3", now=day(1.3), status="partial", reason="requested")
    ids = [i for (i,) in query(stale, "SELECT id FROM stores WHERE store_code IN ('0', '1', '2', '3') ORDER BY 1")]
    with stale.connect() as connection:
        found = list(effective_prices(connection, ids))
        with little(stale, 40 * COUNT):  # the same statement, not streamed: a cursor that streams explains nothing
            for values in effective.parameters(connection, membership.places(connection, ids).values()):
                connection.execute(effective.lines(), values).all()
    assert {(one.store_id, one.source) for one in found} == {
        *zip(ids, ("own", "inferred", "own", "inferred"), strict=True),
        (ids[3], "own"),
    }
    assert len(found) == 4 * COUNT


def test_the_slots_of_a_few_products_are_built_without_reading_those_of_others(stale: Engine) -> None:
    for store in ("0", "1"):
        crawl(stale, shelf(0, COUNT), store=store, now=day(1))
    with little(stale):
        build(stale)
    crawl(stale, [*shelf(0, 5, 7), *shelf(5, COUNT)], store="0", now=day(2))
    with measured(stale) as found:
        assert build(stale).rows == 10
    written = [rows for rows, statement in found if statement.startswith("INSERT INTO price_slots")]
    assert len(written) == 2
    assert max(written) < COUNT


def test_barcodes_are_filled_in_row_by_row(stale: Engine) -> None:
    rows = [one | {"gtin": None} for one in shelf(0, COUNT)]
    run = open_run(stale, now=day(1))
    stage(stale, run.id, rows)
    found = {one["sku"]: None if n % 2 else "09300605123454" for n, one in enumerate(rows)}
    with little(stale):
        barcodes.into_staging(stale, run, found)
    assert query(stale, "SELECT count(*) FROM staged_items WHERE gtin IS NOT NULL") == [(COUNT / 2,)]
    publish(stale, run, Ending(verdict=judged(), now=day(1), counts={"staged": COUNT}))
    with little(stale):
        barcodes.remember(stale, run, found, day(1))
    assert query(stale, "SELECT count(*) FROM listings WHERE gtin_looked_up_at IS NOT NULL") == [(COUNT,)]
