"""The SQL of effective prices returns for every line what the rule in Python returns."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from models.groups import membership
from models.prices.queries import effective_prices, price_at
from models.tables import stores
from tests.support.storage import START, crawl, query, row

ZONES = {"1": "Australia/Sydney", "2": "Australia/Perth", "3": "Australia/Adelaide"}
LINES = 8


def live(engine: Engine, rng: random.Random) -> None:
    """Crawls of three stores at any hour, in changing groups, with prices that alternate between a few values."""
    now = START
    for store in ZONES:
        crawl(engine, shelf(rng), store=store, now=now)
        with engine.begin() as connection:
            connection.execute(update(stores).where(stores.c.store_code == store).values(timezone=ZONES[store]))
    for _ in range(14):
        now += timedelta(hours=rng.choice([1, 3, 9, 15, 26, 70]))
        event, store = rng.choice(["crawl"] * 5 + ["probe", "move"]), rng.choice(list(ZONES))
        if event == "crawl":
            crawl(engine, shelf(rng), store=store, now=now)
        elif event == "probe":
            seen = rng.sample(shelf(rng), 3)
            crawl(engine, seen, store=store, now=now, status="partial", reason="requested")
        else:
            move(engine, store, rng.choice(list(ZONES)), now)


def shelf(rng: random.Random) -> list[dict]:
    """Each line at one of two prices, unpriced or absent."""
    cents = [rng.choice([100, 100, 100, 100, 120, 120, None, 0]) for _ in range(LINES)]
    rows = [row(sku, price) for sku, price in enumerate(cents) if price != 0]
    return [row(99, 100), *rows, row(98, 100)]


def move(engine: Engine, store: str, to: str, now) -> None:
    """Puts a store into another's group, or into one of its own."""
    ids = dict(query(engine, "SELECT store_code, id FROM stores"))
    with engine.begin() as connection:
        places = membership.lock(connection, ids.values())
        place, target = places[ids[store]], places[ids[to]]
        has_no_members = not place.is_anchor or sum(p.anchor_id == place.store_id for p in places.values()) == 1
        if store == to:
            membership.leave(connection, place, now)
        elif has_no_members and target.is_anchor and target.anchor_id != place.anchor_id:
            membership.join(connection, place, target, now)


@pytest.mark.parametrize("seed", range(12))
def test_the_sql_returns_what_the_rule_returns(engine: Engine, seed: int) -> None:
    rng = random.Random(seed)
    live(engine, rng)
    ids = [i for (i,) in query(engine, "SELECT id FROM stores ORDER BY id")]
    after = START + timedelta(days=60)
    with engine.connect() as connection:
        found = list(effective_prices(connection, ids, after))
        for one in found:
            then = price_at(connection, one.store_id, one.listing_id, after)
            assert then is not None
            expected = (then.price_cents, then.source, then.observed_at)
            assert (one.price_cents, one.source, one.observed_at) == expected, (one, then)
    assert [(one.store_id, one.listing_id) for one in found] == sorted((one.store_id, one.listing_id) for one in found)
    assert all(one.flip_since for one in found)
