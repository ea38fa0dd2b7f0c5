"""What a replay keeps of a store's records is, field by field, what the sandbox knows to be true of the store."""

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
import replay

from sandbox.chains.aldi import site
from sandbox.chains.coles import records as coles_records
from sandbox.chains.iga import goods
from sandbox.chains.iga import records as iga_records
from sandbox.chains.woolworths import records as woolworths_records
from sandbox.world import World

NOW = datetime(2026, 6, 6, tzinfo=UTC)
DAY = 3
RECORDS = {
    "woolworths": lambda world, store, line, state: woolworths_records.record(world, line, state, DAY, 1101),
    "coles": lambda world, store, line, state: coles_records.record(world, line, state),
    "aldi": lambda world, store, line, state: site._record(SimpleNamespace(world=world), line, state),
    "iga": lambda world, store, line, state: iga_records.record(line, store, state, goods.breadcrumb(world, line)),
}
NOT_FIELDS = {"category_path", "category_paths", "acceptable", "promo_only", "advert_only"}


@pytest.fixture(scope="module")
def world():
    return World(seed=5, products=1200, stores=2)


def replayed(world, chain, store):
    """The replay of every record that the store lists outside tobacco and the market."""
    state, catalogue = world.state(chain, store.store_code, DAY), world.catalogue(chain)
    lines = [line for line in catalogue.lines[: catalogue.main] if state.ranged[line.index]]
    shelf = replay.Replay(import_module(f"splitcart_spiders.chains.{chain}"), store.store_code, NOW)
    shelf.body([RECORDS[chain](world, store, line, state) for line in lines])
    return shelf


def online(world, chain):
    return next(store for store in world.stores(chain) if store.is_online)


def differences(item, truth):
    """Fields in which an item is neither what is true nor what may be read instead."""
    return {
        field: (getattr(item, field), value)
        for field, value in truth.items()
        if field not in NOT_FIELDS
        and getattr(item, field) != value
        and getattr(item, field) not in truth["acceptable"].get(field, [])
    }


@pytest.mark.parametrize("chain", RECORDS)
def test_every_field_of_every_record_is_true(world, chain):
    for store in filter(lambda store: store.is_online, world.stores(chain)):
        shelf = replayed(world, chain, store)
        truth = {row["sku"]: row for row in world.truth(chain, store.store_code, DAY)}
        assert shelf.products.keys() == truth.keys()
        assert shelf.dropped == {}
        wrong = {sku: found for sku, row in truth.items() if (found := differences(shelf.products[sku], row))}
        assert wrong == {}


@pytest.mark.parametrize("chain", sorted(RECORDS.keys() - {"woolworths"}))
def test_the_category_of_a_record_is_one_that_lists_it(world, chain):
    store = online(world, chain)
    shelf = replayed(world, chain, store)
    for row in world.truth(chain, store.store_code, DAY):
        assert shelf.products[row["sku"]].category_path in [tuple(path) for path in row["category_paths"]]


@pytest.mark.parametrize("chain", RECORDS)
def test_no_true_shelf_price_is_taken_for_a_conflict(world, chain):
    store = online(world, chain)
    events = replayed(world, chain, store).tally.counts
    assert events["splitcart/unit_price/conflict"] == 0
    assert events["splitcart/price/multibuy_not_better"] == 0
