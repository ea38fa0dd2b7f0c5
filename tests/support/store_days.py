"""A store by the day, and crawls of it, to test verdicts without HTTP and without a database."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from splitcart.periods import Flip, crosses
from splitcart.runs.verdict import Category, Counts, Gates, History, Shortfall, Verdict, verdict

ZONE = "Australia/Sydney"
START = datetime(2026, 1, 5, 20, 0, tzinfo=UTC)
CAP = 4992


@dataclass
class Store:
    """Departments of categories of priced skus, which change day by day as real ones do."""

    rng: random.Random
    categories: dict[str, dict[str, int]] = field(default_factory=dict)
    regular: dict[str, int] = field(default_factory=dict)
    made: int = 0

    @classmethod
    def of(cls, seed: int, *, categories: int = 60, smallest: int = 3, largest: int = 400) -> "Store":
        store = cls(random.Random(seed))
        for number in range(categories):
            size = round(smallest * (largest / smallest) ** store.rng.random())
            key = f"c{number:02d}"
            store.categories[key] = {}
            for _ in range(size):
                store.add(key)
        return store

    def add(self, key: str) -> None:
        self.made += 1
        sku = f"s{self.made}"
        self.regular[sku] = self.rng.randrange(100, 3000)
        self.categories[key][sku] = self.regular[sku]

    def prices(self) -> dict[str, int]:
        return {sku: cents for skus in self.categories.values() for sku, cents in skus.items()}

    def a_day(self, *, flip: bool, churn: tuple[float, float] = (0.02, 0.06), leavers: float = 0.2) -> None:
        """A share of all listings drawn from `churn` changes: `leavers` of it by leaving for a new one, the rest in
        price; on a flip the specials of 25 to 35% of the listings begin or end besides."""
        share = self.rng.uniform(*churn)
        for key, skus in self.categories.items():
            for sku in list(skus):
                if self.rng.random() < share:
                    self.change(key, sku, leaves=self.rng.random() < leavers)
        if flip:
            self.flip(self.rng.uniform(0.25, 0.35))

    def change(self, key: str, sku: str, *, leaves: bool) -> None:
        if leaves:
            del self.categories[key][sku]
            self.add(self.rng.choice(list(self.categories)) if self.rng.random() < 0.3 else key)
        else:
            self.regular[sku] = max(50, round(self.regular[sku] * self.rng.uniform(0.9, 1.12)))
            self.categories[key][sku] = self.regular[sku]

    def flip(self, share: float) -> None:
        for skus in self.categories.values():
            for sku in skus:
                if self.rng.random() < share:
                    on_special = skus[sku] < self.regular[sku]
                    off = 1.0 if on_special else self.rng.choice((0.5, 0.6, 0.7, 0.8))
                    skus[sku] = round(self.regular[sku] * off)

    def cut(self, share: float) -> None:
        """The store really sells less: that share of each category is removed."""
        for skus in self.categories.values():
            for sku in self.rng.sample(sorted(skus), round(share * len(skus))):
                del skus[sku]


@dataclass
class Crawl:
    """What one run brings to its verdict."""

    counts: Counts
    categories: list[Category]
    reason: str = "finished"
    unreadable: frozenset[str] = frozenset()
    """Skus whose prices could not be read."""


@dataclass
class Memory:
    """What is kept between runs, as the database keeps it: last prices, range and absence, the counts of 5 complete
    runs, a shortfall."""

    prices: dict[str, int] = field(default_factory=dict)
    ranged: set[str] = field(default_factory=set)
    missing: dict[str, datetime] = field(default_factory=dict)
    """Ranged listings that a complete run did not see, and when."""
    confirmed: set[str] = field(default_factory=set)
    """Those of them that a confirmed shortfall lacked."""
    ranged_then: int | None = None
    """How many were ranged after the last complete run."""
    company_usual: float | None = None
    at: datetime | None = None
    complete: list[dict[str, int]] = field(default_factory=list)
    last_complete: int | None = None
    shortfall: Shortfall | None = None

    def history(self) -> History:
        keys = {key for run in self.complete for key in run}
        counts = {key: tuple(run.get(key, 0) for run in self.complete) for key in sorted(keys)}
        usual = self.company_usual if self.last_complete is None else None
        return History(self.last_complete, counts, self.shortfall, usual)

    def crawl(
        self,
        seen: dict[str, dict[str, int]],
        now: datetime,
        totals: dict[str, int] | None = None,
        unreadable: Collection[str] = (),
    ) -> Crawl:
        """A run that saw `seen`, of categories that gave `totals` (what was seen, where none are given); the prices of
        `unreadable` skus could not be read."""
        prices = {sku: cents for skus in seen.values() for sku, cents in skus.items()}
        known = [
            (self.prices[sku], cents) for sku, cents in prices.items() if sku in self.prices and sku not in unreadable
        ]
        judged = self.confirmed & self.ranged
        counts = Counts(
            accepted=len(prices),
            staged=len(prices),
            listings=len(prices),
            known=len(known),
            changed=sum(old != new for old, new in known),
            median_ratio=median(new / old for old, new in known) if known else None,
            flipped=self.at is not None and crosses(Flip(), ZONE, self.at, now),
            unreadable=len(unreadable),
            ranged=(len(self.ranged) if self.ranged_then is None else self.ranged_then) - len(judged),
            unseen=len(self.ranged - judged - prices.keys()),
        )
        totals = totals or {key: len(skus) for key, skus in seen.items()}
        walk = [
            Category(key, total, len(seen.get(key, ())), len(seen.get(key, ())) >= total)
            for key, total in totals.items()
        ]
        return Crawl(counts, walk, unreadable=frozenset(unreadable))

    def judge(self, crawl: Crawl, now: datetime, gates: Gates | None = None) -> Verdict:
        return verdict(crawl.reason, crawl.counts, crawl.categories, self.history(), gates or Gates(), now=now)

    def keep(self, judged: Verdict, crawl: Crawl, seen: dict[str, dict[str, int]], now: datetime) -> None:
        """Remembers a verdict as publishing does."""
        shown = {sku: cents for skus in seen.values() for sku, cents in skus.items()}
        if judged.publishes != "nothing":
            self.prices |= {sku: cents for sku, cents in shown.items() if sku not in crawl.unreadable}
            self.ranged |= shown.keys()
            self.missing = {sku: since for sku, since in self.missing.items() if sku not in shown}
        if judged.publishes == "all":
            self.at, self.shortfall = now, None
            self.complete = [*self.complete, {c.key: c.seen for c in crawl.categories}][-5:]
            self.last_complete = crawl.counts.listings
            self._miss(self.ranged - shown.keys(), now, confirmed="shortfall_confirmed" in judged.reason)
            self.ranged_then = len(self.ranged)
        elif note := judged.figures.get("shortfall"):
            at, missing = datetime.fromisoformat(note["at"]), frozenset(note["missing"])
            self.shortfall = Shortfall(note["listings"], at, missing, note["unseen"])
        self.confirmed &= self.missing.keys()

    def _miss(self, unseen: set[str], now: datetime, *, confirmed: bool) -> None:
        """Unseen once is missing, unseen again 20 hours later or more is delisted."""
        gone = {sku for sku in unseen if sku in self.missing and now - self.missing[sku] >= timedelta(hours=20)}
        first = unseen - self.missing.keys()
        self.missing |= dict.fromkeys(first, now)
        self.confirmed |= first if confirmed else set()
        self.ranged -= gone
        for sku in gone:
            del self.missing[sku], self.prices[sku]


def settled(seed: int, days: int = 6, **shape: int) -> tuple[Store, Memory, datetime]:
    """A store with `days` clean days behind it, what is remembered of them, and the time of the next run."""
    store, memory = Store.of(seed, **shape), Memory()
    now = START
    for _ in range(days):
        live_a_day(store, memory, now)
        now += timedelta(days=1)
    store.a_day(flip=crosses(Flip(), ZONE, now - timedelta(days=1), now))
    return store, memory, now


def live_a_day(store: Store, memory: Memory, now: datetime, **day: object) -> Verdict:
    """One clean day: the store changes, all of it is crawled, judged and remembered."""
    store.a_day(flip=crosses(Flip(), ZONE, now - timedelta(days=1), now), **day)
    crawl = memory.crawl(store.categories, now)
    judged = memory.judge(crawl, now)
    memory.keep(judged, crawl, {key: dict(skus) for key, skus in store.categories.items()}, now)
    return judged


def without(crawl: Crawl, **changes: object) -> Crawl:
    return replace(crawl, counts=replace(crawl.counts, **changes))
