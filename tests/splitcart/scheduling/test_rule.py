"""Which store is next, and why the others are not offered: each reason with its end."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from splitcart.periods import Flip, next_flip
from splitcart.scheduling.rule import REASONS, STATES, Company, Rules, Store, queue, state, why_not

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday noon in Sydney
FLIP = next_flip(Flip(), "Australia/Sydney", NOW)
RULES, FREE = Rules(), Company()
HOUR = timedelta(hours=1)


def store(code: str = "1", **facts) -> Store:
    return Store(**{"id": 1, "store_code": code, "last_scraped": NOW - 24 * HOUR} | facts)


NOT_OFFERED = {
    "closed": ({"closed_at": NOW - HOUR}, {}, None),
    "offline": ({"is_online": False}, {}, None),
    "blocked": ({}, {"paused_until": NOW + HOUR}, NOW + HOUR),
    "waiting": ({"next_try_at": NOW + HOUR}, {}, NOW + HOUR),
    "flip": ({"requests": 40 * 3600}, {}, FLIP),
    "scheduled": ({"scheduled_at": NOW - HOUR}, {}, NOW + 3 * HOUR),
    "leased": ({"lease_until": NOW + 0.01 * HOUR}, {}, NOW + 0.01 * HOUR),
}


def test_every_reason_is_tried_and_has_words():
    assert list(NOT_OFFERED) == list(REASONS)
    assert all(words.strip() for words in REASONS.values())


@pytest.mark.parametrize("reason", NOT_OFFERED)
def test_a_store_that_is_not_offered_has_a_reason_and_the_time_at_which_it_frees(reason):
    facts, company, until = NOT_OFFERED[reason]
    found = why_not(store(**facts), Company(**company), RULES, NOW)
    assert (found.reason, found.until) == (reason, until)
    assert found.words == REASONS[reason]
    if until is not None and reason != "flip":
        assert why_not(store(**facts), Company(**company), RULES, until) is None
        assert why_not(store(**facts), Company(**company), RULES, until - timedelta(microseconds=1)) is not None


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(NOT_OFFERED, 2)))
def test_the_reason_that_ends_last_is_given(one, other):
    facts, company = NOT_OFFERED[one][0] | NOT_OFFERED[other][0], NOT_OFFERED[one][1] | NOT_OFFERED[other][1]
    ends = {name: NOT_OFFERED[name][2] for name in (one, other)}
    found = why_not(store(**facts), Company(**company), RULES, NOW)
    never = [name for name in (one, other) if ends[name] is None]
    if never:
        assert (found.reason, found.until) == (never[0], None)
    else:
        last = max((one, other), key=lambda name: (ends[name], -list(REASONS).index(name)))
        assert (found.reason, found.until) == (last, ends[last])


def test_order_is_needs_rescraping_then_never_crawled_then_oldest_then_the_smaller_code_in_natural_order():
    old, older = NOW - 24 * HOUR, NOW - 48 * HOUR
    stores = [
        store("S10", last_scraped=None),
        store("S2", last_scraped=None),
        store("9", last_scraped=old),
        store("10", last_scraped=old),
        store("11", last_scraped=older),
        store("30", last_scraped=old, needs_rescraping=True),
        store("31", last_scraped=None, needs_rescraping=True),
    ]
    wanted = ["31", "30", "S2", "S10", "11", "9", "10"]
    for some in (stores, stores[::-1]):
        assert [each.store_code for each in queue(some, FREE, RULES, NOW).offered] == wanted


def test_an_empty_queue_counts_the_stores_for_each_reason_and_gives_when_the_next_frees():
    reasons = ("closed", "scheduled", "scheduled", "waiting")
    found = queue([store(str(i), **NOT_OFFERED[name][0]) for i, name in enumerate(reasons)], FREE, RULES, NOW)
    assert found.offered == ()
    assert found.reasons == {"scheduled": 2, "closed": 1, "waiting": 1}
    assert found.next_free_at == NOW + HOUR
    assert queue([], FREE, RULES, NOW).next_free_at is None
    assert queue([store(closed_at=NOW)], FREE, RULES, NOW).next_free_at is None


def test_the_lock_out_is_a_setting():
    handed = store(scheduled_at=NOW - HOUR)
    assert why_not(handed, FREE, Rules(lockout=HOUR), NOW) is None
    assert why_not(handed, FREE, Rules(lockout=2 * HOUR), NOW).until == NOW + HOUR


@pytest.mark.parametrize(
    ("requests", "usual", "live", "rate", "crosses"),
    [
        (36 * 3600 - 1, None, 0, 1.0, False),
        (36 * 3600, None, 0, 1.0, True),
        (18 * 3600, None, 0, 1.0, False),
        (18 * 3600, None, 1, 1.0, True),
        (18 * 3600, None, 1, 2.0, False),
        (None, 36 * 3600, 0, 1.0, True),
        (10, 36 * 3600, 0, 1.0, False),
        (None, None, 9, 1.0, False),
    ],
)
def test_a_crawl_is_expected_to_last_its_last_requests_at_its_live_share_else_the_companys_median(
    requests, usual, live, rate, crosses
):
    assert FLIP - NOW == 36 * HOUR
    company = Company(usual_requests=usual, live=live)
    found = why_not(store(requests=requests), company, Rules(rate=rate), NOW)
    assert (found is not None and found.reason == "flip") is crosses


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1.0}, {"rate": float("nan")}, {"lockout": -HOUR}])
def test_a_setting_out_of_its_range_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="must be above 0"):
        Rules(**wrong)


def test_the_flip_is_the_stores_own():
    crawl = {"requests": 36 * 3600}
    assert why_not(store(**crawl), FREE, RULES, NOW).until == FLIP
    assert why_not(store(timezone="Australia/Perth", **crawl), FREE, RULES, NOW) is None


def test_a_store_that_would_free_shortly_before_the_flip_frees_with_it():
    waits = store(next_try_at=FLIP - HOUR, requests=2 * 3600)
    found = why_not(waits, FREE, RULES, NOW)
    assert (found.reason, found.until) == ("waiting", FLIP)
    assert why_not(waits, FREE, RULES, FLIP - HOUR).reason == "flip"
    assert why_not(waits, FREE, RULES, FLIP) is None


@pytest.mark.parametrize("requests", [7 * 86_400, 10**12])
def test_a_crawl_that_no_period_is_long_enough_for_does_not_wait_for_ever(requests):
    assert why_not(store(requests=requests), FREE, RULES, NOW) is None


@pytest.mark.parametrize("zone", ["", "Nowhere/None", "AUS Eastern Standard Time"])
def test_a_store_with_an_unknown_time_zone_is_judged_by_the_default_zone(zone):
    assert why_not(store(timezone=zone, requests=40 * 3600), FREE, RULES, NOW).until == FLIP
    assert state(store(timezone=zone), FREE, NOW) == "fresh"


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"last_scraped": None}, "never"),
        ({}, "fresh"),
        ({"needs_rescraping": True}, "stale"),
        ({"last_scraped": NOW - timedelta(days=6)}, "stale"),
        ({"last_scraped": NOW - timedelta(days=6), "verified_at": NOW - HOUR}, "fresh"),
        ({"fail_count": 1}, "failing"),
        ({"last_scraped": None, "fail_count": 1}, "failing"),
        ({"lease_until": NOW + HOUR, "fail_count": 1}, "running"),
        ({"lease_until": NOW}, "fresh"),
        ({"closed_at": NOW - HOUR, "lease_until": NOW + HOUR}, "closed"),
    ],
)
def test_the_state_of_a_store(facts, wanted):
    assert state(store(**facts), FREE, NOW) == wanted
    assert wanted in STATES


GROUPS = Rules(policy="groups")
SINCE = FLIP - timedelta(days=7)


def member(code: str, *, looked, anchor_scraped=NOW - HOUR, **facts) -> Store:
    """A member of store 1's group that was crawled in full a month ago and probed since."""
    member = {
        "anchor": "1",
        "anchor_scraped": anchor_scraped,
        "last_scraped": NOW - timedelta(days=30),
        "requests": 727,
    }
    return store(code, **member | {"verified_at": looked} | facts)


def order(*stores: Store, rules: Rules = GROUPS, now: datetime = NOW) -> list[str]:
    return [each.store_code for each in queue(stores, FREE, rules, now).offered]


def test_with_groups_anchors_and_stores_alone_are_crawled_in_full_and_members_that_are_due_are_probed():
    anchor = store("1", anchor="1", followers=2, last_scraped=SINCE - HOUR)
    alone = store("7", anchor="7", last_scraped=SINCE - 2 * HOUR)
    due = member("2", looked=SINCE - HOUR)
    found = queue([due, alone, anchor], FREE, GROUPS, NOW)
    assert [each.store_code for each in found.offered] == ["1", "7", "2"]
    assert found.probes == {"2": 78}
    assert queue([due, alone, anchor], FREE, RULES, NOW).probes == {}


@pytest.mark.parametrize("facts", [{"needs_rescraping": True}, {"last_scraped": None}], ids=["flagged", "never"])
def test_with_groups_a_member_to_be_crawled_again_or_never_crawled_comes_first_and_in_full(facts):
    wanted, anchor = member("2", looked=None, **facts), store("1", anchor="1", followers=1, last_scraped=SINCE - HOUR)
    found = queue([anchor, wanted], FREE, GROUPS, NOW)
    assert [each.store_code for each in found.offered] == ["2", "1"]
    assert found.probes == {}


def test_after_a_flip_the_anchor_of_most_stores_comes_first_and_members_once_their_anchor_was_crawled():
    small = store("1", anchor="1", followers=1, last_scraped=NOW - timedelta(days=6))
    large = store("5", anchor="5", followers=9, last_scraped=NOW - timedelta(days=6))
    waits, knows = member("2", looked=NOW - HOUR), member("6", looked=NOW - HOUR, anchor="5")
    soon = FLIP + HOUR
    anchored = replace(knows, anchor_scraped=FLIP + 0.5 * HOUR)
    found = queue([waits, anchored, small, large], FREE, GROUPS, soon)
    assert [each.store_code for each in found.offered] == ["5", "1", "6", "2"]
    assert found.probes == {"6": 78}  # what is known of store 2 is from before the flip


def test_a_store_is_due_again_after_a_day_or_three_and_the_longest_due_comes_first():
    anchor = store("1", anchor="1", followers=1, last_scraped=NOW - 25 * HOUR)  # for an hour
    early, late = (member(code, looked=NOW - timedelta(days=3, hours=n)) for code, n in (("2", 2), ("3", 0.5)))
    alone = store("7", last_scraped=NOW - timedelta(days=2.9))
    assert order(anchor, early, late, alone) == ["2", "1", "3", "7"]


def test_an_anchor_of_ten_stores_that_is_due_goes_before_all_and_one_of_nine_does_not():
    flagged, new = store("8", needs_rescraping=True), store("9", last_scraped=None)
    anchors = [store(str(n), anchor=str(n), followers=n, last_scraped=NOW - 25 * HOUR) for n in (11, 10, 9)]
    anchors.append(store("20", anchor="20", followers=20, last_scraped=NOW - 23 * HOUR))
    assert order(flagged, new, *anchors[:2], *anchors[3:]) == ["11", "10", "8", "9", "20"]
    assert order(flagged, new, anchors[2]) == ["8", "9", "9"]


def test_a_member_is_probed_a_day_after_its_own_crawl_and_then_every_three():
    crawled = member("2", looked=None, last_scraped=NOW - 25 * HOUR)
    verified = replace(crawled, last_scraped=NOW - 50 * HOUR, verified_at=NOW - 25 * HOUR)
    assert queue([crawled], FREE, GROUPS, NOW).probes == {"2": 78}
    assert queue([verified], FREE, GROUPS, NOW).probes == {}


def test_stores_that_are_not_due_come_last_and_a_member_among_them_is_crawled_in_full():
    fresh = member("2", looked=NOW - timedelta(days=1))
    older = member("3", looked=NOW - timedelta(days=1), last_scraped=NOW - timedelta(days=40))
    found = queue([fresh, older, member("4", looked=SINCE - HOUR)], FREE, GROUPS, NOW)
    assert [each.store_code for each in found.offered] == ["4", "3", "2"]
    assert found.probes == {"4": 78}


def test_a_hand_out_counts_as_a_look_whatever_its_probe_settled():
    handed = member("2", looked=SINCE - HOUR, scheduled_at=NOW - 50 * HOUR)
    assert queue([handed], FREE, GROUPS, NOW).probes == {}
    assert queue([replace(handed, scheduled_at=SINCE - HOUR)], FREE, GROUPS, NOW).probes == {"2": 78}


def test_a_probe_is_expected_to_take_its_pages_and_the_tree():
    late = FLIP - timedelta(seconds=81)
    probed = member("2", looked=SINCE - HOUR, anchor_scraped=late - HOUR)
    assert why_not(probed, FREE, GROUPS, late) is None
    assert why_not(probed, FREE, GROUPS, late + timedelta(seconds=1)).reason == "flip"
    assert why_not(probed, FREE, RULES, late).reason == "flip"


def test_without_groups_both_policies_have_one_order():
    some = [store(str(n), last_scraped=NOW - n * 9 * HOUR) for n in range(1, 40)]
    assert order(*some) == order(*some, rules=RULES)


def test_a_policy_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="policy 'newest': one of oldest, groups"):
        Rules(policy="newest")
