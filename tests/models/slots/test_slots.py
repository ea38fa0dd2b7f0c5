"""Price slots: built again exactly where something changed, read for a list, and equal to effective prices."""

import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select, text

from models.checks.checking import check
from models.database import engine as engines
from models.groups.merging import Merger, reset
from models.prices.queries import effective_prices
from models.publishing import publish as publishing
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from models.slots import reading
from models.slots.building import build
from models.tables import companies, price_slots, slot_dirty
from splitcart.cart import lists
from splitcart.cart.slots import Slots
from splitcart.grouping.rules import Rules
from tests.support.storage import START, crawl, day, judged, measured, open_run, query, row, stage, value

HOUR = timedelta(hours=1)


def slots(engine: Engine) -> list:
    with engine.connect() as connection:
        return list(connection.execute(select(price_slots).order_by(*price_slots.primary_key.columns)))


def built_alike(engine: Engine) -> bool:
    """Whether building by marks gives the same slots as building everything."""
    build(engine)
    kept = slots(engine)
    build(engine, everything=True)
    return kept == slots(engine)


def merge(engine: Engine, now=START + HOUR) -> None:
    with engine.connect() as connection:
        company = connection.execute(select(companies)).one()
    Merger(engine, company, Rules.at(0.9), lambda: now).run()


def shelf(**prices: int | None) -> list[dict]:
    base = {str(sku): 200 + sku for sku in range(20)}
    return [row(sku, cents) for sku, cents in (base | {k.removeprefix("s"): v for k, v in prices.items()}).items()]


def test_a_group_has_one_slot_for_each_product_and_a_member_only_slots_that_differ(engine: Engine) -> None:
    crawl(engine, shelf(), store="1")
    crawl(engine, shelf(s3=999), store="2", now=START + HOUR)
    merge(engine, START + 2 * HOUR)
    built = build(engine)
    found = query(
        engine, "SELECT st.store_code, count(*) FROM price_slots s JOIN stores st ON st.id = s.store_id GROUP BY 1"
    )
    assert (built.rows, sorted(found)) == (21, [("1", 20), ("2", 1)])
    assert value(engine, "SELECT count(*) FROM price_slots") <= value(engine, "SELECT count(*) FROM prices")


def test_a_mark_is_read_once_and_without_marks_nothing_is_built(engine: Engine) -> None:
    crawl(engine, shelf(), store="1")
    assert build(engine).rows == 20
    again = build(engine)
    assert (again.marks, again.rows, value(engine, "SELECT count(*) FROM slot_dirty")) == (0, 0, 0)
    crawl(engine, shelf(), store="1", now=day(1))
    assert build(engine).marks == 0


def test_a_change_builds_the_products_that_changed_and_no_others(engine: Engine) -> None:
    crawl(engine, shelf(), store="1")
    crawl(engine, shelf(), store="2")
    build(engine)
    crawl(engine, shelf(s3=150, s4=151), store="1", now=day(1))
    built = build(engine)
    assert (built.products, built.stores, built.rows) == (2, 0, 4)
    assert built_alike(engine)


def test_a_member_seen_again_unchanged_is_built_again_for_lines_that_its_anchor_changed(engine: Engine) -> None:
    crawl(engine, shelf(), store="1")
    crawl(engine, shelf(s3=300), store="2", now=START + HOUR)
    merge(engine, START + 2 * HOUR)
    crawl(engine, shelf(s3=250, s4=111), store="1", now=day(0.2))
    assert built_alike(engine)
    assert query(engine, "SELECT DISTINCT source FROM price_slots ORDER BY 1") == [("contested",), ("own",)]
    crawl(engine, shelf(s3=300), store="2", now=day(0.4))
    assert build(engine).products == 2
    assert query(engine, "SELECT DISTINCT source FROM price_slots") == [("own",)]
    assert built_alike(engine)


@pytest.mark.parametrize("what", ["merge", "reset", "rollback", "delisting", "unpriced"])
def test_building_by_marks_always_gives_the_same_slots_as_building_everything(engine: Engine, what: str) -> None:
    crawl(engine, shelf(), store="1")
    crawl(engine, shelf(s3=300), store="2", now=START + HOUR)
    run, _ = crawl(engine, shelf(s5=301), store="1", now=day(0.2))
    if what != "merge":
        merge(engine, day(0.3))
    build(engine)
    before = slots(engine)
    if what == "merge":
        merge(engine, day(0.3))
    elif what == "reset":
        with engine.connect() as connection:
            company = connection.execute(select(companies)).one()
        reset(engine, company, lambda: day(0.4))
    elif what == "rollback":
        rollback(engine, run.id, day(0.5))
    else:
        gone = [r for r in shelf(s5=301) if r["sku"] != "7"] + ([row(7, None)] if what == "unpriced" else [])
        for number in (1, 2):
            crawl(engine, gone, store="1", now=day(number))
    assert built_alike(engine)
    assert (slots(engine) == before) is (what == "unpriced")


def test_random_publishes_of_two_companies_keep_the_slots_correct(engine: Engine) -> None:
    rng = random.Random(1)
    now = START
    for _ in range(12):
        now += rng.choice([1, 8, 26]) * HOUR
        rows = [row(sku, 200 + rng.choice([0, 0, 50]), gtin=None) for sku in rng.sample(range(12), 10)]
        crawl(engine, rows, store=rng.choice("12"), slug=rng.choice(["woolworths", "coles"]), now=now)
        assert built_alike(engine)


def test_eight_stores_at_once_neither_wait_for_each_others_marks_nor_deadlock(postgres_url: str) -> None:
    """Each commits only after all have written their marks."""
    engine = engines.create(postgres_url)
    stores = [str(n) for n in range(8)]
    for store in stores:
        crawl(engine, shelf(), store=store)
    opened = [open_run(engine, store, now=day(1)) for store in stores]
    for run in opened:
        stage(engine, run.id, shelf(s3=150, s4=151, s5=152))
    together, failed = threading.Barrier(8, timeout=60), []

    def written(_connection, _cursor, statement, *_rest) -> None:
        if statement.lstrip().startswith("INSERT INTO slot_dirty"):
            together.wait()

    event.listen(engine, "after_cursor_execute", written)

    def work(run: opening.Run) -> None:
        try:
            counts = measured(engine, run)
            publishing.publish(engine, run, Ending(verdict=judged(), now=day(1), counts=counts))
        except Exception as error:  # noqa: BLE001 - the test reports it
            failed.append(error)
            together.abort()

    threads = [threading.Thread(target=work, args=(run,)) for run in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    event.remove(engine, "after_cursor_execute", written)
    assert failed == []
    assert value(engine, "SELECT count(*) FROM slot_dirty WHERE product_id IS NOT NULL") == 24
    assert built_alike(engine)
    engine.dispose()


LIST = """
# a comment
2 x woolworths:1
PRODUCT 2
woolworths:3 | coles:4
gtin:9300605123458
woolworths:5
woolworths:6
500 g woolworths:8
sold nowhere
"""


@pytest.fixture
def town(engine: Engine) -> Engine:
    """Three stores in two groups: some lines differ, are out of stock, unpriced or sold by the kilogram."""
    kilo = row(8, 400, price_basis="kg", typical_grams=150)
    common = [row(1, 100), row(2, 110), row(3, 120), row(7, 130, gtin="09300605123458")]
    crawl(engine, [*common, kilo, row(5, 140, is_available=False), row(6, None)], store="1")
    crawl(engine, [*common[:2], row(3, 125), common[3], kilo], store="2", now=START + HOUR)
    crawl(engine, [row(4, 90), row(7, 135, gtin="09300605123458")], store="1", slug="coles")
    build(engine)
    return engine


def read(engine: Engine, source: str, stores: list[str]) -> Slots:
    with engine.connect() as connection:
        known = reading.companies_of(connection)
        entries = lists.parse(source, "text", known, lambda names: reading.known_names(connection, names))
        return reading.slots_of(connection, entries, stores, day(1))


def test_a_list_is_read_with_every_option_and_every_reason(town: Engine) -> None:
    found = read(town, LIST, ["woolworths:1", "woolworths:2", "coles:1"])
    shown = [
        (line.item, line.reason, [(o.store, o.sku, o.unit_price_cents) for o in line.options]) for line in found.lines
    ]
    assert shown == [
        ("woolworths:1", None, [("woolworths:1", "1", 100), ("woolworths:2", "1", 100)]),
        ("PRODUCT 2", None, [("woolworths:1", "2", 110), ("woolworths:2", "2", 110)]),
        ("woolworths:3", None, [("woolworths:1", "3", 120), ("woolworths:2", "3", 125), ("coles:1", "4", 90)]),
        ("gtin:9300605123458", None, [("woolworths:1", "7", 130), ("woolworths:2", "7", 130), ("coles:1", "7", 135)]),
        ("woolworths:5", "out of stock", []),
        ("woolworths:6", "price not known", []),
        ("woolworths:8", None, [("woolworths:1", "8", 400), ("woolworths:2", "8", 400)]),
        ("sold nowhere", "unknown item", []),
    ]
    assert [o.is_substitute for o in found.lines[2].options] == [False, False, True]
    assert [(o.quantity, o.quantity_unit, o.total_price_cents) for o in found.lines[6].options] == [(500, "g", 200)] * 2
    assert read(town, "coles:4", ["woolworths:1"]).lines[0].reason == "not sold at these stores"
    assert read(town, "500 g woolworths:1", ["woolworths:1"]).lines[0].reason == "not sold by weight at these stores"


def test_a_lists_options_are_the_effective_prices_of_its_stores(town: Engine) -> None:
    with town.connect() as connection:
        ids = [i for (i,) in query(town, "SELECT id FROM stores")]
        codes = dict(query(town, "SELECT id, store_code FROM stores"))
        skus = dict(query(town, "SELECT id, sku FROM listings"))
        expected = {
            (
                codes[p.store_id],
                skus[p.listing_id],
                p.price_cents,
                p.source,
                p.observed_at.isoformat(timespec="seconds"),
            )
            for p in effective_prices(connection, ids, day(1))
            if p.is_available
        }
    everything = "\n".join(f"product:{number}" for number in range(1, 20))
    found = read(town, everything, ["woolworths:1", "woolworths:2", "coles:1"])
    options = [option for line in found.lines for option in line.options]
    assert {
        (o.store_id, o.sku, o.unit_price_cents, o.source, o.observed_at) for o in options if o.company == "woolworths"
    } == {one for one in expected if one[1] != "4" and not (one[0] == "1" and one[2] in (90, 135))}


def test_a_list_is_read_in_five_statements_however_long(town: Engine) -> None:
    counted: list[str] = []

    def count(_connection, _cursor, statement, *_rest) -> None:
        counted.append(statement)

    long = "\n".join([LIST, *(f"{n} x product:{n}" for n in range(1, 200))])
    with town.connect() as connection:
        known = reading.companies_of(connection)
        event.listen(town, "after_cursor_execute", count)
        entries = lists.parse(long, "text", known, lambda names: reading.known_names(connection, names))
        reading.slots_of(connection, entries, ["woolworths:1", "woolworths:2", "coles:1"], day(1))
        event.remove(town, "after_cursor_execute", count)
    assert len(counted) == 5


def test_an_unknown_store_is_named_in_the_error(town: Engine) -> None:
    with pytest.raises(ValueError, match=r"store 'woolworths:99' is unknown"):
        read(town, "product:1", ["woolworths:1", "woolworths:99"])


def test_stores_near_a_place_are_those_within_the_radius_that_have_prices(town: Engine) -> None:
    with town.begin() as connection:
        connection.execute(text("UPDATE stores SET latitude = -33.9, longitude = 151.2 WHERE id = 1"))
        connection.execute(text("UPDATE stores SET latitude = -34.9, longitude = 151.2 WHERE id = 2"))
    with town.connect() as connection:
        assert reading.stores_near(connection, -33.87, 151.2, 5) == ["woolworths:1"]
        assert reading.stores_near(connection, -33.87, 151.2, 500) == ["woolworths:1", "woolworths:2"]


def test_no_mark_waits_for_another(engine: Engine) -> None:
    assert [c.name for c in slot_dirty.primary_key] == ["id"]
    assert [index for index in slot_dirty.indexes if index.unique] == []


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE price_slots SET price_cents = 7 WHERE price_cents = 100",
        "UPDATE price_slots SET source = 'contested' WHERE price_cents = 100",
        "UPDATE price_slots SET built_from_run = 99 WHERE price_cents = 100",
        "DELETE FROM price_slots WHERE price_cents = 100",
        "UPDATE price_slots SET store_id = 99 WHERE price_cents = 90",
    ],
)
def test_a_wrong_slot_is_reported_unless_it_is_marked(town: Engine, lie: str) -> None:
    def found() -> list[str]:
        with town.connect() as connection:
            return [one.check for one in check(connection) if one.check == "slots"]

    assert found() == []
    with town.begin() as connection:
        connection.execute(text(lie))
    assert found() == ["slots"]
    build(town, everything=True)
    assert found() == []
