"""Crawls of a sandbox that renumbers its products, stops half-way with totals of 0, or shows unreadable rows."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from models import tables
from models.database import engine as engines
from sandbox import garble
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.support.crawls import Outcome, crawl, on_day
from tests.support.storage import check_sound, effective, query, value
from tests.support.truth import ranges, stored

CHAINS = ("woolworths", "coles", "aldi", "iga")
LISTING = {
    "woolworths": r"POST .*/browse/category",
    "coles": r"/en/browse/.+\.json",
    "aldi": r"/v3/product-search",
    "iga": r"/categories/[^/]+/search",
}
DAY = 1
"""A Thursday: 20 hours later no specials have flipped."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(World(seed=5, products=90, stores=2), day=DAY) as server:
        yield server


@dataclass
class Scene:
    """One chain's first store in a fresh database; the sandbox stays at one day while the clock moves on."""

    site: SandboxServer
    chain: str
    engine: Engine
    url: str
    store: str

    @classmethod
    def of(cls, site: SandboxServer, chain: str, url: str) -> "Scene":
        store = next(store.store_code for store in site.world.stores(chain) if store.is_online)
        return cls(site, chain, engines.create(url), url, store)

    def crawl(
        self, hours: float = 0.0, store: str | None = None, gates: dict[str, Any] | None = None, **args: Any
    ) -> Outcome:
        """A crawl `hours` after the first."""
        ahead = on_day(self.site.world, DAY)["CLOCK_AHEAD"] + timedelta(hours=hours).total_seconds()
        settings = {"CLOCK_AHEAD": ahead, "RETRY_TIMES": 2, "RUN_GATES": gates or {}}
        more = {"gtins": "0"} if self.chain == "coles" else {}
        return crawl(self.chain, self.site.url, self.url, overrides=settings, store=store or self.store, **more, **args)

    def complete(self, hours: float = 0.0) -> None:
        outcome = self.crawl(hours)
        assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason

    def show(self, kind: str, **options: Any) -> None:
        self.site.faults.add(kind, self.chain, LISTING[self.chain], **options)

    @cached_property
    def truth(self) -> dict[str, dict[str, Any]]:
        return {row["sku"]: row for row in self.site.world.truth(self.chain, self.store, DAY)}

    @cached_property
    def held(self) -> set[str]:
        """The skus that the store ranges in truth. Woolworths marks goods out of stock as not ranged."""
        return {sku for sku, row in self.truth.items() if row["is_ranged"]}

    @cached_property
    def priced(self) -> dict[str, int]:
        """The true prices."""
        return {sku: row["price_cents"] for sku, row in self.truth.items() if row["price_cents"] is not None}

    @property
    def prices(self) -> dict[str, int]:
        """The prices in the database."""
        return {sku: row["price_cents"] for sku, row in stored(self.engine, self.chain, self.store).items()}

    @property
    def range(self) -> tuple[set[str], set[str]]:
        """What the store ranges, and what it has in stock."""
        return ranges(self.engine, self.chain, self.store)

    def seen(self, sku: str) -> datetime:
        return effective(self.engine, self.store)[sku].observed_at

    def missing(self) -> tuple[int, int]:
        """How many listings are missing, and how many of these are delisted."""
        return query(self.engine, "SELECT count(*), count(delisted_at) FROM missing_listings")[0]

    def figures(self) -> dict[str, Any]:
        runs = tables.crawl_runs.c
        with self.engine.connect() as connection:
            return connection.execute(select(runs.figures).order_by(runs.id.desc()).limit(1)).scalar_one()


@pytest.fixture(scope="module")
def known(
    sandbox: SandboxServer, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A SQLite file after one complete crawl of a chain's first store; crawled once."""
    folder = tmp_path_factory.mktemp("known")

    @cache
    def crawled(chain: str) -> Path:
        path = Path(shutil.copyfile(sqlite_template, folder / f"{chain}.db"))
        scene = Scene.of(sandbox, chain, f"sqlite:///{path}")
        scene.complete()
        scene.engine.dispose()  # folds the log in
        return path

    return crawled


@pytest.fixture(params=CHAINS)
def fresh(request: pytest.FixtureRequest, sandbox: SandboxServer, sqlite_url: str) -> Iterator[Scene]:
    """A chain's first store before its first crawl."""
    yield from played(Scene.of(sandbox, request.param, sqlite_url))


@pytest.fixture(params=[*CHAINS, "aldi on PostgreSQL"])
def scene(
    request: pytest.FixtureRequest, sandbox: SandboxServer, known: Callable[[str], Path], tmp_path: Path
) -> Iterator[Scene]:
    """A chain's first store after a complete crawl."""
    chain, _, other = request.param.partition(" on ")
    sandbox.faults.clear()
    if other:
        scene = Scene.of(sandbox, chain, request.getfixturevalue("postgres_url"))
        scene.complete()
    else:
        scene = Scene.of(sandbox, chain, f"sqlite:///{shutil.copyfile(known(chain), tmp_path / 'known.db')}")
    yield from played(scene)


def played(scene: Scene) -> Iterator[Scene]:
    scene.site.faults.clear()
    yield scene
    scene.site.faults.clear()
    scene.engine.dispose()


def share_of(scene: Scene, kind: str, most: float) -> tuple[float, set[str]]:
    """The largest share by which a fault strikes rows in stock and no more than `most` of all listings; these rows."""
    offered = {sku for sku in scene.priced if scene.truth[sku]["is_available"]}
    for number in range(1000, 0, -1):
        rows = {sku for sku in scene.truth if garble.is_struck(kind, sku, number / 1000)}
        if len(rows) <= most * len(scene.truth):
            assert rows & offered
            return number / 1000, rows
    raise AssertionError("no share is so small")


def test_a_store_whose_skus_are_all_renumbered_loses_nothing_until_a_later_run_confirms_it(scene: Scene) -> None:
    scene.show("renumbered")
    new = {garble.renumbered(scene.chain, sku) for sku in scene.held}
    for hours in (1, 12.9):
        outcome = scene.crawl(hours)
        assert (outcome.status, outcome.exit_code) == ("partial", 2), hours
        assert str(outcome.reason).startswith("turnover"), outcome.reason
        assert (scene.missing(), scene.range[0]) == ((0, 0), scene.held | new)
        assert {sku: scene.prices.get(sku) for sku in scene.priced} == scene.priced
    outcome = scene.crawl(13.1)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert str(outcome.reason).startswith("shortfall_confirmed")
    assert (scene.missing(), scene.range[0]) == ((len(scene.held), 0), scene.held | new)
    scene.complete(33.2)
    assert (scene.missing(), scene.range[0]) == ((len(scene.held), len(scene.held)), new)
    check_sound(scene.engine)


def test_a_lower_turnover_share_accepts_a_renumbering_of_some_skus(scene: Scene) -> None:
    share, gone = share_of(scene, "renumbered", 0.45)
    scene.show("renumbered", value=share)
    assert scene.crawl(1).status == "partial"
    assert scene.missing() == (0, 0)
    assert scene.crawl(2, gates={"turnover_share": 0.5}).status == "complete"
    assert scene.missing() == (len(gone & scene.held), 0)


def test_a_first_run_of_which_all_totals_turn_0_midway_is_not_complete(fresh: Scene) -> None:
    """Every category is empty and proven; only the company's other store shows that it is not."""
    other = next(
        s.store_code for s in fresh.site.world.stores(fresh.chain) if s.is_online and s.store_code != fresh.store
    )
    assert fresh.crawl(store=other).status == "complete"
    for pages in range(1, 9):  # the first ones may be of categories that are empty in truth
        fresh.site.faults.clear()
        fresh.show("empty", after=pages)
        outcome = fresh.crawl(1 + pages / 100)
        if outcome.status != "failed":
            break
    assert (outcome.status, outcome.exit_code) == ("partial", 2), outcome.reason
    assert str(outcome.reason).startswith("store_small"), outcome.reason
    assert 0 < len(fresh.prices) < 0.3 * fresh.figures()["company_usual"]
    fresh.site.faults.clear()
    fresh.complete(2)
    assert fresh.prices == fresh.priced


def test_a_row_whose_price_cannot_be_read_is_seen_and_keeps_its_last_price(scene: Scene) -> None:
    """Prices of text, of 0 though in stock, below 0, an object."""
    share, rows = share_of(scene, "unreadable_prices", 0.03)
    scene.show("unreadable_prices", value=share)
    first = {sku: scene.seen(sku) for sku in scene.priced}
    outcome = scene.crawl(1)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert scene.prices == scene.priced
    assert (scene.missing(), scene.range[0]) == ((0, 0), scene.held)
    assert scene.range[1] == {sku for sku, row in scene.truth.items() if row["is_available"]} - rows
    assert scene.figures()["unreadable"] > 0
    found = effective(scene.engine, scene.store)
    assert all(not found[sku].is_available and found[sku].observed_at == first[sku] for sku in rows & found.keys())
    assert all(found[sku].observed_at > first[sku] for sku in scene.priced.keys() - rows)
    check_sound(scene.engine)


def test_more_than_5_percent_of_unreadable_prices_publish_nothing(scene: Scene) -> None:
    changes = value(scene.engine, "SELECT count(*) FROM price_changes")
    scene.show("unreadable_prices", value=0.3)
    outcome = scene.crawl(1)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("implausible: the price or name of"), outcome.reason
    assert (scene.prices, scene.missing()) == (scene.priced, (0, 0))
    assert value(scene.engine, "SELECT count(*) FROM price_changes") == changes


@pytest.mark.parametrize("kind", ["unreadable_prices", "unreadable_names"])
def test_a_first_run_of_which_half_cannot_be_read_publishes_nothing(fresh: Scene, kind: str) -> None:
    fresh.show(kind, value=0.5)
    outcome = fresh.crawl()
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert str(outcome.reason).startswith("implausible: the price or name of"), outcome.reason
    assert fresh.prices == {}


def test_a_known_listing_whose_name_cannot_be_read_keeps_its_name(scene: Scene) -> None:
    names = query(scene.engine, "SELECT sku, name FROM listings ORDER BY sku")
    share, rows = share_of(scene, "unreadable_names", 0.03)
    scene.show("unreadable_names", value=share)
    outcome = scene.crawl(1)
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert query(scene.engine, "SELECT sku, name FROM listings ORDER BY sku") == names
    assert (scene.prices, scene.missing(), scene.range[0]) == (scene.priced, (0, 0), scene.held)
    assert scene.figures()["unreadable"] >= len(rows)
    check_sound(scene.engine)


def test_an_unknown_listing_whose_name_cannot_be_read_is_counted_and_not_staged(fresh: Scene) -> None:
    """It counts for its category's proof; it is in the database once its name can be read."""
    share, rows = share_of(fresh, "unreadable_names", 0.03)
    fresh.show("unreadable_names", value=share)
    outcome = fresh.crawl()
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert fresh.figures()["unnamed"] >= len(rows)
    assert fresh.range[0] == fresh.held - rows
    assert value(fresh.engine, "SELECT count(*) FROM listings") == len(fresh.truth) - len(rows)
    fresh.site.faults.clear()
    fresh.complete(1)
    assert (fresh.prices, fresh.range[0]) == (fresh.priced, fresh.held)


def test_a_probe_sees_the_rows_whose_prices_cannot_be_read(scene: Scene) -> None:
    share, rows = share_of(scene, "unreadable_prices", 0.03)
    scene.show("unreadable_prices", value=share)
    outcome = scene.crawl(1, probe="200")
    assert (outcome.status, outcome.reason, outcome.exit_code) == ("partial", "requested", 0)
    assert scene.range[1].isdisjoint(rows)
    assert (scene.prices, scene.range[0]) == (scene.priced, scene.held)


@pytest.mark.parametrize("scene", ["iga"], indirect=True)
def test_loose_goods_whose_price_fits_no_basis_are_seen_and_keep_their_last_price(scene: Scene) -> None:
    loose = {line.sku for line in scene.site.world.catalogue("iga").lines if line.good.kind.form == "loose"}
    rows = loose & scene.truth.keys()
    assert rows
    scene.show("unreadable_prices", value=1.0, form="basis")
    outcome = scene.crawl(1, gates={"unreadable_share": 0.2})
    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.reason
    assert scene.figures()["unreadable"] == len(rows)
    assert (scene.prices, scene.missing(), scene.range[0]) == (scene.priced, (0, 0), scene.held)
    assert scene.range[1].isdisjoint(rows)
