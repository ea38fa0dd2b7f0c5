"""What a probe settles when it is published, what a rollback takes back, and what steers its pages."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from models.publishing import probes
from models.publishing.publish import publish
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from models.tables import crawl_runs, stores
from splitcart.scheduling.probes import AGREES, DIFFERS, UNDECIDED
from tests.support.groups import grouped, merge, rows
from tests.support.states import state
from tests.support.storage import START, category, crawl, day, judged, open_run, query, stage

ANCHOR, MEMBER = "1", "2"
HOUR, SOON = timedelta(hours=1), day(0.2)
TENS = {f"s{sku}": 900 + sku for sku in range(10)}
"""Ten of the hundred lines at other prices."""


def probe(engine: Engine, seen: list[dict], store: str = MEMBER, now=SOON, *, pages: int | None = 8) -> tuple:
    """Publishes a probe that saw these rows. (run, what it settled, needs_rescraping, verified_at)."""
    run = open_run(engine, store, now=now - timedelta(minutes=5))
    stage(engine, run.id, seen)
    counts = asdict(opening.measure(engine, run)) | {"probe": pages}
    verdict = judged("partial", "requested")
    publish(engine, run, Ending(verdict=verdict, now=now, categories=[category(seen=len(seen))], counts=counts))
    return (run, settled(engine, run), *flags(engine, store))


def settled(engine: Engine, run: opening.Run) -> dict | None:
    return run_row(engine, run)["figures"].get("probe")


def run_row(engine: Engine, run: opening.Run) -> dict:
    with engine.connect() as connection:
        return dict(connection.execute(select(crawl_runs).where(crawl_runs.c.id == run.id)).one()._mapping)


def flags(engine: Engine, store: str) -> tuple:
    with engine.connect() as connection:
        wanted = select(stores.c.needs_rescraping, stores.c.verified_at).where(stores.c.store_code == store)
        return tuple(connection.execute(wanted).one())


@pytest.fixture
def pair(engine: Engine) -> Engine:
    """Store 1 and its member 2, both seen on a Monday; specials change on Tuesday at day(1.5)."""
    crawl(engine, rows(), store=ANCHOR)
    crawl(engine, rows(), store=MEMBER, now=START + HOUR)
    merge(engine, START + HOUR)
    assert grouped(engine) == {frozenset("12")}
    return engine


def test_a_probe_that_sees_the_known_prices_verifies_its_store_and_records_it(pair: Engine) -> None:
    crawl(pair, rows(**TENS), store=ANCHOR, now=day(0.1))  # the member followed: inferred
    run, figures, needs, verified = probe(pair, rows(**TENS)[40:])
    assert (figures["outcome"], figures["compared"], figures["deviating"]) == (AGREES, 60, 0)
    assert (bool(needs), verified) == (False, day(0.2))
    words = run_row(pair, run)["reason"]
    assert words == "requested: its probe agrees with what was known: 0 of 60 compared lines deviate"
    assert run_row(pair, run)["status"] == "partial"


def test_a_probe_is_compared_with_the_prices_in_effect_before_it_was_published(pair: Engine) -> None:
    """The anchor has changed ten lines; the member has not: its own old rows would agree."""
    crawl(pair, rows(**TENS), store=ANCHOR, now=day(0.1))
    _, figures, needs, verified = probe(pair, rows())
    assert (figures["outcome"], figures["compared"], figures["deviating"]) == (DIFFERS, 100, 10)
    assert (bool(needs), verified) == (True, None)


def test_only_a_complete_run_clears_what_a_probe_asked_for(pair: Engine) -> None:
    assert probe(pair, rows(**TENS))[2]
    _, figures, needs, verified = probe(pair, rows(**TENS), now=day(0.3))  # known by now
    assert (figures["outcome"], bool(needs), verified) == (AGREES, True, day(0.3))
    crawl(pair, rows(**TENS), store=MEMBER, now=day(0.4))
    assert not flags(pair, MEMBER)[0]


def test_contested_lines_are_not_counted_against_a_store(pair: Engine) -> None:
    crawl(pair, rows(**TENS), store=MEMBER, now=day(0.1))
    twice = dict.fromkeys(TENS, 500)
    crawl(pair, rows(**twice), store=ANCHOR, now=day(0.15))
    _, figures, needs, _ = probe(pair, rows(**twice))
    assert (figures["outcome"], figures["contested"], figures["compared"]) == (AGREES, 10, 90)
    assert not needs


def test_after_a_flip_nothing_is_known_until_the_anchor_was_seen(pair: Engine) -> None:
    crawl(pair, rows(), store=ANCHOR, now=day(1.4))
    _, figures, needs, verified = probe(pair, rows(**TENS), now=day(1.6))
    assert (figures["outcome"], figures["compared"], figures["outdated"]) == (UNDECIDED, 0, 100)
    assert (bool(needs), verified) == (False, None)
    crawl(pair, rows(**TENS, s20=77), store=ANCHOR, now=day(1.7))
    _, figures, needs, verified = probe(pair, rows(**TENS, s20=77), now=day(1.8))
    assert (figures["outcome"], figures["compared"], figures["contested"], verified) == (AGREES, 99, 1, day(1.8))


def test_a_probe_during_which_specials_change_settles_nothing(pair: Engine) -> None:
    crawl(pair, rows(), store=ANCHOR, now=day(1.4))
    run, figures, needs, verified = probe(pair, rows(**TENS), now=day(1.5) + timedelta(minutes=1))
    assert (figures["outcome"], bool(needs), verified) == (UNDECIDED, False, None)
    assert run_row(pair, run)["reason"].endswith("specials changed while it ran")


def test_a_probe_that_resumes_a_run_which_has_published_settles_nothing(pair: Engine) -> None:
    crawl(pair, rows(**TENS)[:50], store=MEMBER, now=day(0.1), status="partial", reason="category_short: x")
    run = open_run(pair, MEMBER, now=day(0.12), resume=True)
    stage(pair, run.id, [])
    counts = asdict(opening.measure(pair, run)) | {"probe": 8}
    verdict = judged("partial", "requested")
    publish(pair, run, Ending(verdict=verdict, now=day(0.12), counts=counts))
    assert settled(pair, run)["outcome"] == UNDECIDED
    assert "had published a part of it before" in run_row(pair, run)["reason"]


def test_an_anchor_and_a_store_alone_are_compared_with_what_they_showed_themselves(pair: Engine) -> None:
    assert probe(pair, rows(), ANCHOR)[1]["outcome"] == AGREES
    _, figures, needs, verified = probe(pair, rows(**TENS), ANCHOR, now=day(0.3))
    assert (figures["outcome"], figures["compared"], bool(needs), verified) == (DIFFERS, 100, True, day(0.2))
    assert not flags(pair, MEMBER)[0]
    crawl(pair, rows(), store="9", now=day(0.3))
    assert probe(pair, rows(**TENS), "9", now=day(0.4))[2]


def test_a_crawl_of_some_categories_and_a_store_nobody_saw_settle_nothing(pair: Engine) -> None:
    assert probe(pair, rows(**TENS), pages=None)[1:] == (None, False, None)
    _, figures, needs, verified = probe(pair, rows(), "9", now=day(0.3))
    assert (figures["outcome"], figures["compared"], bool(needs), verified) == (UNDECIDED, 0, False, None)


@pytest.mark.parametrize("seen", [{}, TENS], ids=["agrees", "differs"])
def test_a_rollback_takes_back_what_a_probe_settled(pair: Engine, seen: dict) -> None:
    probe(pair, rows())
    before = state(pair)
    run, figures, *_ = probe(pair, rows(**seen), now=day(0.3))
    assert figures["outcome"] == (DIFFERS if seen else AGREES)
    assert state(pair) != before
    rollback(pair, run.id, day(0.4))
    assert state(pair) == before


def test_open_lines_are_those_that_are_contested_or_that_the_anchor_does_not_range(engine: Engine) -> None:
    shelf = {sku: ("Deli" if sku < 20 else "Tins") for sku in range(101)}

    def seen(without: int | None = None, **cents: int) -> list[dict]:
        seen = [one for one in rows(**cents) if int(one["sku"]) != without]
        keys = {int(one["sku"]): shelf[int(one["sku"])] for one in seen}
        return [
            one | {"category_path": (keys[int(one["sku"])],), "category_key": keys[int(one["sku"])].lower()}
            for one in seen
        ]

    crawl(engine, seen(without=50), store=ANCHOR)
    crawl(engine, seen(s5=900), store=MEMBER, now=START + HOUR)
    merge(engine, START + HOUR)
    crawl(engine, seen(without=50, s5=901), store=ANCHOR, now=day(0.2))
    ids = dict(query(engine, "SELECT store_code, id FROM stores"))
    with engine.connect() as connection:
        assert probes.open_lines(connection, ids[MEMBER]) == {"deli": 1, "tins": 1}
        assert probes.open_lines(connection, ids[ANCHOR]) == {}
    run = open_run(engine, MEMBER, now=day(0.3))
    plan = probes.plan(engine, run, {"tins": 80})
    assert (plan.products, plan.open_lines) == ({"tins": 80}, {"deli": 1, "tins": 1})
