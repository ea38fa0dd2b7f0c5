"""Grouping the sandbox's chains: groups are the zones, and no price row is written."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from models.database import engine as engines
from models.groups.merging import Merger
from models.tables import companies
from sandbox.world import World
from splitcart.grouping.columns import column
from splitcart.grouping.rules import Rules, Store
from tests.support import grouping_worlds
from tests.support.group_chain import lay
from tests.support.storage import query, value

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
CHAINS = ("woolworths", "coles", "aldi", "iga")
TIMEZONES = ("Australia/Sydney", "Australia/Perth", "Australia/Adelaide")


def pair_f1(groups: dict[str, str], zones: dict[str, int]) -> float:
    """F1 over pairs of stores: being in one group as a prediction of being in one zone."""

    def pairs(counts) -> int:
        return sum(n * (n - 1) // 2 for n in counts)

    both = pairs(Counter((groups[s], zones[s]) for s in zones).values())
    proposed, true = pairs(Counter(groups[s] for s in zones).values()), pairs(Counter(zones.values()).values())
    return 2 * both / (proposed + true)


def in_memory(world: World, chain: str, day: int, noise: float = 0.0, **facts) -> tuple[dict, dict]:
    """(group by store, zone by store) of one chain's stores, decided by the rules alone."""
    ids, _, *tables = world.prices_array(chain, day)
    rng = np.random.default_rng(day)
    seen = grouping_worlds.World({})
    for number, store in enumerate(ids):
        at = np.flatnonzero(tables[0][number] >= 0)
        price, *rest = (t[number][at] for t in tables)
        price = np.where(rng.random(len(at)) < noise, price + 1, price)
        none = np.full(len(at), -1)
        seen.columns[store] = column(at, price, none + 1, *rest, none, none, none)
    stores = [
        Store(store_code=s, anchor=s, complete_at=AT, timezone=TIMEZONES[i % 3], **facts) for i, s in enumerate(ids)
    ]
    found = seen.plan(stores, now=AT + timedelta(hours=1))
    return found.anchors, {s: world.zone_of(chain, s) for s in ids}


@pytest.mark.parametrize("day", [0, 3])
@pytest.mark.parametrize("chain", CHAINS)
def test_groups_are_the_zones_if_zones_are_separable(chain, day):
    world = World(seed=5, products=1200, stores=40, zones=5)
    groups, zones = in_memory(world, chain, day)
    assert pair_f1(groups, zones) >= 0.99


def test_noise_over_the_threshold_keeps_stores_apart():
    world = World(seed=5, products=1200, stores=12, zones=2)
    groups, _ = in_memory(world, "coles", 0, noise=0.05)
    assert len(set(groups.values())) == 12


def written(engine) -> list:
    """All rows that only a store's own runs write."""
    tables = {"prices": "1, 2", "price_changes": "1, 2, 3", "sightings": "1, 2"}
    return [query(engine, f"SELECT * FROM {name} ORDER BY {order}") for name, order in tables.items()]


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """200 stores in 10 zones, merged; with what their runs had written before."""
    world = World(seed=1, products=400, stores=200, zones=10)
    engine = engines.create(f"sqlite:///{tmp_path_factory.mktemp('worlds')}/w.db")
    lay(engine, "coles", world.prices_array("coles", 0), AT, timezones=TIMEZONES)
    before = written(engine)
    with engine.connect() as connection:
        company = connection.execute(select(companies)).one()
    merger = Merger(engine, company, Rules(), lambda: AT + timedelta(hours=1))
    yield world, engine, before, merger.run(), company
    engine.dispose()


def test_two_hundred_stores_fall_into_their_zones_and_no_price_row_is_written(merged):
    world, engine, before, summary, _ = merged
    sql = "SELECT s.store_code, m.group_id FROM store_group_memberships m JOIN stores s ON s.id = m.store_id"
    groups = dict(query(engine, sql))
    assert pair_f1(groups, {s: world.zone_of("coles", s) for s in groups}) >= 0.99
    assert (summary.groups_before, summary.groups_after) == (200, len(set(groups.values())))
    assert written(engine) == before
    assert value(engine, "SELECT count(*) FROM prices") > 200 * 200


def test_a_second_merge_does_not_widen_again(merged):
    _, engine, before, summary, company = merged
    assert [d for d in summary.decisions if d.action == "widened"]
    state = query(engine, "SELECT store_id, group_id FROM store_group_memberships ORDER BY 1")
    again = Merger(engine, company, Rules(), lambda: AT + timedelta(hours=2)).run()
    assert (again.merged, again.ejected, again.put_off) == (0, 0, 0)
    assert query(engine, "SELECT store_id, group_id FROM store_group_memberships ORDER BY 1") == state
    assert not [d for d in again.decisions if d.action == "widened"]
    assert written(engine) == before
