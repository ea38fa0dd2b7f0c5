"""All stages together: any item comes out sound, or is dropped with a counted reason."""

import json
from dataclasses import fields
from datetime import UTC, datetime

import replay
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stage import Dropped
from splitcart_spiders.chains import aldi, coles, iga, woolworths
from splitcart_spiders.items import ProductItem
from tests.support.bounds import assert_bounded
from tests.support.mutations import json_values, mutated
from tests.support.records import APPLE, CHICKEN, COLES_MILK, CRUMPETS, IGA_MILK, OATS, SALMON, SPECIAL
from tests.support.stages import Tally

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SOUND = {"company": "IGA", "store_id": "32600", "sku": "31218", "name": "Milk", "price_cents": 335, "scraped_at": NOW}
JUNK = json_values | st.datetimes() | st.tuples(json_values) | st.integers(1, 1000) | st.sampled_from(["1l", "kg"])
ITEMS = st.dictionaries(st.sampled_from([field.name for field in fields(ProductItem)]), JUNK, max_size=6)


def staged(item, tally):
    """The item after every stage, or the drop."""
    try:
        for stage in replay.STAGES:
            item = stage(tally).process_item(item)
    except Dropped as drop:
        return drop
    return item


@given(junk=ITEMS)
def test_an_item_of_junk_comes_out_sound_or_is_dropped_with_a_reason(junk):
    tally = Tally()
    outcome = staged(ProductItem(**{**SOUND, **junk}), tally)
    if isinstance(outcome, Dropped):
        assert tally.short()[f"{outcome.stage}/{outcome.reason}"] == 1
    else:
        assert_sound(outcome)


def assert_sound(item):
    """What storage and every reader rely on."""
    assert_bounded(item)
    assert item.gtin is None or (len(item.gtin) == 14 and item.gtin.isdecimal())
    assert (item.multibuy_quantity is None) == (item.multibuy_total_cents is None)
    assert (item.unit_price is None) == (item.unit_of_measure is None)
    assert item.price_cents is not None or (item.unit_price, item.multibuy_quantity, item.offer_id) == (None,) * 3
    json.loads(replay.as_json(item))


CHAINS = {
    "woolworths": (woolworths, mutated(CRUMPETS)),
    "coles": (coles, mutated(COLES_MILK) | mutated(SALMON)),
    "aldi": (aldi, mutated(OATS) | mutated({**OATS, **CHICKEN})),
    "iga": (iga, mutated(IGA_MILK) | mutated({**IGA_MILK, **APPLE}) | mutated({**IGA_MILK, **SPECIAL})),
}


@given(data=st.data(), chain=st.sampled_from(sorted(CHAINS)))
def test_a_replay_of_mutated_records_adds_up_and_is_sound(data, chain):
    mapping, records = CHAINS[chain]
    shelf = replay.Replay(mapping, "1", NOW)
    shelf.body(data.draw(st.lists(records, max_size=5)))
    summary = shelf.summary()
    assert summary["read"] == summary["kept"] + sum(summary["dropped"].values())
    for item in shelf.ordered():
        assert_sound(item)
