"""The facts about a crawl run that ends, the limits it is judged by, its verdict. Import from
`splitcart.runs.verdict`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

EVERY_STORE = "*"
"""The store code of a locator's run: it is of no single store, and only one runs at a time."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category of this run's walk."""

    key: str
    expected: int | None
    """The total on its first page; None if the chain gives none."""
    seen: int
    """Distinct skus seen in it, advertised rows excluded."""
    ended: bool
    """An empty page, or the end that the chain documents, came."""
    failed: str | None = None
    """Why its walk broke off: a CrawlError's reason, or any text."""
    capped: bool = False
    """The chain shows only the first part of it (its cap): it is proven by its children."""
    children: tuple[str, ...] = ()
    """Keys of subcategories. For a capped category, those walked in its place; otherwise all below it."""
    held: bool = True
    """False: its listings belong to other categories too and come and go by the week (specials, seasons), so its count
    is not compared with earlier runs. It is walked and proven like any other."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the run counted, in the pipelines and in the database."""

    accepted: int
    """Rows that the last pipeline accepted, those of adopted walks included."""
    staged: int
    """Rows counted in the staging table."""
    quarantined: int = 0
    """Accepted rows that the database refused one by one."""
    listings: int = 0
    """Distinct skus staged."""
    known: int = 0
    """Listings that have a price now and had an own row before."""
    changed: int = 0
    """Known listings whose price differs."""
    median_ratio: float | None = None
    """Median of new price / old price over all the known (unchanged ones count as 1); None without any."""
    requested: bool = False
    """The operator limited the crawl (`-a categories=`, `-a probe=`)."""
    crosses_flip: bool = False
    """A specials flip lies between the first and the last page of the run."""
    error: str | None = None
    """The reason of the gravest CrawlError: blocked, store_mismatch, certificate_refused, left_hosts, network_down,
    catalogue_error, failed, lease_lost; alone, or followed by a colon and what happened."""
    drops: Mapping[str, int] = field(default_factory=dict)
    """Rows dropped or repaired, as {"stage/event": n}."""
    flipped: bool = False
    """A specials flip lies between the old prices and this run, so that many changes are to be expected."""
    unreadable: int = 0
    """Staged rows whose price or name was sent and could not be read."""
    unnamed: int = 0
    """Rows that were not staged: their name could not be read, and their sku is not known."""
    ranged: int = 0
    """Listings that the store ranged after its last complete run (now, if that run did not count them), without
    those that a confirmed shortfall lacked."""
    unseen: int = 0
    """Listings that the store ranges and this run did not see, without those that a confirmed shortfall lacked."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What an earlier, otherwise complete run lacked: `figures["shortfall"]` of its verdict."""

    listings: int
    at: datetime
    """When it was first seen (aware)."""
    missing: frozenset[str]
    """Keys of the categories that were absent or too small."""
    unseen: int | None = None
    """How many ranged listings were unseen, if they were too many; else None."""


@dataclass(frozen=True, slots=True)
class History:
    """What the store's earlier runs saw."""

    last_complete: int | None = None
    """Listings of the last complete run; None before the first."""
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By key of a `held` category, its `seen` in the last 5 complete runs, oldest first; 0 for a run without it."""
    shortfall: Shortfall | None = None
    """The latest shortfall since the last complete run."""
    company_usual: float | None = None
    """Median of the listings that the last complete runs of the company's other stores saw. Set only for a store
    without a complete run; None if no other store has one."""


@dataclass(frozen=True, slots=True)
class Gates:
    """The limits of the verdict; all of them settings."""

    tolerance: float = 0.005
    """Share of a category's total that may be unseen. At least one listing may always be unseen."""
    category_share: float = 0.70
    store_share: float = 0.97
    turnover_share: float = 0.80
    """Least share of the listings ranged before that must be seen again."""
    first_share: float = 0.30
    """Least share of the company's usual listings that a store's first complete run must see."""
    unreadable_share: float = 0.05
    """Largest share of unreadable rows, among staged rows plus rows rejected because their name could not be read."""
    changed_share: float = 0.40
    ratio_low: float = 0.8
    ratio_high: float = 1.25
    confirm_hours: float = 12
    confirm_tolerance: float = 0.01

    def __post_init__(self) -> None:
        shares = [name for name in self.__dataclass_fields__ if name.endswith("_share") or "tolerance" in name]
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"gate {name} is {getattr(self, name)}: a share of 0 to 1 is wanted, 0.7 for 70%")
        if not 0 < self.ratio_low <= self.ratio_high:
            raise ValueError(
                f"gates ratio_low {self.ratio_low}, ratio_high {self.ratio_high}: 0 < low <= high is wanted"
            )
        if not self.confirm_hours >= 0:
            raise ValueError(f"gate confirm_hours is {self.confirm_hours}: 0 or more is wanted")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Gates":
        """The gates with these settings, by name. ValueError: an unknown name, or a value out of its range."""
        if unknown := sorted(settings.keys() - cls.__dataclass_fields__.keys()):
            raise ValueError(f"there is no gate {unknown[0]!r}: one of {', '.join(cls.__dataclass_fields__)}")
        return cls(**{name: float(value) for name, value in settings.items()})

    def slack(self, count: float) -> float:
        """How many listings fewer than `count` are no shortfall."""
        return max(1.0, self.tolerance * count)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended, why, and what it may change."""

    status: str
    """complete, partial, blocked or failed."""
    reason: str
    """A code, or `code: the thing, its value and the expected value`."""
    publishes: str
    """`all`: upsert and judge absence. `seen`: upsert only. `nothing`."""
    figures: dict[str, object]
    """Every number behind it, ready for JSON: the counts, the shares, the categories by outcome, all `causes`."""
