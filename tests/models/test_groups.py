"""Groups in the database: stored without loss, whatever joins, leaves, is put out, re-anchored or reset."""

import contextlib
import itertools
import json
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from models import checks, price_history, runs
from models import engine as engines
from models.errors import RollbackRefused
from models.merging import Merger, Summary, reset
from models.queries import effective_prices, price_at
from models.rollback import rollback
from models.tables import companies
from splitcart.grouping import Rules
from splitcart.periods import Flip
from tests.support.storage import START, crawl, day, effective, judged, open_run, query, row, value

HOUR = timedelta(hours=1)
LINES = 25


def company(engine: Engine, slug: str = "woolworths"):
    with engine.connect() as connection:
        return connection.execute(select(companies).where(companies.c.slug == slug)).one()


def merge(engine: Engine, now=START + HOUR, *, slug: str = "woolworths", dry_run: bool = False, **options) -> Summary:
    rules = Rules.at(options.get("threshold", 0.98), flip=Flip())
    return Merger(engine, company(engine, slug), rules, lambda: now).run(dry_run=dry_run)


def reset_all(engine: Engine, now) -> int:
    return reset(engine, company(engine), lambda: now)


def offers(zone: int = 0, *, lines: int = 100, without=(), changed=()) -> list[dict]:
    """Rows of a store: zone n prices its first 10 x n lines otherwise; `changed` lines cost 9.99."""
    rows = []
    for sku in range(lines):
        if sku not in without:
            price = 999 if sku in changed else 200 + sku + (zone * 5 if sku < 10 * zone else 0)
            rows.append(row(sku, price))
    return rows


def stores_of(engine: Engine) -> dict[str, int]:
    return dict(query(engine, "SELECT store_id, id FROM stores ORDER BY id"))


def grouped(engine: Engine) -> set[frozenset[str]]:
    sql = "SELECT m.group_id, s.store_id FROM store_group_memberships m JOIN stores s ON s.id = m.store_id"
    found: dict[int, set[str]] = {}
    for group, store in query(engine, sql):
        found.setdefault(group, set()).add(store)
    return {frozenset(g) for g in found.values()}


def prices_now(engine: Engine) -> dict:
    """Every effective price with its whole offer, and whether it can be bought."""
    with engine.connect() as connection:
        found = effective_prices(connection, list(stores_of(engine).values()))
        return {(p.store_id, p.listing_id): (p.offer, p.is_available) for p in found}


def history(engine: Engine, times, every: int = 1) -> dict:
    """price_at of every store, listing (or every so many-th) and time."""
    told: dict = {}
    listings = [i for (i,) in query(engine, "SELECT id FROM listings ORDER BY id")][::every]
    with engine.connect() as connection:
        for store in stores_of(engine).values():
            for listing in listings:
                for when in times:
                    entry = price_at(connection, store, listing, when)
                    told[store, listing, when] = entry and (entry.price_cents, entry.was_price_cents)
    return told


def check_sound(engine: Engine) -> None:
    """Each store in one group, each group anchored by one of its own, periods in line, no needless own row."""
    assert value(engine, "SELECT count(*) FROM stores") == value(engine, "SELECT count(*) FROM store_group_memberships")
    sql = """SELECT g.id FROM store_groups g LEFT JOIN store_group_memberships m
        ON m.store_id = g.anchor_id AND m.group_id = g.id WHERE m.store_id IS NULL"""
    assert query(engine, sql) == []
    sql = "SELECT m.store_id, g.id, g.anchor_id FROM store_group_memberships m JOIN store_groups g ON g.id = m.group_id"
    opened = "SELECT store_id, group_id, anchor_id FROM membership_periods WHERE to_at IS NULL"
    assert sorted(query(engine, sql)) == sorted(query(engine, opened))
    sql = """SELECT a.store_id FROM membership_periods a JOIN membership_periods b ON a.store_id = b.store_id
        AND a.from_at < b.from_at AND (a.to_at IS NULL OR a.to_at > b.from_at)"""
    assert query(engine, sql) == []
    with engine.connect() as connection:
        assert list(checks.check(connection)) == []


def test_a_merge_keeps_every_price_and_stores_only_differences(engine: Engine) -> None:
    for store, zone in (("1", 0), ("2", 0), ("3", 2), ("4", 2)):
        crawl(engine, offers(zone, changed=[50 + int(store)]), store=store)
    before, told = prices_now(engine), history(engine, [START], 3)
    summary = merge(engine)
    assert grouped(engine) == {frozenset("12"), frozenset("34")}
    assert (summary.groups_before, summary.groups_after, summary.merged) == (4, 2, 2)
    assert prices_now(engine) == before
    assert history(engine, [START], 3) == told
    later = history(engine, [day(9)], 3)
    assert {k[:2]: v for k, v in later.items()} == {k[:2]: v for k, v in told.items()}
    assert value(engine, "SELECT count(*) FROM prices") == 204
    assert summary.rows_saved == 196
    check_sound(engine)


def test_fault_13_a_members_prices_are_read_from_its_anchor(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[5]), store="2")
    merge(engine)
    found = effective(engine, "2")
    assert len(found) == 100
    assert (found["5"].source, found["5"].offer["price_cents"]) == ("own", 999)
    assert (found["6"].source, found["6"].offer["price_cents"]) == ("inferred", 206)


def test_a_members_price_history_is_what_was_in_effect_there(engine: Engine) -> None:
    """Its own entries end where it begins to follow: the anchor's changes since then are its own."""
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[5]), store="2")
    merge(engine)
    crawl(engine, offers(changed=[6]), store="1", now=day(1))
    crawl(engine, offers(changed=[7]), store="2", now=day(1.1))
    reset_all(engine, day(1.2))
    crawl(engine, offers(changed=[7], without=[6]), store="1", now=day(1.3))
    with engine.connect() as connection:
        told = {sku: price_history.of_sku(connection, "woolworths", sku, "2") for sku in ("5", "6", "7", "8")}
        everywhere = price_history.of_sku(connection, "woolworths", "6")
    shown = {sku: [(one.price_cents, one.kind) for one in entries] for sku, entries in told.items()}
    anchored = [(206, "own"), (206, "follows"), (999, "follows"), (206, "own")]
    assert shown["6"] == anchored
    assert [one.changed_at for one in told["6"]][2:] == [day(1), day(1.1)]
    assert shown["5"][0] == (999, "own")
    assert shown["5"][-1][0] == 205
    assert shown["7"][-1] == (999, "own")
    assert {one.store_id for one in everywhere} == {"1", "2"}
    times = [START + n * HOUR for n in range(40)]
    ids = stores_of(engine)
    listing = {sku: value(engine, "SELECT id FROM listings WHERE sku = :s", s=sku) for sku in told}
    with engine.connect() as connection:
        for (sku, entries), when in itertools.product(told.items(), times):
            [*_, last] = [one.price_cents for one in entries if one.changed_at <= when]
            assert price_at(connection, ids["2"], listing[sku], when).price_cents == last


def test_running_again_changes_nothing_and_reads_no_price(engine: Engine) -> None:
    for store, zone in (("1", 0), ("2", 0), ("3", 3), ("4", 3)):
        crawl(engine, offers(zone, changed=[50 + int(store)]), store=store)
    merge(engine)
    tables = ("prices", "price_changes", "membership_periods", "store_groups", "store_vectors")
    state = [query(engine, f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]
    for number in range(3):
        again = merge(engine, START + (2 + number) * HOUR)
        assert (again.merged, again.ejected, again.rows_saved, again.vectors_made) == (0, 0, 0, 0)
    assert [query(engine, f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables] == state
    assert again.comparisons.made + again.comparisons.bounded == 0


def test_a_dry_run_changes_nothing(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    assert merge(engine, dry_run=True).groups_after == 1
    assert len(grouped(engine)) == 2
    assert value(engine, "SELECT count(*) FROM prices") == 200


def test_a_store_that_leaves_its_zone_is_put_out_at_its_next_crawl(engine: Engine) -> None:
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


def test_leaving_writes_what_was_seen_as_own_and_what_was_not_as_inferred(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    merge(engine)
    crawl(engine, offers(changed=[1]), store="1", now=day(0.2))
    assert effective(engine, "2")["1"].offer["price_cents"] == 999
    before = prices_now(engine)
    assert reset_all(engine, day(0.3)) == 1
    found = effective(engine, "2")
    assert (found["1"].source, found["1"].offer["price_cents"]) == ("inferred", 999)
    assert {p.source for sku, p in found.items() if sku != "1"} == {"own"}
    assert prices_now(engine) == before


def test_an_own_price_is_contested_when_the_anchor_changed_since(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(changed=[5]), store="2", now=START + HOUR)
    merge(engine, START + 2 * HOUR)
    assert effective(engine, "2")["5"].source == "own"
    crawl(engine, offers(changed=[7]), store="1", now=day(0.2))
    assert effective(engine, "2")["5"].source == "own"
    rows = [r | ({"price_cents": 777} if r["sku"] == "5" else {}) for r in offers()]
    crawl(engine, rows, store="1", now=day(0.3))
    found = effective(engine, "2")["5"]
    assert (found.source, found.offer["price_cents"]) == ("contested", 999)


def test_a_closed_anchor_is_replaced_and_no_price_changes(engine: Engine) -> None:
    for store, hours in (("1", 0), ("2", 2), ("3", 1)):
        crawl(engine, offers(changed=[int(store)]), store=store, now=START + hours * HOUR)
    merge(engine, START + 3 * HOUR)
    assert len(grouped(engine)) == 1
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stores SET closed_at = last_scraped WHERE store_id = '1'")
    before = prices_now(engine)
    merge(engine, START + 4 * HOUR)
    assert grouped(engine) == {frozenset("23"), frozenset("1")}
    anchors = "SELECT s.store_id FROM store_groups g JOIN stores s ON s.id = g.anchor_id ORDER BY 1"
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
    assert query(engine, "SELECT store_id FROM stores WHERE needs_rescraping ORDER BY 1") == [("1",)]
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
    told = history(engine, [START], 3)
    merge(engine)
    assert len(grouped(engine)) == 1
    assert len(effective(engine, "2")) == 100 - len(without)
    assert {k[:2]: v for k, v in history(engine, [day(9)], 3).items()} == {k[:2]: v for k, v in told.items()}


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


def test_what_was_shown_without_a_price_follows_the_anchor_once_it_was_seen_at_its_price(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, [*offers(without=[7, 8]), row(7, None), row(8, None)], store="2")
    merge(engine)
    crawl(engine, [*offers(without=[8]), row(8, None)], store="2", now=day(0.5))
    told = effective(engine, "2")
    assert (told["7"].offer["price_cents"], told["7"].source) == (207, "inferred")
    assert "8" not in told
    listing = value(engine, "SELECT id FROM listings WHERE sku = '7'")
    with engine.connect() as connection:
        assert price_at(connection, stores_of(engine)["2"], listing, day(0.4)) is None
        assert price_at(connection, stores_of(engine)["2"], listing, day(0.6)).price_cents == 207
    assert value(engine, "SELECT count(*) FROM prices") == 100
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


def test_what_the_anchor_no_longer_ranges_stays_as_it_is_in_its_members(engine: Engine) -> None:
    for store in ("1", "2"):
        crawl(engine, offers(), store=store)
    merge(engine)
    for number in (0.3, 1.2):
        crawl(engine, offers(without=[7]), store="1", now=day(number))
    times = [START, day(1), day(2)]
    before, told = prices_now(engine), history(engine, times, 7)
    assert "7" in effective(engine, "2")
    assert "7" not in effective(engine, "1")
    reset_all(engine, day(1.3))
    assert prices_now(engine) == before
    assert history(engine, times, 7) == told
    merge(engine, day(1.4))
    assert len(grouped(engine)) == 1
    assert prices_now(engine) == before
    assert history(engine, times, 7) == told


WORDS = st.lists(
    st.tuples(
        st.sampled_from([*["crawl"] * 4, "partial", "rollback", "merge", "merge", "reset", "close"]), st.integers(0, 4)
    ),
    min_size=4,
    max_size=9,
)


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=WORDS, seed=st.integers(0, 10_000))
@example([("crawl", 1), ("merge", 0), ("crawl", 0), ("crawl", 1), ("merge", 0), ("close", 0), ("reset", 0)], 1)
@example([("crawl", 1), ("crawl", 2), ("merge", 0), ("crawl", 1), ("crawl", 2), ("merge", 0), ("reset", 0)], 0)
def test_no_merge_ejection_re_anchoring_or_reset_changes_any_price_or_price_at(tmp_path_factory, words, seed) -> None:
    engine = engines.create(f"sqlite:///{tmp_path_factory.mktemp('groups')}/g.db")
    live(engine, words, random.Random(seed))
    engine.dispose()


def live(engine: Engine, words, rng: random.Random) -> None:
    """A chain's life, a few hours between two things that happen; after each change of groups all is as it was."""
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
        before, told = prices_now(engine), history(engine, times[-5:], 4)
        regroup(engine, word, which, now)
        assert prices_now(engine) == before
        assert history(engine, times[-5:], 4) == told
        latest = {k[:2]: v for k, v in history(engine, [now + HOUR], 4).items()}
        assert latest == {k[:2]: v for k, v in told.items() if k[2] == times[-1]}
        check_in_effect(engine, now)


def check_in_effect(engine: Engine, now) -> None:
    """The history says of this moment what is in effect, and all is sound."""
    latest = {key[:2]: told for key, told in history(engine, [now + HOUR], 4).items()}
    in_effect = {key: offer["price_cents"] for key, (offer, _) in prices_now(engine).items() if key in latest}
    assert {key: cents[0] for key, cents in latest.items() if cents and cents[0] is not None} == in_effect
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
            connection.exec_driver_sql(f"UPDATE stores SET closed_at = last_scraped WHERE store_id = '{which}'")
    merge(engine, now, threshold=0.96)


@pytest.mark.parametrize("what", ["publish", "join", "leave"])
def test_a_clock_behind_the_anchors_leaves_no_moment_at_which_a_member_has_another_price(engine: Engine, what) -> None:
    """The anchor's crawl ran on a machine whose clock is hours ahead; what follows it is dated after it."""
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
    [(store, listing)] = query(engine, "SELECT s.id, l.id FROM stores s, listings l WHERE store_id = '2' AND sku = '5'")
    with engine.connect() as connection:
        told = [
            entry.price_cents
            for hours in range(30)
            if (entry := price_at(connection, store, listing, START + hours * HOUR)) is not None
        ]
    changes = [a for a, b in itertools.pairwise(told) if a != b]
    assert (told[0], told[-1], len(changes)) == (205, 999, 1)
    dated = query(
        engine, "SELECT changed_at FROM price_changes WHERE store_id = :s AND listing_id = :l", s=store, l=listing
    )
    assert len({when for (when,) in dated}) == len(dated)


def test_a_run_that_published_and_was_gone_on_with_in_vain_has_mixed_its_week_in(engine: Engine) -> None:
    crawl(engine, offers(), store="1")
    crawl(engine, offers(), store="2")
    after_the_flip = day(2)
    crawl(engine, offers()[:9], store="2", now=after_the_flip, status="partial", reason="category_short: x")
    again = open_run(engine, "2", now=after_the_flip + HOUR, resume=True)
    runs.finish(engine, again, judged("blocked", "blocked"), [], answered_for=None, counts={}, now=day(2) + HOUR)
    assert merge(engine, day(2) + 2 * HOUR).merged == 0


def test_a_member_that_leaves_with_a_delisted_line_is_sound_and_prices_it_again_when_it_is_back(engine: Engine) -> None:
    """Its own row was spared when it joined, and nothing is in effect that leaving could write."""
    crawl(engine, offers(lines=9), store="1")
    crawl(engine, offers(lines=9), store="2")
    merge(engine)
    for number in (1, 2):
        crawl(engine, offers(lines=9, without=[5]), store="2", now=day(number))
    reset_all(engine, day(2.1))
    check_sound(engine)
    assert "5" not in effective(engine, "2")
    crawl(engine, offers(lines=9), store="2", now=day(3))
    check_sound(engine)
    assert effective(engine, "2")["5"].offer["price_cents"] == 205
