"""Crawls that did not see everything, or saw it wrong: none of them is ever complete."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitcart.runs.verdict import Category
from tests.support.store_days import Crawl, Memory, Store, live_a_day, settled, without

PAGE = 36
SEEDS = range(12)


def copied(store):
    return {key: dict(skus) for key, skus in store.categories.items()}


def totals(store):
    return {key: len(skus) for key, skus in store.categories.items()}


def first(skus, count):
    return dict(list(skus.items())[:count])


def one_page_for_all_pages(store, memory, now, rng):
    seen = {key: first(skus, PAGE) for key, skus in copied(store).items()}
    return memory.crawl(seen, now, totals(store))


def one_page_for_all_pages_and_no_totals(store, memory, now, rng):
    crawl = one_page_for_all_pages(store, memory, now, rng)
    return replace(crawl, categories=[replace(c, expected=None, ended=True) for c in crawl.categories])


def the_cap(store, memory, now, rng):
    """The largest category shows four fifths of itself and has no children to prove it."""
    seen, key = copied(store), max(store.categories, key=lambda one: len(store.categories[one]))
    cap = len(seen[key]) * 4 // 5
    seen[key] = first(seen[key], cap)
    crawl = memory.crawl(seen, now, totals(store))
    return replace(crawl, categories=[replace(c, capped=c.key == key, ended=True) for c in crawl.categories])


def a_block_after_some_pages(store, memory, now, rng):
    seen = {key: first(skus, rng.randrange(0, PAGE * 3)) for key, skus in copied(store).items()}
    return without(memory.crawl(seen, now, totals(store)), error="blocked")


def a_block_that_only_a_category_reports(store, memory, now, rng):
    crawl = memory.crawl(copied(store), now, totals(store))
    return replace(crawl, categories=[*crawl.categories[:-1], replace(crawl.categories[-1], failed="blocked")])


def nine_percent_of_rows_gone(store, memory, now, rng):
    seen = {key: {sku: c for sku, c in skus.items() if rng.random() >= 0.09} for key, skus in copied(store).items()}
    return memory.crawl(seen, now, totals(store))


def nine_percent_of_rows_gone_and_their_totals(store, memory, now, rng):
    shrunk = copied(store)
    for skus in shrunk.values():
        for sku in rng.sample(sorted(skus), -(-len(skus) * 9 // 100)):
            del skus[sku]
    return memory.crawl(shrunk, now)


def one_row_in_a_hundred_lost_on_the_way_to_the_database(store, memory, now, rng):
    crawl = memory.crawl(copied(store), now)
    return without(crawl, staged=crawl.counts.staged * 99 // 100)


def a_row_refused_by_the_database(store, memory, now, rng):
    crawl = memory.crawl(copied(store), now)
    return without(crawl, staged=crawl.counts.staged - 1, quarantined=1)


def an_empty_store(store, memory, now, rng):
    return memory.crawl({key: {} for key in store.categories}, now)


def an_empty_tree(store, memory, now, rng):
    return memory.crawl({}, now)


def an_empty_category(store, memory, now, rng):
    seen = copied(store)
    seen[rng.choice([key for key, skus in seen.items() if len(skus) >= 3])] = {}
    return memory.crawl(seen, now)


def a_category_gone_from_the_tree(store, memory, now, rng):
    seen = copied(store)
    del seen[rng.choice(sorted(seen))]
    return memory.crawl(seen, now)


def half_of_the_tree(store, memory, now, rng):
    return memory.crawl(dict(list(copied(store).items())[::2]), now)


def doubled_prices(store, memory, now, rng):
    return memory.crawl({key: {s: 2 * c for s, c in skus.items()} for key, skus in copied(store).items()}, now)


def prices_in_dollars_taken_for_cents(store, memory, now, rng):
    return memory.crawl({k: {s: max(1, c // 100) for s, c in skus.items()} for k, skus in copied(store).items()}, now)


def the_prices_of_another_zone(store, memory, now, rng):
    other = {k: {s: round(c * rng.uniform(0.9, 1.1)) for s, c in skus.items()} for k, skus in copied(store).items()}
    return without(memory.crawl(other, now), flipped=False)


def an_end_before_the_end(store, memory, now, rng):
    reason = rng.choice(("shutdown", "closespider_timeout", "closespider_pagecount", "memusage_exceeded", "cancelled"))
    return replace(memory.crawl(copied(store), now), reason=reason)


def an_error(store, memory, now, rng):
    errors = (
        "store_mismatch",
        "network_down",
        "catalogue_error",
        "failed",
        "lease_lost",
        "blocked",
        "left_hosts",
        "unheard of",
    )
    return without(memory.crawl(copied(store), now), error=rng.choice(errors))


def a_flip_on_the_way(store, memory, now, rng):
    return without(memory.crawl(copied(store), now), crosses_flip=True)


def renumbered(store, share, rng):
    """What the site shows when that share of the listings has other skus."""
    return {
        key: {f"n{sku}" if rng.random() < share else sku: cents for sku, cents in skus.items()}
        for key, skus in copied(store).items()
    }


def every_sku_renumbered(store, memory, now, rng):
    return memory.crawl(renumbered(store, 1.0, rng), now)


def half_of_the_skus_renumbered(store, memory, now, rng):
    return memory.crawl(renumbered(store, 0.5, rng), now)


def totals_that_turn_0_midway(store, memory, now, rng):
    """From some request on the site gives every category a total of 0, which proves it."""
    seen, room = {}, len(store.prices()) * rng.uniform(0.02, 0.25)
    for key, skus in sorted(copied(store).items(), key=lambda one: len(one[1])):
        room -= len(skus)
        seen[key] = skus if room > 0 else {}
    return memory.crawl(seen, now)


def ten_percent_of_the_prices_unreadable(store, memory, now, rng):
    skus = sorted(store.prices())
    return memory.crawl(copied(store), now, unreadable=rng.sample(skus, -(-len(skus) // 10)))


def a_limit_by_the_operator(store, memory, now, rng):
    return without(memory.crawl(first(copied(store), 3), now), requested=True)


FAULTS = [
    one_page_for_all_pages,
    one_page_for_all_pages_and_no_totals,
    the_cap,
    a_block_after_some_pages,
    a_block_that_only_a_category_reports,
    nine_percent_of_rows_gone,
    nine_percent_of_rows_gone_and_their_totals,
    one_row_in_a_hundred_lost_on_the_way_to_the_database,
    a_row_refused_by_the_database,
    an_empty_store,
    an_empty_tree,
    an_empty_category,
    a_category_gone_from_the_tree,
    half_of_the_tree,
    doubled_prices,
    prices_in_dollars_taken_for_cents,
    the_prices_of_another_zone,
    an_end_before_the_end,
    an_error,
    a_flip_on_the_way,
    every_sku_renumbered,
    half_of_the_skus_renumbered,
    totals_that_turn_0_midway,
    ten_percent_of_the_prices_unreadable,
    a_limit_by_the_operator,
]
NEEDS_HISTORY = {
    one_page_for_all_pages_and_no_totals,
    nine_percent_of_rows_gone_and_their_totals,
    an_empty_category,
    a_category_gone_from_the_tree,
    half_of_the_tree,
    doubled_prices,
    prices_in_dollars_taken_for_cents,
    the_prices_of_another_zone,
    every_sku_renumbered,
    half_of_the_skus_renumbered,
    totals_that_turn_0_midway,
}
PUBLISH_NOTHING = {
    a_block_after_some_pages,
    a_block_that_only_a_category_reports,
    an_empty_store,
    an_empty_tree,
    doubled_prices,
    prices_in_dollars_taken_for_cents,
    the_prices_of_another_zone,
    ten_percent_of_the_prices_unreadable,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_crawl_with_this_fault_is_never_complete(fault):
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        judged = memory.judge(fault(store, memory, now, random.Random(seed)), now)
        assert judged.status != "complete", (seed, judged)
        assert judged.publishes == ("nothing" if fault in PUBLISH_NOTHING or judged.status != "partial" else "seen")
        assert judged.reason


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in NEEDS_HISTORY], ids=lambda fault: fault.__name__)
def test_a_first_run_with_this_fault_is_never_complete(fault):
    for seed in SEEDS:
        store, _, now = settled(seed, days=0, categories=30, largest=150)
        judged = Memory().judge(fault(store, Memory(), now, random.Random(seed)), now)
        assert judged.status != "complete", (seed, judged)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_remembered_shortfall_excuses_no_fault(fault):
    """The store really shrank and a first run noted it; the second run, which might confirm it, has a fault."""
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        store.cut(0.09)
        crawl = memory.crawl(copied(store), now)
        memory.keep(memory.judge(crawl, now), crawl, copied(store), now)
        assert memory.shortfall is not None
        now += timedelta(hours=20)
        assert memory.judge(fault(store, memory, now, random.Random(seed)), now).status != "complete", seed


def test_a_first_run_whose_totals_turn_0_midway_is_not_complete_if_other_stores_are_known():
    for seed in SEEDS:
        store, _, now = settled(seed, days=0, categories=30, largest=150)
        memory = Memory(company_usual=float(len(store.prices())))
        judged = memory.judge(totals_that_turn_0_midway(store, memory, now, random.Random(seed)), now)
        assert (judged.status, judged.reason.partition(":")[0]) == ("partial", "store_small"), seed


@pytest.mark.parametrize("share", [1.0, 0.5, 0.25])
def test_a_renumbering_is_accepted_12_hours_later_and_delists_after_20_more(share):
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        old, shown = memory.ranged & store.prices().keys(), renumbered(store, share, random.Random(seed))
        new = {sku for skus in shown.values() for sku in skus}
        ends = []
        for hours in (0, 6, 11, 13, 24, 36):
            at = now + timedelta(hours=hours)
            crawl = memory.crawl(shown, at)
            judged = memory.judge(crawl, at)
            memory.keep(judged, crawl, shown, at)
            ends.append((judged.status, not old.isdisjoint(memory.missing), old <= memory.ranged))
        waits, missing, delisted = ("partial", False, True), ("complete", True, True), ("complete", False, False)
        assert ends == [waits, waits, waits, missing, missing, delisted], (seed, ends)
        assert memory.ranged == new


def test_a_site_that_renumbers_at_every_crawl_is_never_complete():
    store, memory, now = settled(1, categories=30, largest=150)
    ranged = set(memory.ranged)
    for day in range(5):
        shown = {key: {f"{day}-{sku}": cents for sku, cents in skus.items()} for key, skus in copied(store).items()}
        crawl = memory.crawl(shown, now + timedelta(days=day))
        judged = memory.judge(crawl, now + timedelta(days=day))
        memory.keep(judged, crawl, shown, now + timedelta(days=day))
        assert judged.status == "partial", day
    assert memory.missing.keys().isdisjoint(store.prices())
    assert store.prices().keys() & ranged <= memory.ranged


def test_three_percent_of_unreadable_prices_are_seen_and_change_nothing():
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        skus = sorted(store.prices())
        unreadable = random.Random(seed).sample(skus, len(skus) * 3 // 100)
        before = {sku: memory.prices.get(sku) for sku in unreadable}
        crawl = memory.crawl(copied(store), now, unreadable=unreadable)
        judged = memory.judge(crawl, now)
        assert judged.status == "complete", (seed, judged)
        memory.keep(judged, crawl, copied(store), now)
        assert {sku: memory.prices.get(sku) for sku in unreadable} == before
        assert memory.missing.keys().isdisjoint(unreadable)
        assert set(unreadable) <= memory.ranged


def test_a_real_cut_of_nine_percent_is_accepted_at_the_second_run():
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        store.cut(0.09)
        statuses = []
        for hours in (0, 6, 12):
            crawl = memory.crawl(copied(store), now + timedelta(hours=hours))
            judged = memory.judge(crawl, now + timedelta(hours=hours))
            memory.keep(judged, crawl, copied(store), now + timedelta(hours=hours))
            statuses.append((judged.status, judged.publishes))
        assert statuses == [("partial", "seen"), ("partial", "seen"), ("complete", "all")]
        assert live_a_day(store, memory, now + timedelta(days=1)).reason == "finished"


def test_a_clean_crawl_of_the_same_stores_is_complete():
    for seed in SEEDS:
        store, memory, now = settled(seed, categories=30, largest=150)
        assert memory.judge(memory.crawl(copied(store), now), now).status == "complete", seed


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_a_run_that_saw_only_a_part_of_its_categories_is_never_complete(seed, shares):
    store = Store.of(seed, categories=12, largest=300)
    seen = {
        key: first(skus, round(share * len(skus)))
        for (key, skus), share in zip(copied(store).items(), shares, strict=True)
    }
    now = settled(seed, days=0, categories=1)[2]
    judged = Memory().judge(Memory().crawl(seen, now, totals(store)), now)
    lacks = [key for key, total in totals(store).items() if total - len(seen[key]) > max(1, 0.005 * total)]
    if lacks:
        assert judged.status != "complete"
        assert set(lacks) <= set(judged.figures["unproven"])


@pytest.mark.parametrize("page", [24, 30, 36, 48])
def test_a_missing_page_is_noticed_from_its_second_row_on(page):
    """The tolerance of one listing: a second page that never came is noticed from its second row on."""
    counts = Memory().crawl({"a": {str(i): 100 for i in range(page)}}, settled(0, days=0)[2]).counts
    for beyond, status in ((0, "complete"), (1, "complete"), (2, "partial"), (page, "partial")):
        crawl = Crawl(counts, [Category("a", page + beyond, page, False)])
        assert Memory().judge(crawl, settled(0, days=0)[2]).status == status
