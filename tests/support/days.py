"""Days of a small chain: what its storefronts show, and what happens to its crawls.

The storefronts are the truth: dictionaries that change by the day. Crawls, probes, kills, faults, merges, resets and
rollbacks happen to the database, in an order drawn from a seed; `check` tests whether it is still true.
"""

import contextlib
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select

from models.errors import RollbackRefused
from models.groups.merging import Merger, reset
from models.prices.queries import effective_prices, price_at
from models.publishing.availability import SECOND_LOOK
from models.publishing.publish import publish
from models.publishing.rollback import rollback
from models.runs import opening
from models.runs.endings import Ending
from models.slots.building import build
from models.tables import companies, crawl_runs, listings, price_slots, stores
from splitcart.grouping.rules import Rules
from splitcart.periods import Flip, crosses
from tests.support.storage import START, check_sound, judged, measured, open_run, row, stage

HOUR = timedelta(hours=1)
ZONE = "Australia/Sydney"
Shelf = dict[str, int | None]
"""What a storefront shows: price in cents by sku, None for a row without one; a sku that is absent is not shown."""

CRAWLS = {"crawl": 10, "partial": 3, "probe": 3, "broken": 2, "killed": 2, "resumed": 3, "rollback": 2}
CHANGES = {"prices": 6, "deviation": 1, "absent": 2, "unpriced": 2, "week": 1, "merge": 6, "reset": 1}
WORDS = CRAWLS | CHANGES
"""The operations, with their weights."""


@dataclass
class Shown:
    """What one publish of a run saw."""

    store: str
    run_id: int
    at: datetime
    shelf: Shelf
    is_complete: bool = True


@dataclass
class Days:
    """One chain: `stores` in two zones, `lines` listings each."""

    engine: Engine
    seed: int
    stores: int = 5
    lines: int = 20
    now: datetime = START
    shelves: dict[str, Shelf] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    """What the published runs saw that were not rolled back, oldest first."""
    log: list[str] = field(default_factory=list)
    """The operations so far, for a failing test to show."""
    sources: Counter[str] = field(default_factory=Counter)
    """How the prices that were checked were known."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        for number in range(self.stores):
            self.shelves[str(number)] = {str(sku): 200 + sku + 7 * self.zone(str(number)) for sku in range(self.lines)}

    def zone(self, store: str) -> int:
        return int(store) % 2

    def live(self, operations: int) -> None:
        """Performs so many random operations."""
        words, weights = list(WORDS), list(WORDS.values())
        for store in () if self.log else self.shelves:
            self.crawl(store)
        for _ in range(operations):
            self.now += self.rng.choice([1, 2, 5, 11, 26]) * HOUR
            word = self.rng.choices(words, weights)[0]
            store = self.rng.choice(list(self.shelves))
            self.log.append(f"{self.now:%a %d %H:%M} {word} {store}")
            getattr(self, word)(store)

    # The storefronts -------------------------------------------------------------------------------------------

    def week(self, _store: str) -> None:
        """A flip: half of the lines get other prices in one zone or both."""
        self.now += timedelta(days=self.rng.choice([3, 7]))
        for zone in self.rng.choice([(0,), (1,), (0, 1)]):
            self._reprice(zone, self.rng.sample(range(self.lines), self.lines // 2))

    def prices(self, store: str) -> None:
        """A few lines change in a whole zone."""
        self._reprice(self.zone(store), self.rng.sample(range(self.lines), self.rng.choice([1, 2])))

    def _reprice(self, zone: int, lines: list[int]) -> None:
        cents = {str(sku): self.rng.randrange(180, 260) for sku in lines}
        for store, shelf in self.shelves.items():
            if self.zone(store) == zone:
                shelf |= {sku: price for sku, price in cents.items() if shelf.get(sku) is not None}

    def deviation(self, store: str) -> None:
        """One line costs something else in one store."""
        self.shelves[store][str(self.rng.randrange(self.lines))] = self.rng.randrange(180, 260)

    def absent(self, store: str) -> None:
        """A line comes or goes."""
        sku = str(self.rng.randrange(self.lines))
        if sku in self.shelves[store]:
            del self.shelves[store][sku]
        else:
            self.shelves[store][sku] = 200 + int(sku)

    def unpriced(self, store: str) -> None:
        """A line is shown without a price, or with one again."""
        sku = str(self.rng.randrange(self.lines))
        self.shelves[store][sku] = 200 + int(sku) if self.shelves[store].get(sku) is None else None

    # The crawls ------------------------------------------------------------------------------------------------

    def crawl(self, store: str) -> None:
        """A complete run."""
        self._publish_all(store, self._rows(store), "complete", "finished")

    def partial(self, store: str) -> None:
        """A run that misses a category."""
        rows = self._rows(store)
        self._publish_all(store, rows[: len(rows) // 2], "partial", "category_short: x")

    def probe(self, store: str) -> None:
        """Some pages, as asked."""
        self._publish_all(store, self.rng.sample(self._rows(store), 6), "partial", "requested")

    def broken(self, store: str) -> None:
        """A run of which nothing may be published."""
        run = open_run(self.engine, store, now=self.now)
        stage(self.engine, run.id, [row(sku, 9999) for sku in range(5)])
        failed = judged("failed", "implausible: x")
        opening.finish(self.engine, run, Ending(verdict=failed, now=self.now))

    def killed(self, store: str) -> None:
        """A run that dies while it stages: the next one abandons it."""
        run = open_run(self.engine, store, now=self.now)
        stage(self.engine, run.id, self._rows(store)[:9])
        self.now += HOUR

    def resumed(self, store: str) -> None:
        """A run that dies, or publishes a part, and is resumed an hour later, when some prices have changed."""
        rows, first = self._rows(store), self.now
        half = len(rows) // 2
        run = open_run(self.engine, store, now=first)
        stage(self.engine, run.id, rows[:half])
        if self.rng.random() < 0.5:
            self._publish(run, store, rows[:half], "partial", "category_short: x")
        self.now += HOUR
        self.prices(store)
        self.deviation(store)
        if crosses(Flip(), ZONE, first, self.now):
            return
        again = open_run(self.engine, store, now=self.now, resume=True)
        assert again.id == run.id
        seen = {str(one["sku"]) for one in rows[:half]}
        late = [one for one in self._rows(store) if one["sku"] not in seen]
        stage(self.engine, again.id, late)
        self._publish(again, store, [*rows[:half], *late], "complete", "finished")

    def _publish_all(self, store: str, rows: list[dict], status: str, reason: str) -> None:
        run = open_run(self.engine, store, now=self.now)
        stage(self.engine, run.id, rows)
        self._publish(run, store, rows, status, reason)

    def _publish(self, run: opening.Run, store: str, rows: list[dict], status: str, reason: str) -> None:
        counts = measured(self.engine, run)
        publish(self.engine, run, Ending(verdict=judged(status, reason), now=self.now, counts=counts))
        shelf = {one["sku"]: one["price_cents"] for one in rows}
        self.shown.append(Shown(store, run.id, self.now, shelf, status == "complete"))

    def _rows(self, store: str) -> list[dict]:
        return [row(sku, cents) for sku, cents in sorted(self.shelves[store].items(), key=lambda pair: int(pair[0]))]

    # The groups ------------------------------------------------------------------------------------------------

    def merge(self, _store: str) -> None:
        Merger(self.engine, self._company(), Rules.at(0.9, flip=Flip()), lambda: self.now).run()

    def reset(self, _store: str) -> None:
        reset(self.engine, self._company(), lambda: self.now)

    def rollback(self, store: str) -> None:
        """The latest run of a store that published is rolled back, where no later run builds on it."""
        with self.engine.connect() as connection:
            table = crawl_runs.c
            mine = (table.store_code == store, table.undo.is_not(None), table.rolled_back_at.is_(None))
            run = connection.execute(select(func.max(table.id)).where(*mine)).scalar()
        if run is not None:
            with contextlib.suppress(RollbackRefused):
                rollback(self.engine, run, self.now)
                self.shown = [one for one in self.shown if one.run_id != run]

    def _company(self):
        with self.engine.connect() as connection:
            return connection.execute(select(companies)).one()

    # The truth -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every promise of the database holds, and all ways of asking agree about now."""
        self.check_slots()
        check_sound(self.engine)
        with self.engine.connect() as connection:
            self._check_now(connection, *self._ids(connection))

    def check_history(self) -> None:
        """The history still holds what each complete crawl was shown."""
        with self.engine.connect() as connection:
            ids, skus = self._ids(connection)
            for shown in (one for one in self.shown if one.is_complete):
                for sku, cents in shown.shelf.items():
                    if cents is not None:
                        then = price_at(connection, ids[shown.store], skus[sku], shown.at)
                        assert then is not None, (shown.store, sku, shown.at)
                        assert (then.price_cents, then.source) == (cents, "own"), (shown.store, sku, shown.at)
            for store, store_id in ids.items():
                self._check_absences(connection, store_id, [one for one in self.shown if one.store == store], skus)

    def _ids(self, connection) -> tuple[dict[str, int], dict[str, int]]:
        """The ids of stores by code, and of listings by sku."""
        skus = {sku: i for i, sku in connection.execute(select(listings.c.id, listings.c.sku))}
        return {code: i for i, code in connection.execute(select(stores.c.id, stores.c.store_code))}, skus

    def _check_absences(self, connection, store_id: int, shown: list[Shown], skus: dict[str, int]) -> None:
        """A line that two complete runs far enough apart did not see, and none between, is not sold by then."""
        for sku, listing_id in skus.items():
            unseen: datetime | None = None
            for one in shown:
                if sku in one.shelf:
                    unseen = None
                elif one.is_complete and unseen is None:
                    unseen = one.at
                elif one.is_complete and one.at - unseen >= SECOND_LOOK:
                    then = price_at(connection, store_id, listing_id, one.at)
                    assert then is None or then.price_cents is None, (store_id, sku, one.at)

    def _check_now(self, connection, ids: dict[str, int], skus: dict[str, int]) -> None:
        """The effective prices are those that price_at returns for now."""
        found = list(effective_prices(connection, list(ids.values()), self.now))
        later = self.now + timedelta(minutes=1)
        for one in found:
            self.sources[one.source] += 1
            then = price_at(connection, one.store_id, one.listing_id, later)
            assert then is not None
            expected = (then.price_cents, then.source, then.observed_at)
            assert (one.price_cents, one.source, one.observed_at) == expected, (one, then)
        given = {(one.store_id, one.listing_id) for one in found}
        for store_id, listing_id in itertools.product(ids.values(), skus.values()):
            if (store_id, listing_id) not in given:
                then = price_at(connection, store_id, listing_id, later)
                assert then is None or then.price_cents is None, (store_id, listing_id, then)

    def check_slots(self) -> None:
        """Slots that were kept up to date by their marks equal those of a complete build."""
        build(self.engine)
        kept = self._slots()
        build(self.engine, everything=True)
        assert kept == self._slots()

    def _slots(self) -> list:
        with self.engine.connect() as connection:
            return connection.execute(select(price_slots).order_by(*price_slots.primary_key.columns)).all()

    def check_storefront(self, store: str) -> None:
        """After a complete crawl the store's prices are exactly its storefront's."""
        self.now += HOUR
        self.crawl(store)
        with self.engine.connect() as connection:
            skus = dict(connection.execute(select(listings.c.id, listings.c.sku)).all())
            wanted = select(stores.c.id).where(stores.c.store_code == store)
            store_id = connection.execute(wanted).scalar_one()
            found = {skus[p.listing_id]: p for p in effective_prices(connection, [store_id], self.now)}
        shown = {sku: cents for sku, cents in self.shelves[store].items() if cents is not None}
        assert {sku: found[sku].price_cents for sku in shown} == shown
        assert {found[sku].source for sku in shown} <= {"own"}
        assert {sku for sku, one in found.items() if one.is_available} == set(shown)
