"""New skus become listings once, and the same products however many are resolved at a time."""

import random
import threading
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from models import engine as engines
from models import resolve, staged_texts
from tests.models.test_identify import products
from tests.support.storage import crawl, day, open_run, query, row, stage

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
        monkeypatch.setattr(resolve, "BATCH", batch)
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


def test_what_another_run_has_added_meanwhile_is_not_added_again(engine: Engine) -> None:
    """The news of a run are read before the company's lock is taken: another run may come between."""
    crawl(engine, [row(0)], store="1")
    late = open_run(engine, "2", now=day(1))
    stage(engine, late.id, [row(n, gtin=GTINS[n % 4]) for n in range(1, 5)])
    news = staged_texts.read(engine, late)
    assert (len(news.new), news.listings) == (4, 1)
    crawl(engine, [row(n, gtin=GTINS[n % 4]) for n in range(2, 7)], store="1", now=day(1))
    assert resolve.add(engine, late, "Woolworths", news, day(1)) == 1
    assert resolve.add(engine, late, "Woolworths", news, day(1)) == 0
    listed = query(engine, "SELECT sku, ordinal FROM listings ORDER BY sku")
    assert [sku for sku, _ in listed] == [str(n) for n in range(7)]
    assert sorted(ordinal for _, ordinal in listed) == list(range(7))


def test_a_product_that_another_company_adds_after_the_look_up_is_found(engine: Engine, monkeypatch) -> None:
    """Batches are looked up before their transactions: what has come between is looked up again."""
    spread = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
    looked_up = resolve._prepared

    def late(*told):
        batch = looked_up(*told)
        monkeypatch.setattr(resolve, "_prepared", looked_up)
        crawl(engine, [row("c", **spread)], slug="coles", store="c")
        return batch

    monkeypatch.setattr(resolve, "_prepared", late)
    crawl(engine, [row("w", **spread)])
    assert len(products(engine)) == 1


def test_a_batch_tried_again_takes_nothing_from_the_try_that_failed(engine: Engine, monkeypatch) -> None:
    """Comparing changes what was looked up: the second try looks up anew."""
    spread = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
    crawl(engine, [row("c", **spread)], slug="coles", store="c")
    learn, failures = resolve.learn, []

    def broken_once(*told):
        learn(*told)
        if not failures:
            failures.append(OperationalError("COMMIT", {}, Exception("the server closed the connection"), None, True))
            raise failures[0]

    monkeypatch.setattr(resolve, "learn", broken_once)
    crawl(engine, [row("w", **spread, gtin=GTINS[1])])
    assert len(failures) == 1
    assert len(products(engine)) == 1
    assert query(engine, "SELECT gtin FROM products") == [(GTINS[1],)]


def test_a_product_added_between_a_look_up_and_the_batch_before_is_found(engine: Engine, monkeypatch) -> None:
    """The second batch is looked up, then another company adds its product, then the first batch begins."""
    spread = {"name": "Vegemite Spread", "brand": "Vegemite", "size": "380g"}
    looked_up, add_batch, both, seen = resolve._prepared, resolve._add_batch, threading.Event(), []

    def prepared(*told):
        batch = looked_up(*told)
        seen.append(batch)
        if len(seen) == 2:
            both.set()
        return batch

    def late(*told):
        monkeypatch.setattr(resolve, "_add_batch", add_batch)
        assert both.wait(30)
        monkeypatch.setattr(resolve, "_prepared", looked_up)
        crawl(engine, [row("c", **spread)], slug="coles", store="c")
        return add_batch(*told)

    monkeypatch.setattr(resolve, "BATCH", 1)
    monkeypatch.setattr(resolve, "_prepared", prepared)
    monkeypatch.setattr(resolve, "_add_batch", late)
    crawl(engine, [row("a", name="Milk", size="2L"), row("w", **spread)])
    assert len(products(engine)) == 2
