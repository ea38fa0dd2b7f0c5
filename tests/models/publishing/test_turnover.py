"""Turnovers and small first runs, judged by what the database holds: the measures, the verdict, the publish."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from models.publishing.publish import publish
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from splitcart.runs.verdict import Category, Counts, Gates, Verdict, verdict
from tests.support.storage import START, check_sound, open_run, query, row, stage, value
from tests.support.truth import ranges

OLD, NEW = range(100), range(1000, 1100)


def walk(
    engine: Engine,
    skus: Iterable[int],
    hours: float = 0,
    *,
    store: str = "1147",
    slug: str = "woolworths",
    gates: Mapping[str, Any] | None = None,
) -> tuple[Verdict, Counts, int]:
    """A run that proves one category of these skus and is judged: the verdict, what was measured, the run's id."""
    now = START + timedelta(hours=hours)
    run = open_run(engine, store, slug, now=now)
    history = opening.history(engine, run)
    stage(engine, run.id, [row(sku) for sku in skus])
    counts = opening.measure(engine, run)
    walked = [Category("tins", counts.listings, counts.listings, True)]
    judged = verdict("finished", counts, walked, history, Gates.of(gates or {}), now=now)
    end = opening.finish if judged.publishes == "nothing" else publish
    end(engine, run, Ending(verdict=judged, now=now, categories=walked, counts=asdict(counts)))
    return judged, counts, run.id


def missing(engine: Engine) -> tuple[int, int]:
    """How many listings are missing, and how many of these are delisted."""
    return query(engine, "SELECT count(*), count(delisted_at) FROM missing_listings")[0]


def ranged(engine: Engine) -> set[str]:
    return ranges(engine, "woolworths", "1147")[0]


def skus(*parts: Iterable[int]) -> set[str]:
    return {str(sku) for part in parts for sku in part}


def test_a_full_turnover_is_partial_and_takes_nothing_away(engine: Engine) -> None:
    walk(engine, OLD)
    judged, counts, _ = walk(engine, NEW, 24)
    assert (judged.status, judged.publishes, judged.reason.partition(":")[0]) == ("partial", "seen", "turnover")
    assert (counts.ranged, counts.unseen, counts.known) == (100, 100, 0)
    assert missing(engine) == (0, 0)
    assert ranged(engine) == skus(OLD, NEW)
    assert value(engine, "SELECT count(*) FROM prices") == 200
    check_sound(engine)


def test_a_turnover_is_confirmed_12_hours_later_and_no_sooner_though_the_new_skus_are_ranged_by_then(
    engine: Engine,
) -> None:
    walk(engine, OLD)
    for hours in (24, 25, 30, 35.9):
        judged, counts, _ = walk(engine, NEW, hours)
        assert (judged.status, counts.ranged, counts.unseen) == ("partial", 100, 100), hours
        assert missing(engine) == (0, 0)
    judged, _, _ = walk(engine, NEW, 36)
    assert (judged.status, judged.reason.partition(":")[0]) == ("complete", "shortfall_confirmed")
    assert missing(engine) == (100, 0)
    assert ranged(engine) == skus(OLD, NEW)


def test_a_confirmed_turnover_is_no_shortfall_again_and_delists_after_the_second_look(engine: Engine) -> None:
    walk(engine, OLD)
    for hours in (24, 36):
        walk(engine, NEW, hours)
    for hours, counted in ((40, (100, 0)), (57, (100, 0))):
        judged, counts, _ = walk(engine, NEW, hours)
        assert (judged.status, judged.reason, counts.ranged, counts.unseen) == ("complete", "finished", *counted), hours
    assert missing(engine) == (100, 100)
    assert ranged(engine) == skus(NEW)
    judged, counts, _ = walk(engine, range(2000, 2100), 81)
    assert (judged.status, counts.ranged, counts.unseen) == ("partial", 100, 100)
    check_sound(engine)


def test_a_second_turnover_soon_after_a_confirmed_one_is_a_shortfall_of_its_own(engine: Engine) -> None:
    walk(engine, OLD)
    for hours in (24, 36):
        walk(engine, NEW, hours)
    judged, counts, _ = walk(engine, range(2000, 2100), 40)
    assert (judged.status, counts.ranged, counts.unseen) == ("partial", 100, 100)


def test_another_renumbering_confirms_none(engine: Engine) -> None:
    walk(engine, OLD)
    walk(engine, NEW, 24)
    judged, counts, _ = walk(engine, range(2000, 2100), 48)
    assert (judged.status, counts.unseen) == ("partial", 200)
    assert missing(engine) == (0, 0)


def test_after_a_rolled_back_confirmation_the_turnover_is_not_confirmed(engine: Engine) -> None:
    walk(engine, OLD)
    _, _, first = walk(engine, NEW, 24)
    _, _, confirmed = walk(engine, NEW, 36)
    for run_id in (confirmed, first):
        rollback(engine, run_id, START + timedelta(hours=37))
    judged, counts, _ = walk(engine, NEW, 49)
    assert (judged.status, counts.ranged, counts.unseen) == ("partial", 100, 100)
    assert missing(engine) == (0, 0)


@pytest.mark.parametrize(("again", "status"), [(79, "partial"), (80, "complete"), (81, "complete")])
def test_of_100_ranged_listings_79_seen_again_are_a_shortfall_and_81_are_not(
    engine: Engine, again: int, status: str
) -> None:
    walk(engine, OLD)
    judged, _, _ = walk(engine, [*range(again), *range(1000, 1100 - again)], 24)
    assert judged.status == status
    assert missing(engine) == ((100 - again, 0) if status == "complete" else (0, 0))


def test_a_lower_share_lets_a_turnover_pass(engine: Engine) -> None:
    walk(engine, OLD)
    shown = [*range(60), *range(1000, 1040)]
    assert walk(engine, shown, 24)[0].status == "partial"
    assert walk(engine, shown, 25, gates={"turnover_share": 0.6})[0].status == "complete"


def test_a_run_that_saw_part_of_the_new_skus_does_not_shrink_the_turnover(engine: Engine) -> None:
    """A quarter is new: of what is ranged after the first look, 80% are seen again at the second."""
    walk(engine, OLD)
    shown = [*range(75), *range(1000, 1025)]
    for hours in (24, 30):
        judged, counts, _ = walk(engine, shown, hours)
        assert (judged.status, counts.ranged, counts.unseen) == ("partial", 100, 25), hours


def test_a_listing_seen_with_an_unreadable_price_is_no_part_of_a_turnover(engine: Engine) -> None:
    walk(engine, OLD)
    run = open_run(engine, now=START + timedelta(hours=24))
    stage(engine, run.id, [row(sku, None, is_unreadable=True) for sku in OLD])
    counts = opening.measure(engine, run)
    assert (counts.ranged, counts.unseen, counts.unreadable, counts.listings, counts.known) == (100, 0, 100, 100, 0)


def usual(engine: Engine, store: str = "9", slug: str = "woolworths") -> float | None:
    return opening.history(engine, open_run(engine, store, slug, now=START + timedelta(days=9))).company_usual


def test_a_small_first_run_is_partial_where_the_companys_other_stores_have_more(engine: Engine) -> None:
    for store, many in (("1", 90), ("2", 80), ("3", 100)):
        assert walk(engine, range(many), store=store)[0].status == "complete"
    judged, _, _ = walk(engine, range(7), 1, store="4")
    assert (judged.status, judged.publishes, judged.reason.partition(":")[0]) == ("partial", "seen", "store_small")
    assert judged.figures["company_usual"] == 90
    assert walk(engine, range(26), 2, store="5")[0].status == "partial"
    assert walk(engine, range(27), 3, store="6")[0].status == "complete"


def test_a_small_first_run_is_confirmed_12_hours_later_and_no_sooner(engine: Engine) -> None:
    walk(engine, range(90), store="1")
    ends = [walk(engine, range(7), hours, store="2")[0].status for hours in (0, 11.9, 12)]
    assert ends == ["partial", "partial", "complete"]
    assert walk(engine, range(7), 36, store="2")[0].reason == "finished"


def test_a_first_run_that_sees_more_at_its_second_try_is_complete_at_once(engine: Engine) -> None:
    walk(engine, range(90), store="1")
    ends = [walk(engine, range(many), hours, store="2")[0].status for many, hours in ((7, 0), (90, 1))]
    assert ends == ["partial", "complete"]


def test_a_companys_very_first_store_is_judged_by_its_proofs_alone(engine: Engine) -> None:
    walk(engine, range(90), store="1", slug="coles")
    assert usual(engine) is None
    assert walk(engine, range(7), store="2")[0].status == "complete"


def test_the_usual_is_the_median_of_each_stores_last_complete_run(engine: Engine) -> None:
    for hours, (store, many) in enumerate([("1", 10), ("1", 100), ("2", 60), ("3", 70)]):
        walk(engine, range(many), hours, store=store)
    assert usual(engine) == 70


def test_rolled_back_and_partial_runs_and_other_companies_make_no_usual(engine: Engine) -> None:
    walk(engine, range(50), store="1")
    _, _, lied = walk(engine, range(500), 1, store="2")
    walk(engine, range(90), store="3", slug="aldi")
    run = open_run(engine, "4", now=START)
    stage(engine, run.id, [row(sku) for sku in range(300)])
    partial = Verdict("partial", "shutdown", "seen", {})
    publish(engine, run, Ending(verdict=partial, now=START, counts=asdict(opening.measure(engine, run))))
    rollback(engine, lied, START + timedelta(hours=2))
    assert usual(engine) == 50


def test_a_store_with_a_complete_run_is_not_measured_by_the_company(engine: Engine) -> None:
    walk(engine, range(90), store="1")
    walk(engine, range(30), 1, store="2")
    assert walk(engine, range(30), 24, store="2", gates={"first_share": 1.0})[0].status == "complete"
    assert usual(engine, "2") is None


def test_a_store_whose_only_complete_run_was_rolled_back_has_a_first_run_again(engine: Engine) -> None:
    walk(engine, range(90), store="1")
    _, _, only = walk(engine, range(90), store="2")
    rollback(engine, only, START + timedelta(hours=1))
    assert walk(engine, range(7), 2, store="2")[0].reason.startswith("store_small")
