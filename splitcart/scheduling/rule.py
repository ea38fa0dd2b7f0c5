"""Which store of a company is crawled next, in full or by a probe; and why another one is not offered.

docs/scheduling.md states the rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from splitcart.grouping.rules import natural_key
from splitcart.periods import Flip, next_flip, period_start
from splitcart.scheduling.probes import pages_for
from splitcart.timezones import DEFAULT_ZONE, zone_called

REASONS: Mapping[str, str] = {
    "closed": "the locator no longer finds the store",
    "offline": "the store sells nothing online",
    "blocked": "the site has blocked us: its company is paused",
    "waiting": "its last crawls failed, or lacked something that is to be confirmed",
    "flip": "its crawl would not end before specials change",
    "scheduled": "it was handed out not long ago",
    "leased": "a crawl holds it, or is about to",
}
"""Each reason why a store is not offered, in words. If several end at the same time, the first one here is given."""

STATES = ("never", "fresh", "stale", "running", "failing", "closed")

POLICIES = ("oldest", "groups")
TREE_REQUESTS = 2
"""Requests that a crawl makes besides its listing pages: a session and the category tree."""

LARGE_GROUP = 10
"""A due anchor of at least this many other stores comes before all else: its crawl renews the prices of all of them.
If anchors of fewer stores did too, they could use the budget up every day, and a store that was never crawled would
never be crawled."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_PERIOD = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What the rule knows of one store."""

    id: int
    store_code: str
    """The chain's own id."""
    timezone: str = DEFAULT_ZONE
    is_online: bool = True
    closed_at: datetime | None = None
    needs_rescraping: bool = False
    last_scraped: datetime | None = None
    verified_at: datetime | None = None
    scheduled_at: datetime | None = None
    lease_until: datetime | None = None
    """The end of its lease, or of its running crawl's if that ends later."""
    next_try_at: datetime | None = None
    fail_count: int = 0
    requests: int | None = None
    """Requests of its last complete run."""
    anchor: str | None = None
    """The chain's id of its group's anchor: its own for an anchor; None without a group."""
    anchor_scraped: datetime | None = None
    """`last_scraped` of its anchor."""
    followers: int = 0
    """How many other stores of its group it anchors."""

    @property
    def is_member(self) -> bool:
        """Whether another store is its anchor."""
        return self.anchor not in (None, self.store_code)

    def is_leased(self, now: datetime) -> bool:
        """Whether the store is leased to a crawl at `now`."""
        return self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What the rule knows of the stores' company."""

    flip: Flip = field(default_factory=Flip)
    live: int = 0
    """Its running crawls, and stores handed out whose crawl has not begun: together they share the host's rate."""
    usual_requests: float | None = None
    """The median of the requests of its stores' last complete runs."""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings of the rule."""

    lockout: timedelta = timedelta(hours=4)
    """How long a store is not offered again after it was handed out."""
    rate: float = 1.0
    """Requests a second and host, for all crawls of a company together."""
    policy: str = "oldest"
    """One of POLICIES. oldest: every store in full. groups: anchors in full, members by probes."""
    anchors_every: timedelta = timedelta(days=1)
    """For `groups`: how long after its last look an anchor with members is due again within a period, and a member that
    no probe has verified since its own crawl."""
    others_every: timedelta = timedelta(days=3)
    """For `groups`: how long after its last look any other member, or a store alone, is due again: three looks a
    period."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"policy {self.policy!r}: one of {', '.join(POLICIES)} is wanted")
        if not self.rate > 0 or self.lockout < timedelta(0):
            raise ValueError(f"rate {self.rate} must be above 0, lock-out {self.lockout} not negative")


@dataclass(frozen=True, slots=True)
class NotOffered:
    """Why a store is not offered, and when it becomes free; None: only an operator or a locator frees it."""

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
    not_offered: Mapping[str, NotOffered]
    """By store code."""
    probes: Mapping[str, int] = field(default_factory=dict)
    """By store code, how many pages the crawl of an offered store draws; other offered stores are crawled in full."""

    @property
    def reasons(self) -> dict[str, int]:
        """How many stores are not offered for each reason, the most frequent first."""
        counted = Counter(each.reason for each in self.not_offered.values())
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def next_free_at(self) -> datetime | None:
        """When the first store that is not offered becomes free; None if none becomes free by itself."""
        return min((each.until for each in self.not_offered.values() if each.until is not None), default=None)


def queue(stores: Iterable[Store], company: Company, rules: Rules, now: datetime) -> Queue:
    """The queue of one company at `now`. Each of its stores is either offered or not."""
    known = list(stores)
    not_offered = {each.store_code: why for each in known if (why := why_not(each, company, rules, now))}
    offered = [each for each in known if each.store_code not in not_offered]
    offered.sort(key=lambda each: turn(each, company, rules, now))
    probes = ((each.store_code, probe_of(each, company, rules, now)) for each in offered)
    return Queue(tuple(offered), not_offered, {code: pages for code, pages in probes if pages is not None})


def turn(store: Store, company: Company, rules: Rules, now: datetime) -> tuple[Any, ...]:
    """The sort key of a store: first those with needs_rescraping, then those never crawled, then the oldest
    `last_scraped`; of equal ones the smaller store code in natural order.

    With the policy `groups` due anchors of LARGE_GROUP stores or more come first; then stores with needs_rescraping and
    those never crawled; then the other due stores, the longest due first, of these the anchor of most stores, members
    last; then the rest by `last_scraped`.
    """
    scraped = store.last_scraped
    when = due(store, company, rules, now) if rules.policy == "groups" and scraped is not None else None
    is_due = when is not None and when <= now
    leads = is_due and store.followers >= LARGE_GROUP
    order: tuple[Any, ...] = (_NEVER, 0, False)
    if leads or (is_due and not store.needs_rescraping):
        order = (when, -store.followers, store.is_member)
    first = (not leads, not store.needs_rescraping, scraped is not None)
    return (*first, *order, scraped or _NEVER, natural_key(store.store_code))


def due(store: Store, company: Company, rules: Rules, now: datetime) -> datetime | None:
    """When a store is due for its next look with the policy `groups`: at the flip, if there was no look since.

    None for a member whose anchor was not crawled since the flip: the member's known prices are older than the flip, so
    a probe would settle nothing. Handing a member out counts as a look, whatever its probe settled. A member that no
    probe has verified since its own crawl is due again as soon as an anchor is, because until then grouping compares
    that crawl with newer crawls of the anchor.
    """
    since = _since(company.flip, _zone(store), now)
    looks, soon = [store.last_scraped], store.followers > 0
    if store.is_member:
        if store.anchor_scraped is None or store.anchor_scraped < since:
            return None
        looks += [store.verified_at, store.scheduled_at]
        soon = store.verified_at is None or store.verified_at < (store.last_scraped or _NEVER)
    last = max((look for look in looks if look is not None), default=None)
    if last is None or last < since:
        return since
    return last + (rules.anchors_every if soon else rules.others_every)


def _zone(store: Store) -> str:
    """The store's time zone; DEFAULT_ZONE if it has no known one."""
    return zone_called(store.timezone) or DEFAULT_ZONE


def _requests(store: Store, company: Company) -> float | None:
    """How many requests the store's complete crawl takes; None if no store of the company had one."""
    return company.usual_requests if store.requests is None else store.requests


@lru_cache(maxsize=256)
def _since(flip: Flip, zone: str, now: datetime) -> datetime:
    """When the specials period of `now` began."""
    return period_start(flip, zone, now)


def probe_of(store: Store, company: Company, rules: Rules, now: datetime) -> int | None:
    """How many pages a crawl of the store that begins at `now` draws; None: it is crawled in full.

    A due member is probed. A member that is not due gets a turn only when no store is due, and is then crawled in full:
    only a full crawl sees all of a member's own range and prices.
    """
    requests = _requests(store, company)
    if rules.policy != "groups" or not store.is_member or store.needs_rescraping or not requests:
        return None
    when = due(store, company, rules, now) if store.last_scraped is not None else None
    return None if when is None or when > now else _pages_for(max(1, int(requests) - TREE_REQUESTS))


_pages_for = lru_cache(maxsize=4096)(pages_for)


def why_not(store: Store, company: Company, rules: Rules, now: datetime) -> NotOffered | None:
    """Why the store is not offered at `now`: of several reasons the one that ends last. None: it is offered.

    A store that would become free so shortly before a flip that its crawl would cross it becomes free at the flip.
    """
    ends = _ends(store, company, rules, now)
    if not ends:
        return None
    reason = max(ends, key=lambda name: (ends[name], -list(REASONS).index(name)))
    if ends[reason] == _NEVER:
        return NotOffered(reason, None)
    return NotOffered(reason, _flip_before(store, company, rules, ends[reason]) or ends[reason])


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
    """The flip that a crawl begun at `begin` is expected to cross; None if it is expected to end before.

    None, too, for a crawl that takes a whole period or more: it would wait for ever.
    """
    lasts = expected(store, company, rules, begin)
    zone = _zone(store)
    if lasts >= _PERIOD or _since(company.flip, zone, begin) == _since(company.flip, zone, begin + lasts):
        return None
    return next_flip(company.flip, zone, begin)


def expected(store: Store, company: Company, rules: Rules, begin: datetime) -> timedelta:
    """How long a crawl of the store that begins at `begin` is expected to take, at most a period.

    That is its requests over its share of the host's rate; 0 if no store of the company has had a complete run.
    """
    requests = _requests(store, company)
    probe = probe_of(store, company, rules, begin)
    if probe is not None:
        requests = probe + TREE_REQUESTS
    seconds = (requests or 0) / rules.rate * (company.live + 1)
    return timedelta(seconds=min(seconds, _PERIOD.total_seconds()))


def state(store: Store, company: Company, now: datetime) -> str:
    """One of STATES. Fresh: crawled completely, or verified by a probe, since the last flip."""
    if store.closed_at is not None:
        return "closed"
    if store.is_leased(now):
        return "running"
    if store.fail_count > 0:
        return "failing"
    if store.last_scraped is None:
        return "never"
    looked_at = max(store.last_scraped, store.verified_at or store.last_scraped)
    since = _since(company.flip, _zone(store), now)
    return "fresh" if looked_at >= since and not store.needs_rescraping else "stale"
