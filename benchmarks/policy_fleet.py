"""A fleet that crawls one chain by the real rules of the schedule, of probes and of grouping."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from benchmarks.policy_known import Known
from benchmarks.policy_world import Flags, Ints, Truth
from sandbox.world import EPOCH
from splitcart.grouping import rules as grouping
from splitcart.grouping.memory import Comparer
from splitcart.grouping.plan import Plan as Groups
from splitcart.grouping.width import plan_wide
from splitcart.observed import CONTESTED, OWN, Sighting
from splitcart.scheduling.probes import AGREES, DIFFERS, Plan, Tally, draw, is_evidence, settle
from splitcart.scheduling.rule import TREE_REQUESTS, Company, Rules, Store, queue, why_not

HOUR = 3600
DECIDED_FOR = HOUR
"""Seconds of requests that one reading of the queue hands out; a crawl that would cross a flip is left out."""
MERGED_EVERY = 12 * HOUR
DEPARTMENTS = 12

Log = Callable[[int, int, Ints, bool], None]
"""Called after a publish with (when, store, lines seen, complete)."""


def moment(seconds: int) -> datetime:
    """The time so many seconds after EPOCH 00:00 UTC."""
    return datetime.combine(EPOCH, time(0), UTC) + timedelta(seconds=seconds)


class Fleet:
    """Crawls store after store, each with the whole rate of the host, a request a second."""

    def __init__(self, truth: Truth, policy: str, requests: int, *, log: Log | None = None) -> None:
        self.truth, self.rules, self.requests = truth, Rules(policy=policy), requests
        self.known = Known(len(truth.stores), len(truth.lines))
        self.stores = [
            Store(id=each.index, store_code=each.store_code, timezone=each.timezone, anchor=each.store_code)
            for each in truth.stores
        ]
        self.touched: list[datetime | None] = [None] * len(self.stores)
        self.number = {store.store_code: store.id for store in self.stores}
        self.pages = max(1, requests - TREE_REQUESTS)
        self.department: Ints = np.arange(len(truth.lines)) * DEPARTMENTS // len(truth.lines)
        self.page_size = len(truth.lines) / self.pages
        self.log = log
        self.now = 0
        self.merged_at = 0
        self.waiting: list[tuple[int, int, int | None]] = []
        """(end, store, pages of its probe) of what was handed out, in order of the ends."""
        self.dirty: set[int] = set()
        """Stores about which more is known than at the last count."""
        self.counts = {"crawls": 0, "probes": 0, AGREES: 0, DIFFERS: 0}

    def advance(self, until: int) -> None:
        """Crawls until the time `until`."""
        while True:
            while self.waiting and self.waiting[0][0] <= until:
                self._publish(*self.waiting.pop(0))
            if self.waiting or self.now >= until:
                return
            if self.now - self.merged_at >= MERGED_EVERY:
                self.merge()
            self._hand_out(until)

    def _hand_out(self, until: int) -> None:
        company = Company(usual_requests=self.requests)
        found = queue(self.stores, company, self.rules, moment(self.now))
        begun = self.now
        for store in found.offered:
            at = moment(self.now)
            if self.now - begun >= DECIDED_FOR:
                break
            if why_not(store, company, self.rules, at) is None:
                pages = found.probes.get(store.store_code)
                self.stores[store.id] = replace(store, scheduled_at=at)
                self.now += self.requests if pages is None else pages + TREE_REQUESTS
                self.waiting.append((self.now, store.id, pages))
        if self.now == begun:  # no store is offered
            free = found.next_free_at
            self.now = until if free is None else min(until, max(begun + 1, int((free - moment(0)).total_seconds())))

    def _publish(self, when: int, number: int, pages: int | None) -> None:
        truth, known, day = self.truth, self.known, int(self.truth.day(when)[number])
        codes, ranged = truth.codes(day)[number], truth.ranged(day)[number]
        looked = ranged if pages is None else ranged & self._drawn(number, pages, day)
        settled = None if pages is None else self._settle(number, codes, looked, when, day)
        known.publish(number, codes, looked, when, day, complete=pages is None)
        at, store = moment(when), self.stores[number]
        self.touched[number] = at
        self.counts["crawls" if pages is None else "probes"] += 1
        if settled in self.counts:
            self.counts[settled] += 1
        if pages is None:
            store = replace(store, last_scraped=at, needs_rescraping=False, requests=self.requests)
        elif settled == AGREES:
            store = replace(store, verified_at=at)
        elif settled == DIFFERS:
            store = replace(store, needs_rescraping=True)
        self.stores[number] = store
        members = known.followers(number).tolist()
        if pages is None:
            self._update_members(members, store)
        self.dirty.update((number, *members))
        if self.log is not None:
            self.log(when, number, np.flatnonzero(looked), pages is None)

    def _update_members(self, members: Sequence[int], anchor: Store) -> None:
        for member in members:
            updated = replace(self.stores[member], anchor=anchor.store_code, anchor_scraped=anchor.last_scraped)
            self.stores[member] = updated

    def _drawn(self, number: int, pages: int, day: int) -> Flags:
        """The lines on the pages that a probe draws."""
        anchor = int(self.known.anchor[number])
        own, its = self.known.own[number] != 0, self.known.own[anchor] != 0
        open_lines = own & (self.known.effective(np.array([number])).contested[0] | ~its)
        listed, opened = (
            np.bincount(self.department[flags], minlength=DEPARTMENTS) for flags in (own | True, open_lines)
        )
        names = [str(each) for each in range(DEPARTMENTS)]
        plan = Plan(dict(zip(names, listed.tolist(), strict=True)), dict(zip(names, opened.tolist(), strict=True)))
        drawn = draw(plan, dict.fromkeys(names, ()), self.page_size, pages, f"{number}/{day}")
        first = np.concatenate([[0], np.cumsum(listed)])
        page = ((np.arange(len(own)) - first[self.department]) / self.page_size).astype(np.int64) + 1
        wanted = {int(name) * 10**6 + at for name, at in drawn}
        return np.isin(self.department * 10**6 + page, list(wanted))

    def _settle(self, number: int, codes: Ints, looked: Flags, when: int, day: int) -> str:
        """What a probe settles, as models.publishing.probes decides it from a database."""
        found, tally = self.known.effective(np.array([number])), Tally()
        seen, days = self.known.observed(number, found.takes_anchor[0])
        look, fit = Sighting(moment(when), moment(0).date(), _period(day)), dict[tuple[int, int], bool]()
        for line in np.flatnonzero(looked & (found.codes[0] != 0)).tolist():
            known = (int(seen[line]), int(days[line]))
            if known not in fit:
                fit[known] = is_evidence(Sighting(moment(known[0]), moment(0).date(), _period(known[1])), look)
            source = CONTESTED if found.contested[0, line] else OWN
            deviates = bool(found.codes[0, line] != codes[line])
            tally.add(str(self.department[line]), source, deviates=deviates, is_evidence=fit[known])
        return settle(tally).outcome

    def merge(self) -> None:
        """Groups the stores by what they showed, by the real merger's plan."""
        self.merged_at = self.now
        own = self.known.own
        there = [store for store in self.stores if store.last_scraped is not None]
        facts = [
            grouping.Store(
                store_code=store.store_code, anchor=store.anchor, complete_at=store.last_scraped,
                verified_at=store.verified_at, touched_at=self.touched[store.id], timezone=store.timezone,
            )
            for store in there
        ]  # fmt: skip

        def comparer_of(ordered: Sequence[grouping.Store]) -> tuple[Comparer, list[Flags]]:
            rows = [self.number[store.store_code] for store in ordered]
            short = np.where(own != 0, np.maximum((own ^ (own >> 31)) & 0xFFFF_FFFF, 1), 0).astype(np.uint32)
            prints = [hashlib.blake2b(own[row].tobytes(), digest_size=16).digest() for row in rows]
            lines = [own[row] != 0 for row in rows]
            counted, rules = [int(flags.sum()) for flags in lines], grouping.Rules()

            def load(numbers: Iterable[int]) -> np.ndarray:
                return short[[rows[n] for n in numbers]]

            return Comparer(prints, counted, own.shape[1], load, rules), lines

        if facts:
            self._regroup(plan_wide(facts, grouping.Rules(), moment(self.now), comparer_of))

    def _regroup(self, decided: Groups) -> None:
        anchors, flagged = decided.anchors, decided.flagged
        for code, anchor in anchors.items():
            number, other = self.number[code], self.number[anchor]
            if self.known.anchor[number] != other:
                self.known.move(number, other)
                self.dirty.add(number)
        for code, anchor in anchors.items():
            number, anchor_store = self.number[code], self.stores[self.number[anchor]]
            self.stores[number] = replace(
                self.stores[number], anchor=anchor, anchor_scraped=anchor_store.last_scraped,
                followers=len(self.known.followers(number)),
                needs_rescraping=self.stores[number].needs_rescraping or code in flagged,
            )  # fmt: skip


def _period(day: int) -> date:
    """The day on which the specials period of a day began."""
    return EPOCH + timedelta(days=day // 7 * 7)
