"""Groups in the database: whatever joins, leaves, is put out, re-anchored or reset, no price is written or lost."""

import contextlib
import itertools
import json
import random

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update

from models.database import engine as engines
from models.errors import RollbackRefused
from models.lines import sightings
from models.prices import history as price_history
from models.prices.queries import effective_prices, price_at
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from models.tables import price_changes, stores
from models.tables.base import TERMS
from tests.support.groups import (
    HOUR,
    grouped,
    merge,
    no_price_read,
    offers,
    prices_now,
    reset_all,
    stores_of,
    written,
)
from tests.support.storage import START, check_sound, crawl, day, effective, judged, open_run, query, row, value

LINES = 25


def history(engine: Engine, times, every: int = 1) -> dict:
    """price_at of every store, listing (or every n-th) and time."""
    prices: dict = {}
    listings = [i for (i,) in query(engine, "SELECT id FROM listings ORDER BY id")][::every]
    with engine.connect() as connection:
        for store in stores_of(engine).values():
            for listing in listings:
                for when in times:
                    found = price_at(connection, store, listing, when)
                    prices[store, listing, when] = found and (found.price_cents, found.source, found.observed_at)
    return prices


def charged(engine: Engine) -> dict:
    """What each store charges for each line, in all the terms."""
    return {key: tuple(offer[name] for name in TERMS) for key, (offer, _) in prices_now(engine).items()}


def steady(engine: Engine) -> set:
    """The lines (store, listing) that a store has seen with a price since its anchor changed them last."""
    sql = "SELECT m.store_id, g.anchor_id FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id"
    anchor_of, lines = dict(query(engine, sql)), query(engine, "SELECT id, ordinal FROM listings")
    with engine.connect() as connection:
        seen = sightings.read(connection, list(anchor_of))
        change = price_changes.c
        last = select(change.store_id, change.listing_id, func.max(change.changed_at)).group_by(
            change.store_id, change.listing_id
        )
        changed = {(store, listing): at for store, listing, at in connection.execute(last)}
    found = set()
    for store, (listing, ordinal) in itertools.product(anchor_of, lines):
        look, anchor = seen[store].at(ordinal), anchor_of[store]
        if look and (anchor == store or changed.get((anchor, listing), look.sighting.at) <= look.sighting.at):
            found.add((store, listing))
    return found


def test_a_merge_changes_no_price_and_writes_memberships_alone(engine: Engine) -> None:
    for store, zone in (("1", 0), ("2", 0), ("3", 2), ("4", 2)):
        crawl(engine, offers(zone, changed=[50 + int(store)]), store=store)
    before, known, rows = prices_now(engine), history(engine, [START], 3), written(engine)
    summary = merge(engine)
    assert grouped(engine) == {frozenset("12"), frozenset("34")}
    assert (summary.groups_before, summary.groups_after, summary.merged) == (4, 2, 2)
    assert prices_now(engine) == before
    assert history(engine, [START], 3) == known
    later = history(engine, [day(9)], 3)
    assert {k[:2]: v for k, v in later.items()} == {k[:2]: v for k, v in known.items()}
    assert written(engine) == rows
    check_sound(engine)


def merging(engine: Engine):
    for store in ("1", "2"):
        crawl(engine, offers(changed=[int(store)]), store=store, now=START + HOUR)
    return lambda now: merge(engine, now)


def ejecting(engine: Engine):
    merging(engine)(START + 2 * HOUR)
    crawl(engine, offers(4), store="2", now=START + 3 * HOUR)
    return lambda now: merge(engine, now)


def re_anchoring(engine: Engine):
    merging(engine)(START + 2 * HOUR)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET closed_at = last_scraped WHERE store_code = '1'")
    return lambda now: merge(engine, now)


def resetting(engine: Engine):
    merging(engine)(START + 2 * HOUR)
    return lambda now: reset_all(engine, now)


def widening(engine: Engine):
    """Two stores whose anchor ranges little, and others that range everything and join."""
    for store in ("1", "2"):
        crawl(engine, offers(without=range(60, 100)), store=store)
    merge(engine, START + HOUR)
    for store in ("3", "4"):
        crawl(engine, offers(changed=[int(store)]), store=store, now=START + HOUR)
    return lambda now: merge(engine, now)


def drifting(engine: Engine):
    """Two anchors match, but a member of one does not match the other anchor."""
    for store, changed in (("2", []), ("3", []), ("4", [0]), ("5", [0, 2, 3])):
        crawl(engine, offers(changed=changed), store=store)
        if store == "3":
            merge(engine, START + HOUR)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET closed_at = last_scraped WHERE store_code IN ('1', '2', '3')")
    merge(engine, START + 2 * HOUR)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET closed_at = NULL")
    return lambda now: merge(engine, now)


def answering_for_another(engine: Engine):
    for store in ("1", "2", "3"):
        crawl(engine, offers(4 if store == "3" else 0), store=store)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET fulfilled_by = '2' WHERE store_code = '3'")
    return lambda now: merge(engine, now)


@pytest.mark.parametrize(
    "change", [merging, ejecting, re_anchoring, resetting, widening, drifting, answering_for_another]
)
def test_grouping_writes_memberships_alone_and_what_was_seen_since_is_charged_as_before(engine: Engine, change) -> None:
    """Prices, history and sightings stay as they are, byte for byte, and so does price_at for earlier times."""
    crawl(engine, offers(), store="1")
    regroup = change(engine)
    crawl(engine, offers(changed=[20]), store="1", now=START + 5 * HOUR)
    rows, known, before, calm = (
        written(engine),
        history(engine, [START, START + 5 * HOUR], 9),
        charged(engine),
        steady(engine),
    )
    groups, where = grouped(engine), query(engine, "SELECT id, anchor_id FROM store_groups ORDER BY 1")
    regroup(START + 6 * HOUR)
    assert (grouped(engine), query(engine, "SELECT id, anchor_id FROM store_groups ORDER BY 1")) != (groups, where)
    assert written(engine) == rows
    assert history(engine, [START, START + 5 * HOUR], 9) == known
    after = charged(engine)
    assert after.keys() == before.keys()
    assert len(calm & steady(engine)) > 100
    for line in calm & steady(engine):
        assert after[line] == before[line]
    check_sound(engine)


def test_fault_13_a_members_prices_are_read_from_its_anchor(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[5]), store="2")
    merge(engine)
    crawl(engine, offers(changed=[6]), store="1", now=day(0.1))
    found = effective(engine, "2")
    assert len(found) == 100
    assert (found["5"].source, found["5"].offer["price_cents"]) == ("own", 999)
    assert (found["6"].source, found["6"].offer["price_cents"]) == ("inferred", 999)
    assert (found["7"].source, found["7"].offer["price_cents"]) == ("inferred", 207)


def test_a_members_price_history_is_what_was_in_effect_there(engine: Engine) -> None:
    """What its anchor changed counts from then on, until the store itself shows another price or leaves."""
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[5]), store="2")
    merge(engine)
    crawl(engine, offers(changed=[6]), store="1", now=day(0.1))
    crawl(engine, offers(changed=[7]), store="2", now=day(0.2))
    crawl(engine, offers(changed=[7, 8]), store="1", now=day(0.3))
    reset_all(engine, day(0.4))
    crawl(engine, offers(changed=[7], without=[6]), store="1", now=day(0.6))
    with engine.connect() as connection:
        entries_of = {sku: price_history.of_sku(connection, "woolworths", sku, "2") for sku in ("5", "6", "7", "8")}
        everywhere = price_history.of_sku(connection, "woolworths", "6")
    shown = {
        sku: [(one.price_cents, one.source, one.changed_at) for one in entries] for sku, entries in entries_of.items()
    }
    assert shown["5"] == [(999, "own", START), (205, "own", day(0.2))]
    assert shown["6"] == [
        (206, "own", START),
        (999, "inferred", day(0.1)),
        (206, "own", day(0.2)),  # seen here since, at another price than the anchor's
        (206, "inferred", day(0.3)),
        (206, "own", day(0.4)),
    ]
    assert shown["7"] == [
        (207, "own", START),
        (999, "own", day(0.2)),
        (999, "inferred", day(0.3)),
        (999, "own", day(0.4)),
    ]
    assert shown["8"][-2:] == [(999, "inferred", day(0.3)), (208, "own", day(0.4))]
    assert {(one.store_code, one.source) for one in everywhere} == {("1", "own"), ("2", "own")}
    times = [START + n * HOUR for n in range(30)]
    ids = stores_of(engine)
    listing = {sku: value(engine, "SELECT id FROM listings WHERE sku = :s", s=sku) for sku in entries_of}
    with engine.connect() as connection:
        for (sku, entries), when in itertools.product(entries_of.items(), times):
            [*_, last] = [one.price_cents for one in entries if one.changed_at <= when]
            assert price_at(connection, ids["2"], listing[sku], when).price_cents == last


def test_a_repeated_merge_changes_nothing_and_reads_no_price(engine: Engine, monkeypatch) -> None:
    for store, zone in (("1", 0), ("2", 0), ("3", 3), ("4", 3)):
        crawl(engine, offers(zone, changed=[50 + int(store)]), store=store)
    merge(engine)
    tables = {"membership_periods": 2, "store_groups": 1, "store_group_memberships": 1, "store_ranges": 1}
    tables |= {"group_comparisons": 3, "stores": 1}

    def state() -> list:
        orders = {name: ", ".join(map(str, range(1, keys + 1))) for name, keys in tables.items()}
        found = [query(engine, f"SELECT * FROM {name} ORDER BY {order}") for name, order in orders.items()]
        return [[tuple(bytes(v) if isinstance(v, memoryview) else v for v in one) for one in rows] for rows in found]

    before, rows = state(), written(engine)
    for number in range(3):
        with no_price_read(engine, monkeypatch):
            again = merge(engine, START + (2 + number) * HOUR)
        assert (again.merged, again.ejected, again.fingerprints_made, again.put_off) == (0, 0, 0, 0)
        assert again.comparisons.made + again.comparisons.bounded == 0
    assert (state(), written(engine)) == (before, rows)


def test_stores_that_show_the_same_are_merged_without_reading_a_price(engine: Engine, monkeypatch) -> None:
    """Publishing keeps the fingerprint: also that of a store whose run changed a price, a range or a member's offer."""
    rows = [*offers(changed=[3]), row(200, member_price_cents=90), row(201, member_price_cents=90)]
    crawl(engine, rows, store="1")
    crawl(engine, offers(1), store="2")
    crawl(engine, rows, store="2", now=START + HOUR)
    crawl(engine, [one | {"member_price_cents": None} for one in rows], store="3")
    crawl(engine, rows, store="3", now=START + HOUR)
    with no_price_read(engine, monkeypatch):
        assert merge(engine, START + 2 * HOUR).merged == 2
    assert grouped(engine) == {frozenset("123")}


def test_a_missing_fingerprint_is_made_and_stored(engine: Engine) -> None:
    for store in ("1", "2"):
        crawl(engine, offers(), store=store)
    kept = query(engine, "SELECT store_id, fingerprint FROM store_ranges ORDER BY 1")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE store_ranges SET fingerprint = NULL")
    summary = merge(engine)
    assert (summary.fingerprints_made, summary.merged) == (2, 1)
    again = query(engine, "SELECT store_id, fingerprint FROM store_ranges ORDER BY 1")
    assert [bytes(f) for _, f in again] == [bytes(f) for _, f in kept]


def test_a_member_whose_probe_agreed_in_this_period_stays_and_is_not_read(engine: Engine, monkeypatch) -> None:
    """Its own rows differ: it was crawled before its anchor changed. The probe is later and counts."""
    for store in ("1", "2"):
        crawl(engine, offers(), store=store)
    merge(engine)
    crawl(engine, offers(1), store="1", now=day(0.3))
    crawl(engine, offers(1)[50:60], store="2", now=day(0.4), status="partial", reason="requested")
    with engine.begin() as connection:
        connection.execute(update(stores).where(stores.c.store_code == "2").values(verified_at=day(0.4)))
    with no_price_read(engine, monkeypatch):
        summary = merge(engine, day(0.5))
    assert (grouped(engine), summary.ejected, summary.flagged) == ({frozenset("12")}, 0, [])
    with engine.begin() as connection:
        connection.execute(update(stores).values(verified_at=None))
    assert merge(engine, day(0.5)).ejected == 1


def test_grouping_compares_own_rows_and_not_what_is_inferred(engine: Engine) -> None:
    """All prices in effect at the member are its anchor's; what it showed itself last differs in ten."""
    for store in ("1", "2"):
        crawl(engine, offers(), store=store)
    merge(engine)
    crawl(engine, offers(1), store="1", now=day(0.1))
    now = prices_now(engine)
    ids = stores_of(engine)
    assert [now[ids["1"], listing] for listing in range(1, 101)] == [
        now[ids["2"], listing] for listing in range(1, 101)
    ]
    assert merge(engine, day(0.2)).ejected == 1
    assert grouped(engine) == {frozenset("1"), frozenset("2")}


def test_a_dry_run_changes_nothing(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    assert merge(engine, dry_run=True).groups_after == 1
    assert len(grouped(engine)) == 2
    assert value(engine, "SELECT count(*) FROM prices") == 200


def test_a_store_that_leaves_its_zone_is_ejected_after_its_next_crawl(engine: Engine) -> None:
    for store in ("1", "2", "3"):
        crawl(engine, offers(), store=store)
    crawl(engine, offers(4), store="4")
    merge(engine)
    crawl(engine, offers(4), store="3", now=day(0.5))
    before = prices_now(engine)
    summary = merge(engine, day(0.5) + HOUR)
    assert grouped(engine) == {frozenset("12"), frozenset("34")}
    assert (summary.ejected, summary.merged) == (1, 1)
    assert prices_now(engine) == before
    check_sound(engine)


def test_leaving_gives_back_the_stores_own_last_observation_with_its_date(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[2]), store="2", now=START + HOUR)
    merge(engine, START + 2 * HOUR)
    crawl(engine, offers(changed=[1]), store="1", now=day(0.2))
    known = {sku: (one.source, one.offer["price_cents"]) for sku, one in effective(engine, "2").items()}
    assert [known[sku] for sku in "123"] == [("inferred", 999), ("own", 999), ("inferred", 203)]
    rows = written(engine)
    assert reset_all(engine, day(0.3)) == 1
    found = effective(engine, "2")
    assert [found[sku].offer["price_cents"] for sku in "123"] == [201, 999, 203]
    assert {(p.source, p.observed_at) for p in found.values()} == {("own", START + HOUR)}
    assert written(engine) == rows
    merge(engine, day(0.4))
    assert {sku: (one.source, one.offer["price_cents"]) for sku, one in effective(engine, "2").items()} == known


def test_a_closed_anchor_is_replaced_and_no_price_changes(engine: Engine) -> None:
    for store, hours in (("1", 0), ("2", 2), ("3", 1)):
        crawl(engine, offers(changed=[int(store)]), store=store, now=START + hours * HOUR)
    merge(engine, START + 3 * HOUR)
    assert len(grouped(engine)) == 1
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET closed_at = last_scraped WHERE store_code = '1'")
    before = prices_now(engine)
    merge(engine, START + 4 * HOUR)
    assert grouped(engine) == {frozenset("23"), frozenset("1")}
    anchors = "SELECT s.store_code FROM store_groups g JOIN stores s ON s.id = g.anchor_id ORDER BY 1"
    assert query(engine, anchors) == [("1",), ("2",)]
    assert prices_now(engine) == before
    check_sound(engine)


def test_a_stale_anchor_gets_needs_rescraping_and_its_member_stays(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    merge(engine)
    crawl(engine, offers(4), store="2", now=day(4))
    summary = merge(engine, day(4) + HOUR)
    assert summary.flagged == ["1"]
    assert query(engine, "SELECT store_code FROM stores WHERE needs_rescraping ORDER BY 1") == [("1",)]
    assert len(grouped(engine)) == 1


def test_fault_9_companies_never_share_a_group(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="1", slug="coles")
    crawl(engine, offers(), store="2", slug="coles")
    merge(engine)
    merge(engine, slug="coles")
    sql = """SELECT count(*) FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id
        JOIN stores s ON s.id = m.store_id JOIN stores a ON a.id = g.anchor_id
        WHERE s.company_id <> a.company_id OR g.company_id <> s.company_id"""
    assert value(engine, sql) == 0
    assert value(engine, "SELECT count(*) FROM store_groups") == 2
    check_sound(engine)


def test_fault_14_a_store_without_a_group_gets_one(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(4), store="2")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM store_group_memberships WHERE store_id = 2")
        connection.exec_driver_sql("DELETE FROM store_groups WHERE anchor_id = 2")
    merge(engine)
    assert grouped(engine) == {frozenset("1"), frozenset("2")}
    check_sound(engine)


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_a_member_that_ranges_part_of_the_anchors_lines_keeps_its_own_range(engine: Engine, share) -> None:
    crawl(engine, offers(), store="1")
    without = [sku for sku in range(100) if sku >= 100 * share]
    crawl(engine, offers(without=without), store="2")
    known = history(engine, [START], 3)
    merge(engine)
    assert len(grouped(engine)) == 1
    assert len(effective(engine, "2")) == 100 - len(without)
    assert {k[:2]: v for k, v in history(engine, [day(9)], 3).items()} == {k[:2]: v for k, v in known.items()}
    check_sound(engine)


def test_what_a_member_newly_ranges_at_its_anchors_price_has_a_history_from_then_on(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(without=[7]), store="2")
    merge(engine)
    crawl(engine, offers(), store="2", now=day(0.5))
    ids = stores_of(engine)
    listing = value(engine, "SELECT id FROM listings WHERE sku = '7'")
    with engine.connect() as connection:
        assert price_at(connection, ids["2"], listing, day(0.4)) is None
        assert price_at(connection, ids["2"], listing, day(0.6)).price_cents == 207
    assert effective(engine, "2")["7"].offer["price_cents"] == 207


def test_a_merge_invents_no_price_for_what_a_store_shows_without_one(engine: Engine) -> None:
    unpriced = [row(7, None, is_ranged=True), row(8, None, is_ranged=True)]
    crawl(engine, offers(), store="1")
    crawl(engine, [*offers(without=[7, 8]), *unpriced], store="2")
    before = prices_now(engine)
    merge(engine)
    assert len(grouped(engine)) == 1
    assert prices_now(engine) == before
    assert not {"7", "8"} & effective(engine, "2").keys()
    check_sound(engine)
    crawl(engine, [*offers(without=[7, 8], changed=[9]), *unpriced], store="2", now=day(0.3))
    assert runs_figures(engine)["known"] == 98
    reset_all(engine, day(0.4))
    assert not {"7", "8"} & effective(engine, "2").keys()
    merge(engine, day(0.5))
    assert len(grouped(engine)) == 1
    assert not {"7", "8"} & effective(engine, "2").keys()
    check_sound(engine)


def test_a_line_shown_without_a_price_gets_one_when_it_is_seen_with_one(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, [*offers(without=[7, 8]), row(7, None), row(8, None)], store="2")
    merge(engine)
    crawl(engine, [*offers(without=[8]), row(8, None)], store="2", now=day(0.3))
    prices = effective(engine, "2")
    assert (prices["7"].offer["price_cents"], prices["7"].source) == (207, "own")
    assert "8" not in prices
    listing = value(engine, "SELECT id FROM listings WHERE sku = '7'")
    with engine.connect() as connection:
        assert price_at(connection, stores_of(engine)["2"], listing, day(0.2)) is None
        assert price_at(connection, stores_of(engine)["2"], listing, day(0.4)).price_cents == 207
    assert value(engine, "SELECT count(*) FROM prices") == 199
    crawl(engine, offers(changed=[7, 8]), store="1", now=day(0.6))
    prices = effective(engine, "2")
    assert (prices["7"].offer["price_cents"], prices["7"].source) == (999, "inferred")
    assert "8" not in prices
    check_sound(engine)


def test_a_line_that_never_had_a_price_ends_without_an_entry_in_the_history(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, [*offers(without=[7]), row(7, None)], store="2")
    merge(engine)
    for number in (1, 2.5):
        crawl(engine, offers(without=[7]), store="2", now=day(number))
    listing = value(engine, "SELECT id FROM listings WHERE sku = '7'")
    sql = "SELECT count(*) FROM price_changes WHERE store_id = :s AND listing_id = :l"
    assert value(engine, sql, s=stores_of(engine)["2"], l=listing) == 0
    check_sound(engine)


def runs_figures(engine: Engine) -> dict:
    return json.loads(value(engine, "SELECT CAST(counts AS TEXT) FROM crawl_runs ORDER BY id DESC LIMIT 1"))


def test_members_keep_what_the_anchor_no_longer_ranges(engine: Engine) -> None:
    for store in ("1", "2"):
        crawl(engine, offers(), store=store)
    merge(engine)
    for number in (0.3, 1.2):
        crawl(engine, offers(without=[7]), store="1", now=day(number))
    known = history(engine, [START, day(1), day(1.2)], 7)
    before = charged(engine)
    assert effective(engine, "2")["7"].source == "contested"
    assert "7" not in effective(engine, "1")
    reset_all(engine, day(1.3))
    assert charged(engine) == before
    assert effective(engine, "2")["7"].source == "own"
    assert history(engine, [START, day(1), day(1.2)], 7) == known
    merge(engine, day(1.4))
    assert len(grouped(engine)) == 1
    assert charged(engine) == before
    assert history(engine, [START, day(1), day(1.2)], 7) == known


WORDS = st.lists(
    st.tuples(
        st.sampled_from([*["crawl"] * 4, "partial", "rollback", "merge", "merge", "reset", "close"]), st.integers(0, 4)
    ),
    min_size=4,
    max_size=9,
)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=WORDS, seed=st.integers(0, 10_000))
@example([("crawl", 1), ("merge", 0), ("crawl", 0), ("crawl", 1), ("merge", 0), ("close", 0), ("reset", 0)], 1)
@example([("crawl", 1), ("crawl", 2), ("merge", 0), ("crawl", 1), ("crawl", 2), ("merge", 0), ("reset", 0)], 0)
def test_no_merge_ejection_re_anchoring_or_reset_writes_a_price_or_changes_price_at(
    tmp_path_factory, words, seed
) -> None:
    engine = engines.create(f"sqlite:///{tmp_path_factory.mktemp('groups')}/g.db")
    live(engine, words, random.Random(seed))
    engine.dispose()


def live(engine: Engine, words, rng: random.Random) -> None:
    """Random events of a chain, a few hours apart; no change of groups alters what was seen."""
    crawl(engine, offers(lines=LINES), store="0")
    times = [START]
    for number, (word, which) in enumerate(words, 1):
        now = START + 11 * number * HOUR
        times.append(now - HOUR)
        if word == "rollback":
            roll_back_the_last_run_of(engine, str(which), now)
            check_in_effect(engine, now)
            continue
        if word in ("crawl", "partial"):
            gone = rng.sample(range(LINES), rng.choice([0, 0, 1, 10]))
            changed = rng.sample(range(LINES), rng.choice([0, 1]))
            rows = offers(rng.choice([0, 0, 0, 1]), lines=LINES, without=gone, changed=changed)
            rows += [row(sku, None) for sku in gone if rng.random() < 0.5]
            ended = {"status": "partial", "reason": "category_short: x"} if word == "partial" else {}
            crawl(engine, rows[:10] if ended else rows, store=str(which), now=now, **ended)
            check_in_effect(engine, now)
            continue
        rows, known = written(engine), history(engine, times[-5:], 4)
        before, calm = charged(engine), steady(engine)
        regroup(engine, word, which, now)
        assert written(engine) == rows
        assert history(engine, times[-5:], 4) == known
        after = charged(engine)
        assert after.keys() == before.keys()
        for line in calm & steady(engine) & before.keys():
            assert after[line] == before[line]
        check_in_effect(engine, now)


def check_in_effect(engine: Engine, now) -> None:
    """price_at of this moment returns the price in effect, and the database is sound."""
    latest = {
        key[:2]: price for key, price in history(engine, [now + HOUR], 4).items() if price and price[0] is not None
    }
    with engine.connect() as connection:
        found = effective_prices(connection, list(stores_of(engine).values()))
        now_of = {(p.store_id, p.listing_id): (p.offer["price_cents"], p.source, p.observed_at) for p in found}
    listed = {key[1] for key in history(engine, [now], 4)}
    assert latest == {key: price for key, price in now_of.items() if key[1] in listed}
    check_sound(engine)


def roll_back_the_last_run_of(engine: Engine, store: str, now) -> None:
    sql = "SELECT max(id) FROM crawl_runs WHERE store_code = :store AND rolled_back_at IS NULL"
    run = value(engine, sql, store=store)
    if run is not None:
        with contextlib.suppress(RollbackRefused):
            rollback(engine, run, now)


def regroup(engine: Engine, word: str, which: int, now) -> None:
    if word == "reset":
        reset_all(engine, now)
        return
    if word == "close":
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE stores SET closed_at = last_scraped WHERE store_code = '{which}'")
    merge(engine, now, threshold=0.96)


@pytest.mark.parametrize("what", ["publish", "join", "leave"])
def test_a_clock_behind_the_anchors_leaves_no_moment_at_which_a_member_has_another_price(engine: Engine, what) -> None:
    """The anchor's crawl ran on a machine whose clock is hours ahead."""
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    if what != "join":
        merge(engine)
    crawl(engine, offers(changed=[5]), store="1", now=day(1))
    if what == "leave":
        reset_all(engine, START + 2 * HOUR)
    else:
        crawl(engine, offers(changed=[5]), store="2", now=START + 2 * HOUR)
    if what == "join":
        merge(engine, START + 3 * HOUR)
        assert grouped(engine) == {frozenset("12")}
    sql = "SELECT s.id, l.id FROM stores s, listings l WHERE store_code = '2' AND sku = '5'"
    [(store, listing)] = query(engine, sql)
    with engine.connect() as connection:
        charged = [
            found.price_cents
            for hours in range(30)
            if (found := price_at(connection, store, listing, START + hours * HOUR)) is not None
        ]
    changes = [a for a, b in itertools.pairwise(charged) if a != b]
    assert (charged[0], charged[-1], len(changes)) == ((205, 205, 0) if what == "leave" else (205, 999, 1))
    sql = "SELECT changed_at FROM price_changes WHERE store_id = :s AND listing_id = :l"
    dated = query(engine, sql, s=store, l=listing)
    assert len({when for (when,) in dated}) == len(dated)
    check_sound(engine)


def test_a_run_that_published_and_failed_when_it_was_resumed_counts_as_published_in_its_week(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    after_the_flip = day(2)
    crawl(engine, offers()[:9], store="2", now=after_the_flip, status="partial", reason="category_short: x")
    again = open_run(engine, "2", now=after_the_flip + HOUR, resume=True)
    opening.finish(engine, again, Ending(verdict=judged("blocked", "blocked"), now=day(2) + HOUR))
    assert merge(engine, day(2) + 2 * HOUR).merged == 0


def test_a_member_that_delists_a_line_that_it_followed_has_no_price_for_it_once_it_left(engine: Engine) -> None:
    """Nothing of the old price comes back, in effect or in the history, until the store shows it again."""
    for store in ("1", "2"):
        crawl(engine, offers(lines=9), store=store)
    merge(engine)
    crawl(engine, offers(lines=9, changed=[5]), store="1", now=day(0.5))
    for number in (1, 2):
        crawl(engine, offers(lines=9, without=[5]), store="2", now=day(number))
    listing = value(engine, "SELECT id FROM listings WHERE sku = '5'")
    own = stores_of(engine)["2"]
    sql = "SELECT count(*) FROM prices WHERE store_id = :s AND listing_id = :l"
    assert value(engine, sql, s=own, l=listing) == 0
    for left in (False, True):
        if left:
            reset_all(engine, day(2.1))
        check_sound(engine)
        assert "5" not in effective(engine, "2")
        with engine.connect() as connection:
            prices = [price_at(connection, own, listing, when) for when in (day(0.6), day(1.5), day(2), day(2.2))]
        assert [one.price_cents for one in prices] == [999, 999, None, None]
        assert (prices[-1].source, prices[-1].observed_at) == ("own", None)
    merge(engine, day(2.3))
    assert "5" not in effective(engine, "2")
    crawl(engine, offers(lines=9), store="2", now=day(3))
    check_sound(engine)
    assert effective(engine, "2")["5"].offer["price_cents"] == 205
