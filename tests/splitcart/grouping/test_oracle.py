"""The fast rules give what brute force gives, on any small chain."""

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from splitcart.grouping.rules import Rules
from tests.support.grouping_oracle import Oracle
from tests.support.grouping_worlds import NOW, World, groups, store

IDS = ["1", "2", "3", "9", "10", "11", "20", "100", "S2", "S10"]
ZONES = ["Australia/Sydney", "Australia/Perth", "Australia/Adelaide"]
HOURS = st.sampled_from([1, 2, 30, 60, 71, 73, 200, None])


@st.composite
def lines(draw):
    """100 listings in one of three zones; a few prices deviate, and some listings are not ranged."""
    zone, off = draw(st.integers(0, 2)), draw(st.integers(0, 4))
    first = draw(st.integers(0, 97))
    gap = draw(st.sampled_from([0, 0, 0, 20, 45, 60]))
    prices = {i: (200 + (zone * 7 if i < 10 * zone else 0), None, None, None) for i in range(gap, 100)}
    for i in range(first, min(first + off, 100)):
        if i in prices:
            prices[i] = (200, None, 2, 300) if draw(st.booleans()) else (150, 200, None, None)
    return prices


@st.composite
def chains(draw):
    ids = draw(st.lists(st.sampled_from(IDS), min_size=2, max_size=9, unique=True))
    anchors = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True))
    stores, prices = [], {}
    for i in ids:
        own = draw(st.sampled_from([i, *anchors])) if i not in anchors else i
        own = draw(st.sampled_from([own, own, own, None, "gone"]))
        stores.append(
            store(
                i,
                own,
                hours=draw(HOURS),
                verified=draw(st.sampled_from([None, None, 1, 100])),
                closed=draw(st.sampled_from([False, False, False, False, True])),
                timezone=draw(st.sampled_from(ZONES)),
                touched_at=draw(st.sampled_from([None, None, NOW])),
            )
        )
        prices[i] = draw(lines())
    return stores, prices


@settings(max_examples=250, deadline=None)
@given(chains())
def test_the_fast_rules_equal_brute_force(chain):
    stores, prices = chain
    oracle = Oracle({s.store_code: s for s in stores}, prices, NOW)
    expected = oracle.run()
    found = World(prices).plan(stores)
    assert found.anchors == expected
    assert found.flagged == oracle.flagged


@settings(max_examples=100, deadline=None)
@given(chains(), st.integers(0, 999))
def test_any_order_of_rows_gives_the_same_groups(chain, seed):
    stores, prices = chain
    shuffled = random.Random(seed).sample(stores, len(stores))
    assert World(prices).plan(shuffled) == World(prices).plan(stores)


@settings(max_examples=100, deadline=None)
@given(chains())
def test_running_again_changes_nothing_and_no_two_fresh_anchors_match(chain):
    stores, prices = chain
    world = World(prices)
    first = world.plan(stores)
    moved = [store_in(s, first.anchors[s.store_code]) for s in stores]
    again = world.plan(moved)
    assert again.anchors == first.anchors
    assert (again.merged, again.ejected, again.passes) == (0, 0, 1)
    oracle = Oracle({s.store_code: s for s in moved}, prices, NOW, anchor=dict(first.anchors))
    assert oracle.best() is None


def store_in(old, anchor):
    fields = {name: getattr(old, name) for name in ("timezone", "closed", "touched_at", "verified_at")}
    return type(old)(store_code=old.store_code, anchor=anchor, complete_at=old.complete_at, **fields)


@settings(max_examples=60, deadline=None)
@given(chains())
def test_remembered_comparisons_decide_as_fresh_ones_do_and_load_nothing(chain):
    stores, prices = chain
    world = World(prices)
    first = world.plan(stores)
    moved = [store_in(s, first.anchors[s.store_code]) for s in stores]
    learned = world.last.learned(range(len(stores)))
    world.plan(moved)
    kept = dict(learned) | world.last.learned(range(len(stores)))
    world.loaded.clear()
    assert world.plan(moved, remembered=kept).anchors == first.anchors
    assert world.loaded == []


def test_the_setting_of_freshness_is_kept():
    stores = [store("1", hours=30), store("2", hours=30)]
    world = World({"1": [100] * 50, "2": [100] * 50})
    assert groups(world.plan(stores)) == {frozenset({"1", "2"})}
    short = Rules(fresh=timedelta(hours=24))
    assert len(groups(world.plan(stores, rules=short))) == 2
