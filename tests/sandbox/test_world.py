"""The world is the same for the same seed, and as varied as real shelves are."""

import re

import numpy as np
import pytest

from sandbox.goods import barcodes
from sandbox.sites import sites
from sandbox.world import World
from tests.support.naive import digit_holds

CHAINS = tuple(sites())


def rows(world, chain, day=0, store=0):
    return world.truth(chain, world.stores(chain)[store].store_code, day)


@pytest.mark.parametrize("chain", CHAINS)
def test_the_same_seed_gives_the_same_world_and_another_gives_another(chain):
    one, two, other = World(seed=7, products=80), World(seed=7, products=80), World(seed=8, products=80)
    assert one.stores(chain) == two.stores(chain)
    rows(two, chain, day=5)  # what was asked before does not matter
    assert rows(one, chain, day=3) == rows(two, chain, day=3)
    assert rows(one, chain, day=3) != rows(other, chain, day=3)


@pytest.mark.parametrize("chain", CHAINS)
def test_more_stores_change_no_price_and_no_catalogue(chain):
    few, many = World(seed=7, products=80, stores=2, zones=1), World(seed=7, products=80, stores=9, zones=1)
    assert rows(few, chain) == rows(many, chain)


def test_stores_stand_in_three_time_zones_and_have_ids_of_their_chain():
    world = World(stores=40)
    forms = {"woolworths": r"\d{4}", "coles": r"\d{3,4}", "aldi": r"G\d{3}", "iga": r"\d{5}"}
    for chain in CHAINS:
        stores = world.stores(chain)
        assert len({store.store_code for store in stores}) == 40
        assert len({store.timezone for store in stores[:4]}) >= 3
        assert all(re.fullmatch(forms[chain], store.store_code) for store in stores)
    assert len({store.timezone for store in world.stores("iga")}) >= 8


@pytest.mark.parametrize("chain", CHAINS)
def test_skus_and_names_identify_products(chain):
    lines = World(seed=2, products=3000).catalogue(chain).lines
    assert len({line.sku for line in lines}) == len(lines)
    main = [line for line in lines if line.section == "main"]
    assert len(main) == 3000
    assert len({(line.brand, line.good.words, line.good.size, line.good.count) for line in main}) == 3000


def test_barcodes_are_true_but_for_a_few_and_chains_share_them():
    world = World(seed=2, products=1500)
    kept = {chain: {row["gtin"] for row in rows(world, chain)} - {None} for chain in ("woolworths", "iga")}
    assert all(digit_holds(code) and len(code) == 14 for codes in kept.values() for code in codes)
    assert len(kept["woolworths"] & kept["iga"]) > 100
    raw = [line.barcode for line in world.catalogue("woolworths").lines if line.barcode and len(line.barcode) == 13]
    assert 0 < sum(not digit_holds(code) for code in raw) < len(raw) * 0.03


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("9310043003014", "09310043003014"),
        ("9310043003015", None),
        ("0265178000003", None),
        ("2000000000008", None),
        ("9300633963583", "09300633963583"),
        ("0000000000000", None),
        ("19310043003011", None),
        ("012345678905", "00012345678905"),
        ("notfound", None),
        (None, None),
    ],
)
def test_a_barcode_is_kept_only_when_it_names_a_good(code, right):
    assert barcodes.kept(code, "1") == right
    assert barcodes.kept(code, code or "") is None


@pytest.mark.parametrize("chain", ["woolworths", "coles", "iga"])
def test_specials_flip_on_wednesdays_and_little_changes_between(chain):
    world = World(seed=3, products=1500, stores=1)
    shares = []
    for day in range(1, 14):
        a, b = world.prices_array(chain, day - 1), world.prices_array(chain, day)
        both = (a[2] >= 0) & (b[2] >= 0)
        shares.append(float(((a[2] != b[2]) & both).sum() / both.sum()))
    assert shares[6] > 0.2
    assert max(share for day, share in enumerate(shares, 1) if day != 7) < 0.03


@pytest.mark.parametrize("chain", CHAINS)
def test_the_arrays_agree_with_the_truth(chain):
    world = World(seed=4, products=300, stores=3, noise=0.05)
    codes, skus, price, was, quantity, total = world.prices_array(chain, 2)
    for place, store_code in enumerate(codes):
        if not world.store(chain, store_code).is_online:
            continue
        truth = {row["sku"]: row for row in world.truth(chain, store_code, 2)}
        for column, sku in enumerate(skus):
            row = truth.get(sku)
            assert (row is not None) == (price[place, column] >= 0)
            if row and row["price_cents"] is not None:
                seen = [
                    row[name]
                    for name in ("price_cents", "was_price_cents", "multibuy_quantity", "multibuy_total_cents")
                ]
                held = [array[place, column] for array in (price, was, quantity, total)]
                assert [-1 if value is None else value for value in seen] == held


@pytest.mark.parametrize("chain", ["woolworths", "coles", "iga"])
def test_stores_of_a_zone_differ_by_the_noise_and_zones_by_much_more(chain):
    world = World(seed=5, products=2000, stores=6, zones=2, noise=0.01)
    codes, _, price, *_ = world.prices_array(chain, 0)
    zones = [world.zone_of(chain, store_code) for store_code in codes]
    assert set(zones) == {0, 1}
    for a in range(6):
        for b in range(a):
            both = (price[a] >= 0) & (price[b] >= 0)
            share = ((price[a] != price[b]) & both).sum() / both.sum()
            assert share < 0.03 if zones[a] == zones[b] else share > 0.15


def test_without_noise_stores_of_a_zone_are_equal():
    world = World(seed=5, products=500, stores=4, zones=1, noise=0.0)
    _, _, price, was, *_ = world.prices_array("coles", 0)
    for a in range(1, 4):
        both = (price[a] >= 0) & (price[0] >= 0)
        assert np.array_equal(price[a][both], price[0][both])
        assert np.array_equal(was[a][both], was[0][both])


def test_ranges_run_from_a_third_to_all_lines_and_goods_come_and_go():
    world = World(seed=6, products=1000, stores=20)
    _, _, price, *_ = world.prices_array("woolworths", 0)
    shares = (price >= 0).mean(axis=1)
    assert shares.min() < 0.55
    assert shares.min() > 0.2
    assert shares.max() > 0.95
    first, later = rows(world, "woolworths", 0), rows(world, "woolworths", 40)
    assert {row["sku"] for row in first} ^ {row["sku"] for row in later}
    assert any(not row["is_available"] and row["price_cents"] is None for row in first)


def test_some_products_stand_under_promotions_only():
    world = World(seed=1, products=800, range_low=1.0)
    roots = {"woolworths": "Dinner", "coles": "Down Down", "aldi": "Limited Time Only"}
    for chain, root in roots.items():
        alone = [row for row in rows(world, chain) if row["promo_only"]]
        assert alone
        assert {row["category_paths"][0][0] for row in alone} == {root}


def test_a_store_that_does_not_sell_online_has_no_truth():
    world = World(seed=1, products=50, stores=8)
    offline = [store for store in world.stores("iga") if not store.is_online]
    assert offline
    assert world.truth("iga", offline[0].store_code, 0) == []
