"""New skus become listings once, and the same products however many are resolved at a time."""

import random
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from models.database import engine as engines
from models.errors import ListingsMissing, StagingIncomplete
from models.publishing import new_listings
from models.publishing.publish import publish
from models.runs.endings import Ending
from tests.support.postgres import Server
from tests.support.products import products
from tests.support.storage import check_sound, crawl, day, judged, measured, open_run, query, row, stage

GTINS = (None, "09300605123454", "09310072000282", "09310072011691")
SHELVES = (("Pantry",), ("Pantry", "Tins"), ("Dairy", "Milk"), ())


def drawn(rng: random.Random, count: int) -> list[dict]:
    """Listings of few barcodes, names and sizes, so that many meet."""
    return [
        row(
            f"{sku:03}",
            name=f"{rng.choice(('Acme', 'Zeta', ''))} {rng.choice(('Milk', 'Milk Lite', 'Spread', f'Thing {sku}'))}",
            brand=rng.choice(("Acme", "Zeta", None)),
            size=rng.choice(("1L", "2L", "500g", None)),
            gtin=rng.choice(GTINS),
            category_path=rng.choice(SHELVES),
        )
        for sku in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_products_do_not_depend_on_how_many_listings_are_resolved_at_once(
    tmp_path: Path, sqlite_template: Path, monkeypatch, seed
) -> None:
    rng, found = random.Random(seed), []
    runs = [(slug, drawn(rng, 40)) for slug in ("woolworths", "coles")]
    for batch in (1, 7, 1500):
        monkeypatch.setattr(new_listings, "BATCH", batch)
        engine = engines.create(f"sqlite:///{copyfile(sqlite_template, tmp_path / f'{batch}.db')}")
        for slug, rows in runs:
            crawl(engine, rows, slug=slug, store=slug)
        found.append((products(engine), placed(engine)))
        engine.dispose()
    assert found[0] == found[1] == found[2]


def placed(engine: Engine) -> set[tuple]:
    """Which listing's product lies in which category."""
    sql = """SELECT l.company_id, l.sku, k.path FROM listings l JOIN product_categories p USING (product_id)
        JOIN categories k ON k.id = p.category_id"""
    return set(query(engine, sql))


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_what_another_run_has_added_meanwhile_is_not_added_again(engine: Engine, monkeypatch, batch) -> None:
    """What is new is read before the company's lock is taken: another run may come between, and between batches."""
    crawl(engine, [row(0)], store="1")
    late, add, others = open_run(engine, "2", now=day(1)), new_listings.add, [[1, 2, 5], [3, 4, 8]]
    stage(engine, late.id, [row(n, gtin=GTINS[n % 4]) for n in range(1, 8)])

    def another() -> None:
        with monkeypatch.context() as plain:
            plain.setattr(new_listings, "add", add)
            rows = others.pop(0)
            crawl(engine, [row(n, gtin=GTINS[n % 4]) for n in rows], store="1", now=day(2 - len(others) / 2))

    class Late:
        """A connection that is late: another run comes before each of its transactions."""

        def __init__(self, connection: Connection) -> None:
            self.wrapped = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self.wrapped, name)

        def begin(self) -> Any:
            if others:
                another()
            return self.wrapped.begin()

    def late_add(connection, *arguments) -> None:
        add(Late(connection), *arguments)
        while others:
            another()

    monkeypatch.setattr(new_listings, "BATCH", batch)
    monkeypatch.setattr(new_listings, "add", late_add)
    counts = measured(engine, late)
    assert publish(engine, late, Ending(verdict=judged(), now=day(3), counts=counts)).inserted == 7
    listed = query(engine, "SELECT sku, ordinal FROM listings ORDER BY ordinal")
    assert len({sku for sku, _ in listed}) == len(listed) == 9
    assert [ordinal for _, ordinal in listed] == list(range(len(listed)))


def test_a_product_that_another_company_adds_meanwhile_is_found(engine: Engine, monkeypatch) -> None:
    """What is new is read before it is resolved: by then another company may have the product."""
    spread = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
    add = new_listings.add

    def late(*arguments):
        monkeypatch.setattr(new_listings, "add", add)
        crawl(engine, [row("c", **spread)], slug="coles", store="c")
        return add(*arguments)

    monkeypatch.setattr(new_listings, "add", late)
    crawl(engine, [row("w", **spread)])
    assert len(products(engine)) == 1


def test_a_batch_tried_again_takes_nothing_from_the_try_that_failed(engine: Engine, monkeypatch) -> None:
    """Comparing changes what was looked up: the second try looks up anew."""
    spread = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
    crawl(engine, [row("c", **spread)], slug="coles", store="c")
    add_aliases, failures = new_listings.add_match_aliases, []

    def broken_once(*arguments):
        add_aliases(*arguments)
        if not failures:
            failures.append(OperationalError("COMMIT", {}, Exception("the server closed the connection"), None, True))
            raise failures[0]

    monkeypatch.setattr(new_listings, "add_match_aliases", broken_once)
    crawl(engine, [row("w", **spread, gtin=GTINS[1])])
    assert len(failures) == 1
    assert len(products(engine)) == 1
    assert query(engine, "SELECT gtin FROM products") == [(GTINS[1],)]


def test_rows_staged_without_their_keys_get_them(engine: Engine) -> None:
    """A run that code before revision 0006 has staged."""
    run = open_run(engine)
    stage(engine, run.id, [row(1, name="Acme Milk", brand="Acme", size="1L"), row(2)])
    with engine.begin() as connection:
        connection.execute(text("UPDATE staged_items SET normalized_key = NULL WHERE sku = '1'"))
    publish(engine, run, Ending(verdict=judged(), now=day(0), counts=measured(engine, run)))
    assert query(engine, "SELECT normalized_key FROM products ORDER BY id")[0] == ("acme|milk|1000ml",)


def test_a_sku_that_is_not_resolved_is_not_lost_in_silence(engine: Engine, monkeypatch) -> None:
    monkeypatch.setattr(new_listings, "add", lambda *_told: None)
    with pytest.raises(ListingsMissing, match="2 skus of run 1"):
        crawl(engine, [row(1), row(2)])
    assert query(engine, "SELECT count(*) FROM prices") == [(0,)]


def test_rows_staged_after_the_run_was_gathered_publish_nothing(engine: Engine, monkeypatch) -> None:
    """What is counted while publishing is what was gathered before."""
    add = new_listings.add

    def late(connection, run, *arguments):
        stage(engine, run.id, [row(9)])
        return add(connection, run, *arguments)

    monkeypatch.setattr(new_listings, "add", late)
    run = open_run(engine)
    stage(engine, run.id, [row(1), row(2)])
    with pytest.raises(StagingIncomplete, match="staged 3 rows but 2 were found"):
        publish(engine, run, Ending(verdict=judged(), now=day(0), counts={"staged": 3}))
    assert query(engine, "SELECT count(*) FROM prices") == [(0,)]


def test_a_server_that_crashes_between_resolving_and_publishing_publishes_nothing(monkeypatch) -> None:
    """Resolving does not wait for the log. What a crash may lose of it goes with the staging, without which none is
    published."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)  # a server that may be crashed
    with Server(fsync="on") as server:
        engine = engines.create(server.url(server.create_database()))
        engines.migrate(engine)
        add = new_listings.add

        def crashing(*arguments):
            monkeypatch.setattr(new_listings, "add", add)
            added = add(*arguments)
            server.restart()
            return added

        monkeypatch.setattr(new_listings, "add", crashing)
        with pytest.raises(StagingIncomplete):
            crawl(engine, [row(n) for n in range(50)])
        assert query(engine, "SELECT count(*) FROM prices") == [(0,)]
        check_sound(engine)
        crawl(engine, [row(n) for n in range(50)], now=day(1), pid=2)
        assert query(engine, "SELECT count(*) FROM prices") == [(50,)]
        engine.dispose()


def steps(engine: Engine, slug: str, rows: list[dict], when: float = 0) -> int:
    """How much a publish makes SQLite do, in thousands of the instructions of its virtual machine."""
    run, done = open_run(engine, slug, slug, now=day(when)), [0]
    stage(engine, run.id, rows)

    def count() -> None:
        done[0] += 1

    with engine.connect() as connection:
        connection.connection.driver_connection.set_progress_handler(count, 1000)
    publish(engine, run, Ending(verdict=judged(), now=day(when), counts={"staged": len(rows)}))
    with engine.connect() as connection:
        connection.connection.driver_connection.set_progress_handler(None, 0)
    return done[0]


def test_four_times_the_listings_take_some_four_times_the_work(tmp_path: Path, sqlite_template: Path) -> None:
    """No list is read anew for each of its rows: not of new listings, nor of those that are compared, nor of known,
    nor of those that go missing and come back."""
    found = {}
    for count in (500, 2000):
        engine = engines.create(f"sqlite:///{copyfile(sqlite_template, tmp_path / f'{count}.db')}")
        rows = [
            row(n, name=f"Thing {n}", category_path=("Aisle", f"Shelf {n % 50}"), brand=f"B {n}") for n in range(count)
        ]
        half = rows[: count // 2]
        runs = (
            ("woolworths", rows),
            ("coles", rows),
            ("coles", half),
            ("coles", half),
            ("coles", half),
            ("coles", rows),
        )
        found[count] = [steps(engine, slug, some, number) for number, (slug, some) in enumerate(runs)]
        engine.dispose()
    assert all(few > 0 and many < 6 * few for few, many in zip(found[500], found[2000], strict=True)), found
