"""Phase 2: groups whose fresh anchors match become one, until a pass over all groups merges nothing.

Merging ends: each merge makes the surviving group larger than the larger of the two was. So the list of group sizes,
largest first, grows in lexicographic order, and there are finitely many such lists.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np

from splitcart.grouping.columns import Ints
from splitcart.grouping.health import Groups, Progress, silent
from splitcart.grouping.memory import Comparer
from splitcart.grouping.rules import period

Rank = tuple[int, int]
"""The negative size of a group, and its anchor. The smallest rank is that of the largest group; ties are in natural
order."""


@dataclass(eq=False)
class Merging:
    """Merges the groups in place.

    Partners are searched for the larger groups first, so that a pair is found from its larger group. A group that
    matches none that is left is set aside, until a store that is put out matches it.
    """

    groups: Groups
    comparer: Comparer
    progress: Progress = silent
    passes: int = 0
    merged: int = 0
    drifted: int = 0
    _active: set[int] = field(default_factory=set)
    """The fresh anchors that are not set aside."""
    _queue: list[Rank] = field(default_factory=list)
    _matches: dict[int, set[int]] = field(default_factory=dict)
    """By anchor: the anchors that it matches."""
    _heaps: dict[int, list[Rank]] = field(default_factory=dict)
    """By anchor: the ranks of its matches, as a heap."""
    _last_winner: int | None = None
    """The group that grew last. When another one grows, all other heaps have outdated ranks and are dropped."""

    def __post_init__(self) -> None:
        self._period: Ints = np.zeros(len(self.groups.stores), np.int64)
        """By store, the number of the specials period that it was seen in, if it is a fresh anchor; 0 for others."""

    def run(self) -> None:
        while self._one_pass():
            pass

    def _one_pass(self) -> bool:
        self.passes += 1
        self._period[:] = 0
        self._matches, self._heaps = {}, {}
        self._active = {anchor for anchor in self.groups.members if self._enter(anchor)}
        self._queue = [self._rank(a) for a in self._active]
        heapq.heapify(self._queue)
        before, total = self.merged, len(self._active)
        while (pair := self._best_pair()) is not None:
            self._merge(*pair)
            self.progress("merge", total - len(self._active), total)
        return self.merged > before

    def _enter(self, anchor: int) -> bool:
        """Notes the anchor's specials period. Returns whether it has one and is fresh, so that it takes part."""
        store = self.groups.stores[anchor]
        when = period(store, self.groups.rules, store.complete_at) if self.groups.is_fresh(anchor) else None
        self._period[anchor] = 0 if when is None else when.toordinal()
        return when is not None

    def _rank(self, anchor: int) -> Rank:
        return -len(self.groups.members[anchor]), anchor

    def _best_pair(self) -> tuple[int, int] | None:
        """(larger, smaller) of the matching pair with the largest (larger size, smaller size); ties in natural
        order."""
        pairs: list[tuple[int, int, int]] = []
        kept: list[Rank] = []
        while self._queue and (not kept or self._queue[0][0] == kept[0][0]):
            entry = heapq.heappop(self._queue)
            if entry[1] not in self._active or entry != self._rank(entry[1]):
                continue
            partner = self._partner(entry[1])
            if partner is None:
                self._active.discard(entry[1])
                continue
            kept.append(entry)
            pairs.append((partner[0], entry[1], partner[1]))
            if partner[0] == entry[0]:
                break
        for entry in kept:
            heapq.heappush(self._queue, entry)
        return min(pairs)[1:] if pairs else None

    def _partner(self, anchor: int) -> Rank | None:
        """The rank of the largest group that matches, the first in natural order."""
        if anchor not in self._heaps:
            self._heaps[anchor] = [self._rank(other) for other in self._matches_of(anchor) if other in self._active]
            heapq.heapify(self._heaps[anchor])
        ready = self._heaps[anchor]
        while ready and ready[0][1] not in self._active:
            heapq.heappop(ready)
        return ready[0] if ready else None

    def _matches_of(self, anchor: int) -> set[int]:
        if anchor not in self._matches:
            self._matches[anchor] = self._matching(anchor, np.fromiter(self._active, np.int64, len(self._active)))
        return self._matches[anchor]

    def _matching(self, anchor: int, among: Ints) -> set[int]:
        others = among[(self._period[among] == self._period[anchor]) & (among != anchor)]
        return set(others[self.comparer.matches(anchor, others)].tolist()) if len(others) else set()

    def _merge(self, winner: int, loser: int) -> None:
        groups = self.groups
        put_out = self._take_members(winner, loser)
        groups.record(loser, "merged", winner, str(self.comparer.match_of(winner, loser)))
        groups.move(loser, winner)
        self.merged += 1
        self._active.discard(loser)
        self._period[loser] = 0
        if self._last_winner != winner:
            self._last_winner = winner
            self._heaps = {winner: self._heaps[winner]}
        heapq.heappush(self._queue, self._rank(winner))
        for member in put_out:
            self._put_out(member)

    def _take_members(self, winner: int, loser: int) -> list[int]:
        """Moves the loser's members. Returns those that are put out, because they do not match the winner: the drift
        guard."""
        groups, put_out = self.groups, []
        members = sorted(groups.members[loser] - {loser})
        judged = [m for m in members if groups.is_fresh(m) and groups.same_period(m, winner)]
        compared = dict(zip(judged, self.comparer.compare(winner, judged), strict=True))
        for member in members:
            comparison = compared.get(member)
            if comparison is None:
                self._move_unjudged(member, winner)
            elif comparison.matches(groups.rules.join, groups.rules.overlap):
                groups.record(member, "moved", winner, f"with its anchor: {comparison}")
                groups.move(member, winner)
            else:
                groups.record(member, "drifted", winner, f"its anchor joined, but it does not match: {comparison}")
                groups.move(member, member)
                put_out.append(member)
        return put_out

    def _move_unjudged(self, member: int, winner: int) -> None:
        groups = self.groups
        if groups.stores[member].closed:
            why = "with its anchor, closed"
        elif groups.has_agreed(member):
            why = "with its anchor: its probe agreed in this specials period"
        else:
            why = "with its anchor, too old to judge: needs a crawl"
            groups.flagged.add(member)
        groups.record(member, "moved", winner, why)
        groups.move(member, winner)

    def _put_out(self, member: int) -> None:
        """Makes a store that was put out, and anchors its own group, active, and again the anchors that match it."""
        self.drifted += 1
        if not self._enter(member):
            return
        self._matches[member] = self._matching(member, np.flatnonzero(self._period))
        for other in self._matches[member]:
            if other in self._matches:
                self._matches[other].add(member)
                self._heaps.pop(other, None)
        for anchor in (member, *self._matches[member]):
            self._active.add(anchor)
            heapq.heappush(self._queue, self._rank(anchor))
