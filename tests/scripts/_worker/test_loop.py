"""The worker's loop: what it takes, what else it does, when it sleeps and when it ends."""

from datetime import timedelta

import pytest
from _worker import merging
from _worker.crawls import NotStarted

from models.database import engine as engines
from tests.support.schedules import change, company_of
from tests.support.storage import START, query, value
from tests.support.workers import MINUTE, Rig, at_once

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _merges_at_once(monkeypatch):
    monkeypatch.setattr(merging, "in_thread", at_once)


@pytest.fixture
def rig_of(sqlite_url):
    """Makes a worker whose company has stores, located just now unless `located` is False."""
    made = []

    def make(*codes, located=True, **options):
        engine = engines.create(sqlite_url)
        made.append(engine)
        if codes:
            company_of(engine, codes)
        rig = Rig(engine, **options)
        if located:
            rig.located()
        return rig

    yield make
    for engine in made:
        engine.dispose()


def stores_of(rig):
    return [crawl.store_code for crawl in rig.crawls.started]


# What is crawled ----------------------------------------------------------------------------------------------------


def test_stores_are_crawled_one_after_the_other_in_their_turn(rig_of):
    rig = rig_of("3", "1", "2")
    rig.stop.at = [START + HOUR]
    assert rig.run() == 0
    assert stores_of(rig) == ["1", "2", "3"]
    assert rig.crawls.most == 1
    assert {one["status"] for one in rig.reported("crawled")} == {"complete"}


def test_the_crawl_takes_the_lease_over_and_the_lease_is_shown_nowhere(rig_of):
    rig = rig_of("1", once=True, dev=True)
    assert rig.run() == 0
    [crawl] = rig.crawls.started
    assert (crawl.spider, set(crawl.arguments)) == ("aldi", {"store", "lease", "dev"})
    assert crawl.arguments["lease"] not in repr(rig.events) + repr(crawl)


def test_a_probe_is_crawled_with_its_pages(rig_of, monkeypatch):
    from _worker import schedule

    taking = schedule.take

    def probe(*arguments, **named):
        found = taking(*arguments, **named)
        object.__setattr__(found, "probe", 8)
        return found

    rig = rig_of("1", once=True)
    rig.crawls.ends["1"] = ("partial", "requested")
    monkeypatch.setattr(schedule, "take", probe)
    assert rig.run() == 0
    assert rig.crawls.started[0].arguments["probe"] == "8"
    assert rig.reported("crawled")[0]["probe"] == 8


def test_as_many_crawls_are_in_hand_as_there_is_room_for(rig_of):
    rig = rig_of("1", "2", "3", "4", "5")
    rig.crawls.places = 3
    rig.stop.at = [START + HOUR]
    assert rig.run() == 0
    assert (rig.crawls.most, sorted(rig.crawls.done)) == (3, ["1", "2", "3", "4", "5"])


def test_the_runs_row_counts_and_not_the_exit_code(rig_of, monkeypatch):
    rig = rig_of("1", once=True)
    rig.crawls.ends["1"] = ("failed", "empty_store: 0 rows")
    monkeypatch.setattr("tests.support.workers.exit_code", lambda *_: 0)
    assert rig.run() == 0
    [event] = rig.reported("crawled")
    assert (event["status"], event["reason"], event["requests"]) == ("failed", "empty_store: 0 rows", 7)


def test_a_crawl_without_a_run_gives_its_store_back_and_three_in_a_row_end_the_worker(rig_of):
    rig = rig_of("1", "2", "3", "4")
    rig.crawls.ends = dict.fromkeys("1234")
    assert rig.run() == 1
    assert len(rig.reported("not_begun")) == 3
    assert query(rig.engine, "SELECT fail_count, lease_token FROM stores ORDER BY id") == [(1, None)] * 3 + [(0, None)]


def test_a_crawl_that_cannot_be_started_is_reported_with_the_remedy(rig_of):
    rig = rig_of("1", once=True)
    rig.crawls.ends["1"] = NotStarted("no room on the disk: name another --logs folder")
    assert rig.run() == 1
    [event] = rig.reported("not_begun")
    assert event["told"] == "no room on the disk: name another --logs folder"
    assert value(rig.engine, "SELECT lease_token FROM stores") is None


# No store -----------------------------------------------------------------------------------------------------------


def test_without_a_store_it_reports_why_and_sleeps_until_the_next_frees_without_asking_the_database(rig_of):
    rig = rig_of("1", "2", "off")
    change(rig.engine, "off", is_online=False)
    for store, hours in (("1", 0), ("2", 1)):
        change(rig.engine, store, scheduled_at=START + hours * HOUR)
    rig.stop.at = [START + 4 * HOUR + MINUTE / 2]
    sent = rig.statements()
    assert rig.run() == 0
    first = rig.reported("idle")[0]
    assert first["reasons"] == {"scheduled": 2, "offline": 1}
    assert first["next_free_at"] == first["until"] == START + 4 * HOUR
    assert [when for when in sent if START < when < START + 4 * HOUR] == []
    assert rig.stop.waits[0] == (START, START + 4 * HOUR)
    assert stores_of(rig) == ["1"]


def test_once_with_nothing_to_do_exits_3(rig_of):
    rig = rig_of("1", once=True)
    change(rig.engine, "1", closed_at=START)
    assert rig.run() == 3
    assert rig.reported("idle")[0]["reasons"] == {"closed": 1}


def test_once_crawls_one_store_with_what_is_due(rig_of):
    rig = rig_of(located=False, once=True)
    rig.crawls.found = ("1", "2")
    assert rig.run() == 0
    assert stores_of(rig) == ["*", "1"]
    assert [each["event"] for each in rig.events[-2:]] == ["merging", "merged"]


def test_a_blocked_company_pauses(rig_of):
    rig = rig_of("1", "2")
    rig.crawls.ends["1"] = ("blocked", "blocked")
    rig.stop.at = [START + HOUR]
    assert rig.run() == 0
    [idle] = rig.reported("idle")
    assert (idle["reasons"], idle["until"]) == ({"blocked": 2}, START + 10 * MINUTE + HOUR)
    assert stores_of(rig) == ["1"]


def test_network_down_ends_with_5_within_one_store(rig_of):
    rig = rig_of("1", "2")
    rig.crawls.ends["1"] = ("failed", "network_down: category list: no answer")
    assert rig.run() == 5
    assert stores_of(rig) == ["1"]


def test_network_down_in_a_locator_ends_with_5_too(rig_of):
    rig = rig_of("1", located=False)
    rig.crawls.ends["*"] = ("failed", "network_down")
    assert rig.run() == 5
    assert stores_of(rig) == ["*"]


# Being asked to stop ------------------------------------------------------------------------------------------------


def test_a_signal_finishes_the_store_in_hand_and_is_reported_at_once(rig_of):
    rig = rig_of("1", "2")
    rig.stop.at = [START + MINUTE / 2]
    assert rig.run() == 0
    [event] = rig.reported("stopping")
    assert (event["at"], event["why"], event["in_hand"]) == (START + MINUTE / 2, "SIGTERM", ["1"])
    assert [one["status"] for one in rig.reported("crawled")] == ["complete"]
    assert stores_of(rig) == ["1"]


def test_a_signal_ends_a_sleep_at_once(rig_of):
    rig = rig_of()
    rig.stop.at = [START + MINUTE]
    assert rig.run() == 0
    assert rig.clock() == START + MINUTE


def test_a_second_signal_interrupts_the_crawl_whose_run_ends_partial_and_frees_the_store(rig_of):
    rig = rig_of("1", "2")
    rig.stop.at = [START + MINUTE / 2, START + MINUTE]
    assert rig.run() == 0
    assert query(rig.engine, "SELECT status, reason FROM crawl_runs WHERE store_code = '1'") == [
        ("partial", "shutdown")
    ]
    assert value(rig.engine, "SELECT lease_token FROM stores WHERE store_code = '1'") is None
    assert rig.clock() < START + 3 * MINUTE


def test_a_crawl_that_does_not_end_when_interrupted_is_killed_and_its_lease_is_reaped_by_the_next(rig_of):
    rig = rig_of("1")
    rig.crawls.heeds = False
    rig.stop.at = [START + MINUTE / 2, START + MINUTE]
    assert rig.run() == 0
    assert rig.reported("crawled")[0]["status"] == "running"
    rig.clock.now += 3 * HOUR
    rig.schedule.take()
    assert value(rig.engine, "SELECT status FROM crawl_runs WHERE store_code = '1'") == "abandoned"
    assert value(rig.engine, "SELECT fail_count FROM stores") == 1


# Locating -----------------------------------------------------------------------------------------------------------


def test_stores_are_located_where_there_is_no_complete_run_and_a_week_after_the_last(rig_of):
    rig = rig_of(located=False)
    rig.stop.at = [START + 7 * DAY + HOUR]
    assert rig.run() == 0
    assert [(each["store_id"], each["at"] - START) for each in rig.reported("crawling")] == [
        ("*", HOUR * 0),
        ("*", 7 * DAY + 10 * MINUTE),
    ]


@pytest.mark.parametrize("how", [("failed", "no_stores"), ("partial", "unanswered: x"), None])
def test_a_locator_that_fails_stops_no_crawl_and_is_not_tried_again_at_once(rig_of, how):
    rig = rig_of("1", "2", located=False)
    rig.crawls.ends["*"] = how
    rig.stop.at = [START + 7 * HOUR]
    assert rig.run() == 0
    assert stores_of(rig)[:3] == ["*", "1", "2"]
    first, second = [each["at"] for each in rig.reported("crawling") if each["store_id"] == "*"]
    ended = first + (10 * MINUTE if how else MINUTE)
    assert second == ended + 6 * HOUR


# Merging ------------------------------------------------------------------------------------------------------------


def test_groups_are_merged_when_a_complete_run_has_ended_at_most_every_half_hour_and_slots_follow(rig_of):
    rig = rig_of("1", "2", "3", "4", "5")
    rig.crawls.ends["5"] = ("failed", "x")
    rig.stop.at = [START + 2 * HOUR]
    assert rig.run() == 0
    began = [each["at"] - START for each in rig.reported("merging")]
    assert began == [10 * MINUTE, 40 * MINUTE]
    assert rig.reported("merged")[-1]["groups_after"] == 2  # 5 was never complete
    assert value(rig.engine, "SELECT count(*) FROM slot_dirty") == 0
    assert value(rig.engine, "SELECT count(*) FROM price_slots") > 0


def test_nothing_is_merged_where_no_run_was_complete(rig_of):
    rig = rig_of("1")
    rig.crawls.ends["1"] = ("failed", "x")
    rig.stop.at = [START + HOUR / 3]
    assert rig.run() == 0
    assert rig.reported("merging") == []


def test_a_merge_that_fails_is_reported_stops_no_crawl_and_is_tried_again_after_its_delay(rig_of, monkeypatch):
    from _worker import schedule

    def broken(*_arguments):
        raise ZeroDivisionError("no zone")

    monkeypatch.setattr(schedule, "merge", broken)
    rig = rig_of("1", "2", "3", "4", "5")
    rig.stop.at = [START + HOUR]
    assert rig.run() == 0
    assert [str(each["error"]) for each in rig.reported("not_merged")] == ["no zone"] * 2
    assert [each["at"] - START for each in rig.reported("merging")] == [10 * MINUTE, 40 * MINUTE]
    assert stores_of(rig) == ["1", "2", "3", "4", "5"]
