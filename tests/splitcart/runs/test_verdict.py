"""The verdict, promise by promise."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitcart.runs.verdict import Category, Counts, Gates, History, Shortfall, exit_code, verdict

GATES = Gates()
NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
CLEAN = Counts(accepted=200, staged=200, listings=200, known=190, changed=5, median_ratio=1.0)
WALK = [Category("fruit", 120, 120, True), Category("bread", 80, 80, True)]
PAST = History(200, {"fruit": (118, 121, 120), "bread": (80, 80, 80)})


def judge(reason="finished", counts=CLEAN, walk=WALK, past=PAST, now=NOW, gates=GATES):
    return verdict(reason, counts, walk, past, gates, now=now)


def test_a_proven_run_is_complete_and_publishes_all():
    judged = judge()
    assert (judged.status, judged.reason, judged.publishes) == ("complete", "finished", "all")
    assert judged.figures["causes"] == []


def test_the_figures_have_every_number_behind_a_verdict():
    figures = judge(walk=[*WALK, Category("pet", 9, 5, True)]).figures
    assert figures == {
        "accepted": 200, "staged": 200, "quarantined": 0, "listings": 200, "known": 190, "changed": 5,
        "changed_share": 0.0263, "median_ratio": 1.0, "last_complete": 200, "unreadable": 0, "unnamed": 0, "ranged": 0,
        "unseen": 0, "company_usual": None, "store_share": 1.0, "categories": 3,
        "unproven": ["pet"], "missing": [], "thin": [], "causes": ["category_short: pet seen 5, expected 9 less 1"],
    }  # fmt: skip
    assert judge(past=History(201)).figures["store_share"] == 0.995
    assert judge(past=History()).figures["store_share"] is None


def test_a_first_run_needs_the_proofs_and_one_item():
    assert judge(past=History()).status == "complete"
    assert judge(past=History(), walk=[Category("fruit", 120, 100, True)]).status == "partial"
    assert judge(past=History(), walk=[]).reason.startswith("no_categories")
    empty = judge(past=History(), counts=Counts(0, 0), walk=[Category("fruit", 0, 0, True)])
    assert (empty.status, empty.publishes) == ("failed", "nothing")


@pytest.mark.parametrize("reason", ["shutdown", "closespider_timeout", "memusage_exceeded", "", "Finished"])
def test_a_reason_other_than_finished_is_never_complete(reason):
    judged = judge(reason)
    assert (judged.status, judged.publishes) == ("partial", "seen")
    assert judged.reason == (reason or "unknown")


def test_an_interrupted_run_that_staged_nothing_publishes_nothing():
    judged = judge("shutdown", counts=Counts(0, 0), walk=[])
    assert (judged.status, judged.reason, judged.publishes) == ("partial", "shutdown", "nothing")
    assert judge("shutdown", counts=Counts(1, 1, listings=1), walk=[]).publishes == "seen"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("blocked", "blocked", 4),
        ("store_mismatch", "failed", 1),
        ("lease_lost", "failed", 1),
        ("certificate_refused", "failed", 1),
        ("left_hosts", "failed", 1),
        ("failed", "failed", 1),
        ("something new", "failed", 1),
        ("network_down", "failed", 5),
    ],
)
def test_an_error_publishes_nothing(error, status, code):
    for judged in (
        judge(counts=replace(CLEAN, error=error)),
        judge("shutdown", replace(CLEAN, error=error, requested=True)),
    ):
        assert (judged.status, judged.publishes) == (status, "nothing")
        assert exit_code(judged.status, judged.reason) == code
        assert judged.reason in (error, "failed")
        assert (judged.reason == "failed") is (error in ("failed", "something new"))


def test_an_error_in_the_end_or_in_a_category_counts_too():
    assert judge("blocked").status == "blocked"
    assert judge("network_down").reason == "network_down"
    assert judge(walk=[*WALK, Category("pet", 40, 10, False, failed="blocked")]).status == "blocked"
    assert judge("store_mismatch", replace(CLEAN, error="blocked")).status == "blocked"


def test_a_catalogue_error_is_partial_even_when_all_else_is_proven():
    judged = judge(counts=replace(CLEAN, error="catalogue_error"))
    assert (judged.status, judged.reason, judged.publishes) == ("partial", "catalogue_error", "seen")


@pytest.mark.parametrize(("expected", "seen", "proven"), [
    (0, 0, True), (1, 1, True), (1, 0, False), (2, 1, True), (2, 0, False), (100, 99, True), (100, 98, False),
    (400, 398, True), (400, 397, False), (4000, 3980, True), (4000, 3979, False), (72, 36, False), (10, 12, True),
])  # fmt: skip
def test_a_category_is_proven_when_what_is_seen_reaches_its_total(expected, seen, proven):
    for ended in (True, False):
        judged = judge(walk=[*WALK, Category("pet", expected, seen, ended)], past=History())
        assert (judged.status == "complete") is proven


def test_a_category_without_a_total_is_proven_by_its_end_only():
    assert judge(walk=[*WALK, Category("pet", None, 10, True)]).status == "complete"
    judged = judge(walk=[*WALK, Category("pet", None, 10, False)])
    assert (judged.status, judged.figures["unproven"]) == ("partial", ["pet"])


def test_a_failed_category_is_named_with_its_cause():
    judged = judge(walk=[*WALK, Category("pet", 10, 10, True, failed="HTTP 500")])
    assert judged.status == "partial"
    assert judged.reason == "category_failed: pet seen 10, expected its end, got HTTP 500"


def test_a_capped_category_is_proven_by_its_children():
    pantry = Category("pantry", 6000, 4992, True, capped=True, children=("tea", "rice"))
    tea, rice = Category("tea", 3000, 3000, True), Category("rice", 3000, 2990, True)
    assert judge(walk=[pantry, tea, rice], past=History()).status == "complete"
    for broken in (
        [pantry],
        [pantry, tea],
        [pantry, tea, replace(rice, seen=2000)],
        [pantry, tea, Category("rice", 2000, 2000, True)],
        [replace(pantry, children=()), tea, rice],
        [replace(pantry, children=("tea", "pantry")), tea],
        [pantry, tea, replace(rice, capped=True)],
    ):
        assert judge(walk=broken, past=History()).status == "partial"


@pytest.mark.parametrize(("rice", "status"), [(2970, "complete"), (2969, "partial")])
def test_the_children_of_a_capped_category_together_reach_its_total(rice, status):
    pantry = Category("pantry", 6000, 4992, True, capped=True, children=("tea", "rice"))
    walk = [pantry, Category("tea", 3000, 3000, True), Category("rice", rice, rice, True)]
    assert judge(walk=walk, past=History()).status == status
    twice = [replace(pantry, children=("tea", "tea")), *walk[1:]]
    assert judge(walk=twice, past=History()).status == "partial"


def test_capped_categories_may_nest():
    tea = Category("tea", 5000, 4992, True, capped=True, children=("green", "black"))
    leaves = [
        Category("green", 2500, 2500, True),
        Category("black", None, 2500, True),
        Category("rice", 1000, 1000, True),
    ]
    pantry = Category("pantry", 6000, 4992, True, capped=True, children=("tea", "rice"))
    assert judge(walk=[pantry, tea, *leaves], past=History()).status == "complete"
    assert judge(walk=[pantry, tea, *leaves[1:]], past=History()).status == "partial"


def test_a_category_that_held_listings_last_time_must_not_be_missing():
    past = replace(PAST, categories={**PAST.categories, "pet": (4, 5)})
    judged = judge(past=past)
    assert judged.status == "partial"
    assert judged.reason == "category_missing: pet absent, expected: it held 5 listings last time"
    assert judge(past=replace(PAST, categories={**PAST.categories, "pet": (0, 1)})).status == "partial"
    assert judge(past=replace(PAST, categories={**PAST.categories, "pet": (4, 0)})).status == "complete"


@pytest.mark.parametrize(("usual", "seen", "status"), [
    (100, 70, "complete"), (100, 69, "partial"), (10, 7, "complete"), (10, 6, "partial"), (3, 2, "complete"),
    (3, 1, "partial"), (2, 1, "complete"), (2, 0, "partial"), (1, 0, "complete"),
])  # fmt: skip
def test_a_category_under_70_percent_of_its_median_is_not_complete(usual, seen, status):
    past = History(200, {"pet": (0, usual, usual, usual * 2, usual)})
    assert judge(walk=[*WALK, Category("pet", seen, seen, True)], past=past).status == status
    assert judge(walk=[*WALK, Category("pet", seen, seen, True, held=False)], past=past).status == "complete"


@pytest.mark.parametrize(
    "runs", [(100, 100, 100, 100, 70), (100, 100, 100, 100, 75), (10, 10, 100, 100, 100, 100, 100)]
)
def test_a_category_is_measured_by_the_median_of_its_last_5_runs(runs):
    for seen, status in ((70, "complete"), (60, "partial")):
        walk = [*WALK, Category("pet", seen, seen, True)]
        assert judge(walk=walk, past=History(200, {"pet": runs})).status == status


def test_a_category_is_compared_with_its_last_confirmed_fall():
    past = History(200, {"fruit": (300, 300, 300, 300, 120), "bread": (80,)})
    assert judge(past=past).status == "complete"


@pytest.mark.parametrize(("last", "status"), [(206, "complete"), (207, "partial"), (150, "complete")])
def test_a_store_under_97_percent_of_its_last_complete_count_is_not_complete(last, status):
    assert judge(past=History(last)).status == status


def test_97_of_100_are_enough():
    counts = Counts(accepted=97, staged=97, listings=97)
    assert judge(counts=counts, walk=[Category("all", 97, 97, True)], past=History(100)).status == "complete"


def test_a_store_may_have_one_listing():
    assert (
        judge(counts=Counts(1, 1, listings=1), walk=[Category("all", 1, 1, True)], past=History()).status == "complete"
    )


def test_a_small_store_may_lack_one_listing():
    small = Counts(accepted=9, staged=9, listings=9)
    assert judge(counts=small, walk=[Category("all", 9, 9, True)], past=History(10)).status == "complete"
    assert judge(counts=small, walk=[Category("all", 9, 9, True)], past=History(11)).status == "partial"


@pytest.mark.parametrize(
    "counts",
    [
        replace(CLEAN, staged=199),
        replace(CLEAN, staged=201),
        replace(CLEAN, staged=199, quarantined=1),
        replace(CLEAN, quarantined=1),
    ],
)
def test_a_row_lost_on_the_way_is_not_complete(counts):
    judged = judge(counts=counts)
    assert (judged.status, judged.publishes) == ("partial", "seen")
    assert judge(counts=replace(counts, requested=True)).reason != "requested"


@pytest.mark.parametrize("lost", [{"staged": 0}, {"accepted": 0, "staged": 0}, {"listings": 0}])
def test_a_store_of_which_nothing_arrived_is_failed(lost):
    judged = judge(counts=replace(CLEAN, **lost))
    assert (judged.status, judged.publishes) == ("failed", "nothing")
    assert judged.reason.startswith("empty_store")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"changed": 76}, "complete"),
        ({"changed": 77}, "failed"),
        ({"changed": 190, "median_ratio": 2.0}, "failed"),
        ({"changed": 190, "median_ratio": 2.0, "flipped": True}, "failed"),
        ({"changed": 77, "flipped": True}, "complete"),
        ({"median_ratio": 0.8}, "complete"),
        ({"median_ratio": 0.79}, "failed"),
        ({"median_ratio": 1.25}, "complete"),
        ({"median_ratio": 1.26}, "failed"),
        ({"median_ratio": float("nan")}, "failed"),
        ({"known": 1, "changed": 1}, "complete"),
        ({"known": 2, "changed": 2}, "failed"),
        ({"known": 0, "changed": 0, "median_ratio": None}, "complete"),
        ({"known": 0, "changed": 0, "median_ratio": 9.9}, "complete"),
        ({"known": 1, "changed": 1, "median_ratio": 2.0}, "failed"),
    ],
)
def test_implausible_prices_are_failed(changes, status):
    judged = judge(counts=replace(CLEAN, **changes))
    assert judged.status == status
    assert (judged.publishes == "nothing") is (status == "failed")
    assert judge("shutdown", replace(CLEAN, **changes, requested=True)).status == (
        "failed" if status == "failed" else "partial"
    )


def test_the_gates_are_arguments():
    assert judge(counts=replace(CLEAN, changed=100), gates=Gates(changed_share=0.6)).status == "complete"
    assert judge(past=History(220), gates=Gates(store_share=0.9)).status == "complete"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"changed": 0.6}, "there is no gate 'changed': one of tolerance, category_share"),
        ({"store_share": 97}, "gate store_share is 97.0: a share of 0 to 1 is wanted"),
        ({"changed_share": float("nan")}, "gate changed_share is nan"),
        ({"ratio_low": 2}, "gates ratio_low 2.0, ratio_high 1.25: 0 < low <= high"),
        ({"confirm_hours": -1}, "gate confirm_hours is -1.0: 0 or more"),
        ({"store_share": "much"}, "much"),
    ],
)
def test_an_invalid_gate_is_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        Gates.of(settings)
    assert Gates.of({"store_share": "0.9"}) == Gates(store_share=0.9)


@given(st.integers(1, 400))
def test_exactly_at_a_limit_is_within_it(hundreds):
    """97%, 70%, 40% and the tolerance of 0.5%, of any number of which they are whole numbers."""
    many, last = 200 * hundreds, 100 * hundreds
    walk = [Category("all", many, many - hundreds, True)]
    for seen, status in ((97 * hundreds, "complete"), (97 * hundreds - 1, "partial")):
        counts = Counts(seen, seen, listings=seen, known=last, changed=40 * hundreds, median_ratio=1.25)
        assert judge(counts=counts, walk=walk, past=History(last)).status == status
        assert (
            judge(counts=replace(counts, changed=40 * hundreds + 1), walk=walk, past=History(last)).status == "failed"
        )
    for short in (walk[0].seen, walk[0].seen - 1):
        judged = judge(walk=[replace(walk[0], seen=short)], past=History())
        assert (judged.status == "complete") is (short == many - max(1, hundreds))
    for seen, status in ((70 * hundreds, "complete"), (70 * hundreds - 1, "partial")):
        thin = [Category("all", seen, seen, True)]
        assert judge(walk=thin, past=History(200, {"all": (last,) * 5})).status == status


def test_a_run_across_a_flip_is_not_complete():
    judged = judge(counts=replace(CLEAN, crosses_flip=True, changed=100))
    assert judged.status == "partial"
    assert judged.reason.startswith("crosses_flip")


def test_a_limited_crawl_ends_partial_as_requested_with_exit_0():
    judged = judge(counts=replace(CLEAN, requested=True), walk=[Category("fruit", 120, 36, False)])
    assert (judged.status, judged.reason, judged.publishes) == ("partial", "requested", "seen")
    assert exit_code(judged.status, judged.reason) == 0
    assert judge("shutdown", replace(CLEAN, requested=True)).reason == "shutdown"
    broken = judge(counts=replace(CLEAN, requested=True), walk=[Category("fruit", 120, 36, False, failed="HTTP 500")])
    assert (broken.reason, broken.figures["causes"][1:]) == (
        "requested", ["category_failed: fruit seen 36, expected its end, got HTTP 500"],
    )  # fmt: skip
    nothing = judge(counts=Counts(0, 0, requested=True), walk=[Category("fruit", 0, 0, True)])
    assert (nothing.reason, nothing.publishes) == ("requested", "nothing")
    assert judge(counts=Counts(0, 0, requested=True), walk=[]).status == "failed"


@pytest.mark.parametrize(("status", "reason", "code"), [
    ("complete", "finished", 0), ("complete", "shortfall_confirmed: 9 listings", 0), ("partial", "shutdown", 2),
    ("partial", "requested", 0), ("partial", "network_down", 2), ("blocked", "blocked", 4),
    ("failed", "network_down", 5), ("failed", "network_down: no route", 5),
    ("failed", "requested", 1), ("held", "", 3), ("abandoned", "", 1), ("?", "", 1),
])  # fmt: skip
def test_exit_codes_are_those_of_the_contract(status, reason, code):
    assert exit_code(status, reason) == code


SHRUNK = replace(CLEAN, accepted=182, staged=182, listings=182)
SHRUNK_WALK = [Category("fruit", 112, 112, True), Category("bread", 70, 70, True)]


def noted(judged):
    note = judged.figures["shortfall"]
    return Shortfall(note["listings"], datetime.fromisoformat(note["at"]), frozenset(note["missing"]), note["unseen"])


def test_a_shortfall_is_accepted_when_a_second_run_confirms_it():
    first = judge(counts=SHRUNK, walk=SHRUNK_WALK)
    assert (first.status, first.publishes) == ("partial", "seen")
    assert first.reason == "store_short: seen 182 listings, expected 194 (last complete 200)"
    second = judge(
        counts=SHRUNK, walk=SHRUNK_WALK, past=replace(PAST, shortfall=noted(first)), now=NOW + timedelta(hours=12)
    )
    assert (second.status, second.publishes) == ("complete", "all")
    assert second.reason.startswith("shortfall_confirmed: 182 listings")


def test_a_shortfall_is_not_confirmed_too_early_by_another_count_or_by_other_categories():
    past = replace(PAST, shortfall=Shortfall(182, NOW - timedelta(hours=12), frozenset()))
    assert judge(counts=SHRUNK, walk=SHRUNK_WALK, past=past).status == "complete"
    assert judge(counts=SHRUNK, walk=SHRUNK_WALK, past=past, now=NOW - timedelta(seconds=1)).status == "partial"
    for listings in (179, 185):
        other = replace(SHRUNK, listings=listings)
        assert judge(counts=other, walk=SHRUNK_WALK, past=past).status == "partial"
    without = replace(past, categories={**PAST.categories, "pet": (5,)})
    assert judge(counts=SHRUNK, walk=SHRUNK_WALK, past=without).status == "partial"
    known = replace(without, shortfall=replace(past.shortfall, missing=frozenset({"pet"})))
    assert judge(counts=SHRUNK, walk=SHRUNK_WALK, past=known).status == "complete"


def test_a_category_that_is_back_while_as_many_are_missing_elsewhere_confirms_nothing():
    before = Shortfall(182, NOW - timedelta(hours=12), frozenset({"pet"}))
    judged = judge(counts=SHRUNK, walk=SHRUNK_WALK, past=replace(PAST, shortfall=before))
    assert (judged.status, judged.figures["shortfall"]["at"]) == ("partial", NOW.isoformat())


def test_a_category_that_comes_and_goes_over_the_cap_is_not_a_shortfall():
    """Walked whole, or its first page and then its children: both are proofs, and neither lacks what the other saw."""
    uncapped = Category("pantry", 190, 190, True, children=("tea", "rice", "green"))
    capped = Category("pantry", 210, 48, False, capped=True, children=("tea", "rice"))
    tea, rice = Category("tea", 110, 110, True, children=("green",)), Category("rice", 100, 100, True)
    for walk, past in (
        ([capped, tea, rice], {"pantry": (190, 190, 190)}),
        ([uncapped], {"pantry": (48, 48, 48), "tea": (110,) * 3, "rice": (100,) * 3, "green": (0, 0, 50)}),
    ):
        assert judge(walk=walk, past=History(200, past)).reason == "finished"
    lost = replace(uncapped, children=("tea",))
    judged = judge(walk=[lost], past=History(200, {"pantry": (48,), "tea": (110,), "rice": (100,)}))
    assert judged.figures["missing"] == ["rice"]


@pytest.mark.parametrize(
    ("before", "listings", "status"),
    [(200, 198, "complete"), (200, 202, "complete"), (200, 197, "partial"), (20, 19, "complete"), (20, 18, "partial")],
)
def test_a_second_run_confirms_within_1_percent_or_one_listing(before, listings, status):
    past = History(300, shortfall=Shortfall(before, NOW - timedelta(hours=12), frozenset()))
    counts = Counts(listings, listings, listings=listings)
    assert judge(counts=counts, walk=[Category("all", listings, listings, True)], past=past).status == status


def test_an_early_repetition_does_not_delay_the_confirmation():
    past = PAST
    for hour in range(0, 12, 3):
        judged = judge(counts=SHRUNK, walk=SHRUNK_WALK, past=past, now=NOW + timedelta(hours=hour))
        assert judged.status == "partial"
        assert noted(judged) == Shortfall(182, NOW, frozenset())
        past = replace(PAST, shortfall=noted(judged))
    near = judge(counts=replace(SHRUNK, listings=183), walk=SHRUNK_WALK, past=past, now=NOW + timedelta(hours=11))
    assert noted(near) == Shortfall(182, NOW, frozenset())
    far = judge(counts=replace(SHRUNK, listings=189), walk=SHRUNK_WALK, past=past, now=NOW + timedelta(hours=11))
    assert noted(far) == Shortfall(189, NOW + timedelta(hours=11), frozenset())
    assert judge(counts=SHRUNK, walk=SHRUNK_WALK, past=past, now=NOW + timedelta(hours=12)).status == "complete"


RANGED = replace(CLEAN, ranged=200)
RENUMBERED = replace(RANGED, unseen=200, known=0, changed=0, median_ratio=None)


def test_a_full_turnover_is_a_shortfall_that_delists_nothing():
    judged = judge(counts=RENUMBERED)
    assert (judged.status, judged.publishes) == ("partial", "seen")
    assert judged.reason == "turnover: 200 of 200 ranged listings unseen, expected at most 40"
    assert noted(judged) == Shortfall(200, NOW, frozenset(), 200)


@given(st.integers(1, 400))
def test_exactly_80_percent_of_the_ranged_listings_seen_again_are_enough(twenties):
    """For any number that is divisible by five."""
    at_limit = replace(RANGED, ranged=10 * twenties, unseen=2 * twenties)
    assert judge(counts=at_limit).status == "complete"
    assert judge(counts=replace(at_limit, unseen=2 * twenties + 1)).status == "partial"


@pytest.mark.parametrize(("again", "status"), [(79, "partial"), (80, "complete"), (81, "complete"), (100, "complete")])
def test_79_percent_seen_again_are_a_shortfall_and_81_are_not(again, status):
    assert judge(counts=replace(RANGED, ranged=100, unseen=100 - again)).status == status


@pytest.mark.parametrize(
    ("share", "again", "status"), [(0.5, 50, "complete"), (0.5, 49, "partial"), (0.9, 81, "partial")]
)
def test_the_share_that_must_be_seen_again_is_a_setting(share, again, status):
    judged = judge(counts=replace(RANGED, ranged=100, unseen=100 - again), gates=Gates.of({"turnover_share": share}))
    assert judged.status == status


def test_one_ranged_listing_unseen_is_never_a_turnover():
    assert judge(counts=replace(RANGED, ranged=2, unseen=1)).status == "complete"
    assert judge(counts=replace(RANGED, ranged=2, unseen=2)).status == "partial"


@pytest.mark.parametrize(("hours", "status"), [(0, "partial"), (11.9, "partial"), (12, "complete"), (30, "complete")])
def test_a_turnover_is_confirmed_by_a_run_12_hours_after_the_first_and_no_sooner(hours, status):
    past = replace(PAST, shortfall=noted(judge(counts=RENUMBERED)))
    judged = judge(counts=RENUMBERED, past=past, now=NOW + timedelta(hours=hours))
    assert judged.status == status
    assert status == "complete" or noted(judged) == Shortfall(200, NOW, frozenset(), 200)


@pytest.mark.parametrize(
    ("unseen", "status"), [(197, "partial"), (198, "complete"), (202, "complete"), (203, "partial")]
)
def test_a_turnover_is_confirmed_within_1_percent_of_its_unseen_listings(unseen, status):
    past = replace(PAST, shortfall=Shortfall(200, NOW - timedelta(hours=12), frozenset(), 200))
    assert judge(counts=replace(RENUMBERED, unseen=unseen), past=past).status == status


def test_a_shortfall_without_a_turnover_confirms_none():
    before = Shortfall(182, NOW - timedelta(hours=12), frozenset())
    gone = replace(SHRUNK, ranged=200, unseen=200)
    assert judge(counts=gone, walk=SHRUNK_WALK, past=replace(PAST, shortfall=before)).status == "partial"


def test_a_turnover_confirms_no_other_shortfall_whose_listings_were_all_different():
    before = Shortfall(182, NOW - timedelta(hours=12), frozenset(), 200)
    cut = replace(SHRUNK, ranged=200, unseen=18)
    judged = judge(counts=cut, walk=SHRUNK_WALK, past=replace(PAST, shortfall=before))
    assert (judged.status, noted(judged)) == ("partial", Shortfall(182, NOW, frozenset(), None))


FIRST = History(company_usual=1000.0)


@pytest.mark.parametrize(
    ("listings", "status"), [(7, "partial"), (299, "partial"), (300, "complete"), (2000, "complete")]
)
def test_a_first_run_under_30_percent_of_the_companys_usual_is_a_shortfall(listings, status):
    counts = Counts(listings, listings, listings=listings)
    judged = judge(counts=counts, walk=[Category("all", listings, listings, True)], past=FIRST)
    assert judged.status == status
    if status == "partial":
        why = f"store_small: first run, seen {listings} listings, expected 300 (the company's usual 1000)"
        assert (judged.reason, judged.publishes) == (why, "seen")
        assert judged.figures["company_usual"] == 1000


def test_the_share_that_a_first_run_must_see_is_a_setting():
    counts, walk = Counts(299, 299, listings=299), [Category("all", 299, 299, True)]
    assert judge(counts=counts, walk=walk, past=FIRST, gates=Gates.of({"first_share": 0.29})).status == "complete"


def test_a_companys_very_first_store_is_judged_by_its_proofs_alone():
    assert (
        judge(counts=Counts(7, 7, listings=7), walk=[Category("all", 7, 7, True)], past=History()).status == "complete"
    )


def test_a_later_run_is_measured_by_the_store_and_not_by_the_company():
    past = History(200, PAST.categories, company_usual=10_000)
    assert judge(past=past).status == "complete"


@pytest.mark.parametrize(
    ("hours", "listings", "status"),
    [(11, 200, "partial"), (12, 200, "complete"), (12, 203, "partial"), (12, 197, "partial"), (12, 290, "partial")],
)
def test_a_small_first_run_is_confirmed_by_the_same_rule(hours, listings, status):
    walk = [Category("all", 200, 200, True)]
    first = judge(counts=Counts(200, 200, listings=200), walk=walk, past=FIRST)
    assert first.status == "partial"
    again = Counts(listings, listings, listings=listings, ranged=200)
    walk = [Category("all", listings, listings, True)]
    past = replace(FIRST, shortfall=noted(first))
    assert judge(counts=again, walk=walk, past=past, now=NOW + timedelta(hours=hours)).status == status


@pytest.mark.parametrize(
    ("unreadable", "unnamed", "status"),
    [
        (10, 0, "complete"),
        (11, 0, "failed"),
        (9, 1, "complete"),
        (0, 11, "failed"),
        (5, 6, "failed"),
        (200, 0, "failed"),
    ],
)
def test_more_than_5_percent_of_unreadable_rows_are_implausible(unreadable, unnamed, status):
    judged = judge(counts=replace(CLEAN, unreadable=unreadable, unnamed=unnamed))
    assert judged.status == status
    if status == "failed":
        assert judged.publishes == "nothing"
        assert judged.reason.startswith(f"implausible: the price or name of {unreadable + unnamed} of {200 + unnamed}")


def test_the_share_that_may_be_unreadable_is_a_setting_and_one_row_always_may():
    for gates in (Gates(unreadable_share=0.2), Gates.of({"unreadable_share": 0.2})):
        assert judge(counts=replace(CLEAN, unreadable=40), gates=gates).status == "complete"
        assert judge(counts=replace(CLEAN, unreadable=41), gates=gates).status == "failed"
    tiny, walk = Counts(3, 3, listings=3, unreadable=1), [Category("all", 3, 3, True)]
    assert judge(counts=tiny, walk=walk, past=History()).status == "complete"


def test_a_limited_crawl_of_unreadable_rows_publishes_nothing():
    judged = judge(counts=replace(CLEAN, unreadable=11, requested=True))
    assert (judged.status, judged.publishes) == ("failed", "nothing")


def test_no_earlier_shortfall_excuses_a_missing_proof():
    past = replace(PAST, shortfall=Shortfall(182, NOW - timedelta(hours=30), frozenset({"fruit", "bread", "pet"})))
    for judged in (
        judge(counts=SHRUNK, walk=[Category("fruit", 120, 112, True), Category("bread", 70, 70, True)], past=past),
        judge("shutdown", counts=SHRUNK, walk=SHRUNK_WALK, past=past),
        judge(counts=replace(SHRUNK, staged=181), walk=SHRUNK_WALK, past=past),
        judge(counts=replace(SHRUNK, crosses_flip=True), walk=SHRUNK_WALK, past=past),
    ):
        assert judged.status == "partial"
        assert "shortfall" not in judged.figures


keys = st.sampled_from(["a", "b", "c", "d"])
small = st.integers(-3, 130)
errors = st.none() | st.sampled_from(["blocked", "HTTP 500", "network_down", "catalogue_error", "", ":"])
walks = st.lists(
    st.builds(
        Category, keys, st.none() | small, small, st.booleans(), errors, st.booleans(),
        st.lists(keys, max_size=3).map(tuple), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip
counts_of = st.builds(
    Counts, small, small, small, small, small, small, st.none() | st.floats(), st.booleans(), st.booleans(), errors,
    st.booleans(), small, small, small, small,
)  # fmt: skip
times = st.datetimes(timezones=st.none() | st.just(UTC))
pasts = st.builds(
    History,
    st.none() | small,
    st.dictionaries(keys, st.lists(small, max_size=6).map(tuple)),
    st.none() | st.builds(Shortfall, small, times, st.frozensets(keys), st.none() | small),
    st.none() | st.floats(0, 200),
)
reasons = st.just("finished") | st.text(max_size=12)


@given(reasons, counts_of, walks, pasts, times)
def test_the_verdict_never_raises_and_its_figures_are_json(reason, counts, walk, past, now):
    judged = verdict(reason, counts, walk, past, now=now)
    assert judged.status in ("complete", "partial", "blocked", "failed")
    json.dumps(judged.figures, allow_nan=False)
    assert judged.reason
    publishes = {"complete": {"all"}, "partial": {"seen", "nothing"}}.get(judged.status, {"nothing"})
    assert judged.publishes in publishes
    if judged.status == "complete":
        assert reason == "finished"
        assert counts.error is None or not counts.error
        assert counts.staged == counts.accepted > 0
        assert walk


@given(walks, pasts.map(lambda past: replace(past, shortfall=None)), st.integers(0, 5), st.integers(1, 60))
def test_seeing_more_never_makes_a_complete_run_less(walk, past, index, more):
    before = judge(walk=walk, past=past)
    if before.status == "complete":
        better = [replace(c, seen=c.seen + more, ended=True) if i == index else c for i, c in enumerate(walk)]
        counts = replace(
            CLEAN, accepted=CLEAN.accepted + more, staged=CLEAN.staged + more, listings=CLEAN.listings + more
        )
        assert judge(counts=counts, walk=better, past=past).status == "complete"


@given(walks, st.integers(0, 5))
def test_losing_a_proof_never_makes_a_run_complete(walk, index):
    if judge(walk=walk).status != "complete":
        for harm in ({"failed": "HTTP 500"}, {"seen": -1, "ended": False}):
            worse = [replace(c, **harm) if i == index else c for i, c in enumerate(walk)]
            assert judge(walk=worse).status != "complete"


def test_a_chain_of_capped_categories_of_any_length_ends():
    chain = [Category(str(i), 10, 10, True, capped=True, children=(str(i + 1),)) for i in range(5000)]
    assert judge(walk=[*chain, Category("5000", 10, 10, True)], past=History()).status in ("complete", "partial")


def test_one_listing_short_in_each_of_many_categories_is_not_proven() -> None:
    walked = [Category(key=f"c{n}", expected=10, seen=9, ended=True) for n in range(20)]
    counts = Counts(accepted=180, staged=180, listings=180)
    judged = verdict("finished", counts, walked, History(), now=datetime(2026, 6, 3, tzinfo=UTC))
    assert (judged.status, judged.publishes) == ("partial", "seen")
    assert judged.reason.startswith("totals_short: 20 of 200")
