"""Which store of a company is crawled next: the order of its stores, and why a store is not offered.

docs/scheduling.md has the rule in words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from splitcart.grouping import natural_key
from splitcart.periods import Flip, crosses, next_flip, period_start
from splitcart.timezones import zone_called

REASONS: Mapping[str, str] = {
    "closed": "the locator no longer finds the store",
    "offline": "the store sells nothing online",
    "blocked": "the site has blocked us: its company is paused",
    "waiting": "its last crawls failed, or lacked something that is to be confirmed",
    "flip": "its crawl would not end before specials change",
    "scheduled": "it was handed out not long ago",
    "leased": "a crawl holds it, or is about to",
}
"""Why a store is not offered, in words. Of reasons that end at one moment the first here is named."""

STATES = ("never", "fresh", "stale", "running", "failing", "closed")

_NEVER = datetime.max.replace(tzinfo=UTC)
_PERIOD = timedelta(days=7)
_ANYWHERE = "Australia/Sydney"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What the rule knows of one store."""

    id: int
    store_id: str
    """The chain's own id."""
    timezone: str = _ANYWHERE
    is_online: bool = True
    closed_at: datetime | None = None
    needs_rescraping: bool = False
    last_scraped: datetime | None = None
    verified_at: datetime | None = None
    scheduled_at: datetime | None = None
    lease_until: datetime | None = None
    """The end of its lease, or of its running crawl's where that ends later."""
    next_try_at: datetime | None = None
    fail_count: int = 0
    requests: int | None = None
    """Of its last complete run."""

    def is_held(self, now: datetime) -> bool:
        """Whether somebody holds a lease of the store."""
        return self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What the rule knows of the stores' company."""

    flip: Flip = field(default_factory=Flip)
    live: int = 0
    """Crawls that ask its site, and stores that were handed out to one: they share the host's rate."""
    usual_requests: float | None = None
    """The median of its stores' last complete runs."""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings of the rule."""

    lockout: timedelta = timedelta(hours=4)
    """How long a store is not offered again after it was handed out."""
    rate: float = 1.0
    """Requests a second and host, for all crawls of a company together."""

    def __post_init__(self) -> None:
        if not self.rate > 0 or self.lockout < timedelta(0):
            raise ValueError(f"rate {self.rate}, lock-out {self.lockout}: want a rate above 0 and no negative lock-out")


@dataclass(frozen=True, slots=True)
class Held:
    """Why a store is not offered, and when it becomes free; None: when an operator or a locator says so."""

    reason: str
    until: datetime | None

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class Queue:
    """The stores of a company: those offered, the next one first, and why the others are not."""

    offered: tuple[Store, ...]
    held: Mapping[str, Held]

    @property
    def reasons(self) -> dict[str, int]:
        """For how many stores each reason counts, the most frequent first."""
        counted = Counter(each.reason for each in self.held.values())
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def next_free_at(self) -> datetime | None:
        """When the first store that is held becomes free; None where none will by itself."""
        return min((each.until for each in self.held.values() if each.until is not None), default=None)


def queue(stores: Iterable[Store], company: Company, rules: Rules, now: datetime) -> Queue:
    """Every store of one company, offered or held, at `now`."""
    known = list(stores)
    held = {each.store_id: why for each in known if (why := why_not(each, company, rules, now))}
    offered = (each for each in known if each.store_id not in held)
    return Queue(tuple(sorted(offered, key=turn)), held)


def turn(store: Store) -> tuple[Any, ...]:
    """Sorts stores: to be crawled again, never crawled, longest ago, then by store id as people count."""
    scraped = store.last_scraped
    return (not store.needs_rescraping, scraped is not None, scraped or _NEVER, natural_key(store.store_id))


def why_not(store: Store, company: Company, rules: Rules, now: datetime) -> Held | None:
    """The reason that ends last of those for which the store is not offered at `now`; None: it is offered.

    A store that would become free shortly before a flip becomes free with the flip.
    """
    ends = _ends(store, company, rules, now)
    if not ends:
        return None
    reason = max(ends, key=lambda name: (ends[name], -list(REASONS).index(name)))
    if ends[reason] == _NEVER:
        return Held(reason, None)
    return Held(reason, _flip_before(store, company, rules, ends[reason]) or ends[reason])


def _ends(store: Store, company: Company, rules: Rules, now: datetime) -> dict[str, datetime]:
    """Each reason that holds at `now`, with its end."""
    ends = {
        "closed": None if store.closed_at is None else _NEVER,
        "offline": None if store.is_online else _NEVER,
        "blocked": company.paused_until,
        "waiting": store.next_try_at,
        "flip": _flip_before(store, company, rules, now),
        "scheduled": None if store.scheduled_at is None else store.scheduled_at + rules.lockout,
        "leased": store.lease_until,
    }
    return {reason: end for reason, end in ends.items() if end is not None and end > now}


def _flip_before(store: Store, company: Company, rules: Rules, begin: datetime) -> datetime | None:
    """The flip that a crawl begun at `begin` is expected to cross; None where it is expected to end before.

    A crawl that no period is long enough for is not held back: it would wait for ever.
    """
    lasts = expected(store, company, rules)
    zone = zone_called(store.timezone) or _ANYWHERE
    if lasts >= _PERIOD or not crosses(company.flip, zone, begin, begin + lasts):
        return None
    return next_flip(company.flip, zone, begin)


def expected(store: Store, company: Company, rules: Rules) -> timedelta:
    """How long a crawl of the store is expected to take: its requests at its share of the host's rate.

    Nothing where no store of the company was ever complete.
    """
    requests = company.usual_requests if store.requests is None else store.requests
    seconds = (requests or 0) / rules.rate * (company.live + 1)
    return timedelta(seconds=min(seconds, _PERIOD.total_seconds()))


def state(store: Store, company: Company, now: datetime) -> str:
    """One of STATES. Fresh: seen whole, or found as known by a probe, since specials changed last."""
    if store.closed_at is not None:
        return "closed"
    if store.is_held(now):
        return "running"
    if store.fail_count > 0:
        return "failing"
    if store.last_scraped is None:
        return "never"
    seen = max(store.last_scraped, store.verified_at or store.last_scraped)
    since = period_start(company.flip, zone_called(store.timezone) or _ANYWHERE, now)
    return "fresh" if seen >= since and not store.needs_rescraping else "stale"
