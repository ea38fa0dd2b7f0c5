"""Clean days raise no alarm: 2 to 6% churn a day, specials that flip by the week."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.support.store_days import START, Memory, Store, live_a_day


@pytest.mark.parametrize(
    ("categories", "largest"), [(30, 40), (40, 150)], ids=["a store of 400 listings", "a store of 1500 listings"]
)
def test_500_clean_days_give_at_most_one_percent_false_alarms(categories, largest):
    store, memory, now = Store.of(7, categories=categories, largest=largest), Memory(), START
    alarms = []
    for day in range(500):
        judged = live_a_day(store, memory, now)
        if judged.status != "complete":
            alarms.append((day, judged.reason))
        now += timedelta(days=1)
    assert len(alarms) <= 5, alarms


def test_an_alarm_on_a_clean_day_is_over_the_next_day():
    for seed in range(4):
        store, memory, now = Store.of(seed, categories=30, largest=40), Memory(), START
        statuses = []
        for _ in range(120):
            statuses.append(live_a_day(store, memory, now, leavers=0.5).status)
            now += timedelta(days=1)
        assert ("partial", "partial") not in set(pairwise(statuses))
        assert "failed" not in statuses


def test_a_store_not_crawled_for_weeks_is_not_implausible():
    store, memory, now = Store.of(3, categories=30, largest=40), Memory(), START
    assert live_a_day(store, memory, now).status == "complete"
    for day in range(1, 22):
        store.a_day(flip=day % 7 == 2, leavers=0.0)
    now += timedelta(days=22)
    crawl = memory.crawl(store.categories, now)
    assert crawl.counts.changed > 0.40 * crawl.counts.known
    assert memory.judge(crawl, now).status == "complete"
