"""Which store next, and why not the others: each reason with its end."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from splitcart.periods import Flip, next_flip
from splitcart.scheduling.rule import REASONS, STATES, Company, Rules, Store, queue, state, why_not

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday noon in Sydney
FLIP = next_flip(Flip(), "Australia/Sydney", NOW)
RULES, FREE = Rules(), Company()
HOUR = timedelta(hours=1)


def store(code: str = "1", **facts) -> Store:
    return Store(**{"id": 1, "store_id": code, "last_scraped": NOW - 24 * HOUR} | facts)


HELD = {
    "closed": ({"closed_at": NOW - HOUR}, {}, None),
    "offline": ({"is_online": False}, {}, None),
    "blocked": ({}, {"paused_until": NOW + HOUR}, NOW + HOUR),
    "waiting": ({"next_try_at": NOW + HOUR}, {}, NOW + HOUR),
    "flip": ({"requests": 40 * 3600}, {}, FLIP),
    "scheduled": ({"scheduled_at": NOW - HOUR}, {}, NOW + 3 * HOUR),
    "leased": ({"lease_until": NOW + 0.01 * HOUR}, {}, NOW + 0.01 * HOUR),
}


def test_every_reason_is_tried_and_has_words():
    assert list(HELD) == list(REASONS)
    assert all(words.strip() for words in REASONS.values())


@pytest.mark.parametrize("reason", HELD)
def test_a_store_that_is_not_offered_has_a_reason_and_the_time_at_which_it_frees(reason):
    facts, company, until = HELD[reason]
    found = why_not(store(**facts), Company(**company), RULES, NOW)
    assert (found.reason, found.until) == (reason, until)
    assert found.words == REASONS[reason]
    if until is not None and reason != "flip":
        assert why_not(store(**facts), Company(**company), RULES, until) is None
        assert why_not(store(**facts), Company(**company), RULES, until - timedelta(microseconds=1)) is not None


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(HELD, 2)))
def test_of_two_reasons_the_one_that_ends_last_counts(one, other):
    facts, company = HELD[one][0] | HELD[other][0], HELD[one][1] | HELD[other][1]
    ends = {name: HELD[name][2] for name in (one, other)}
    found = why_not(store(**facts), Company(**company), RULES, NOW)
    never = [name for name in (one, other) if ends[name] is None]
    if never:
        assert (found.reason, found.until) == (never[0], None)
    else:
        last = max((one, other), key=lambda name: (ends[name], -list(REASONS).index(name)))
        assert (found.reason, found.until) == (last, ends[last])


def test_to_be_crawled_again_then_never_then_longest_ago_then_the_smaller_code_in_natural_order():
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
        assert [each.store_id for each in queue(some, FREE, RULES, NOW).offered] == wanted


def test_no_store_says_for_how_many_stores_each_reason_holds_and_when_the_next_frees():
    reasons = ("closed", "scheduled", "scheduled", "waiting")
    found = queue([store(str(i), **HELD[name][0]) for i, name in enumerate(reasons)], FREE, RULES, NOW)
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
    ("requests", "usual", "live", "rate", "held"),
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
    requests, usual, live, rate, held
):
    assert FLIP - NOW == 36 * HOUR
    company = Company(usual_requests=usual, live=live)
    found = why_not(store(requests=requests), company, Rules(rate=rate), NOW)
    assert (found is not None and found.reason == "flip") is held


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1.0}, {"rate": float("nan")}, {"lockout": -HOUR}])
def test_settings_that_cannot_be_meant_are_named(wrong):
    with pytest.raises(ValueError, match="want a rate above 0"):
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
def test_a_time_zone_that_is_none_keeps_no_store_from_being_judged(zone):
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
