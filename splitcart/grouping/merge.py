"""Phase 2: groups whose fresh anchors match become one, until a whole pass merges nothing.

Merging ends: each merge makes the surviving group larger than the larger of the two was, so the list of group sizes,
largest first, grows in lexicographic order, and there are only so many such lists.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np

from splitcart.grouping.columns import Ints
from splitcart.grouping.health import Groups, Progress, silent
from splitcart.grouping.memory import Comparer
from splitcart.grouping.rules import period

Rank = tuple[int, int]


@dataclass(eq=False)
class Merging:
    """Merges the groups in place.

    A pair is found from its larger side. Larger groups are asked first; one that matches nobody left is set aside,
    until a store that is put out matches it.
    """

    groups: Groups
    comparer: Comparer
    progress: Progress = silent
    passes: int = 0
    merged: int = 0
    drifted: int = 0
    _asked: set[int] = field(default_factory=set)
    """The fresh anchors that are not set aside."""
    _queue: list[Rank] = field(default_factory=list)
    _rows: dict[int, set[int]] = field(default_factory=dict)
    """By anchor, the anchors it matches."""
    _ready: dict[int, list[Rank]] = field(default_factory=dict)
    """By anchor, its row as a heap; valid while no other group grows."""
    _grew: int | None = None

    def __post_init__(self) -> None:
        self._period: Ints = np.zeros(len(self.groups.stores), np.int64)
        """By store, the number of the specials period that it was seen in, if it is a fresh anchor; 0 for others."""

    def run(self) -> None:
        while self._one_pass():
            pass

    def _one_pass(self) -> bool:
        self.passes += 1
        self._period[:] = 0
        self._rows, self._ready = {}, {}
        self._asked = {anchor for anchor in self.groups.members if self._enter(anchor)}
        self._queue = [self._rank(a) for a in self._asked]
        heapq.heapify(self._queue)
        before, there = self.merged, len(self._asked)
        while (pair := self._best_pair()) is not None:
            self._merge(*pair)
            self.progress("merge", there - len(self._asked), there)
        return self.merged > before

    def _enter(self, anchor: int) -> bool:
        """Whether the anchor is fresh and of one period, so that it takes part."""
        store = self.groups.stores[anchor]
        when = period(store, self.groups.rules, store.complete_at) if self.groups.is_fresh(anchor) else None
        self._period[anchor] = 0 if when is None else when.toordinal()
        return when is not None

    def _rank(self, anchor: int) -> Rank:
        """Sorts larger groups first, then by natural order."""
        return -len(self.groups.members[anchor]), anchor

    def _best_pair(self) -> tuple[int, int] | None:
        """(larger, smaller) of the matching pair with the largest (larger size, smaller size); ties by store id."""
        found: list[tuple[int, int, int]] = []
        kept: list[Rank] = []
        while self._queue and (not kept or self._queue[0][0] == kept[0][0]):
            entry = heapq.heappop(self._queue)
            if entry[1] not in self._asked or entry != self._rank(entry[1]):
                continue
            partner = self._partner(entry[1])
            if partner is None:
                self._asked.discard(entry[1])
                continue
            kept.append(entry)
            found.append((partner[0], entry[1], partner[1]))
            if partner[0] == entry[0]:
                break
        for entry in kept:
            heapq.heappush(self._queue, entry)
        return min(found)[1:] if found else None

    def _partner(self, anchor: int) -> Rank | None:
        """The largest group that matches, the first in natural order."""
        if anchor not in self._ready:
            self._ready[anchor] = [self._rank(other) for other in self._row(anchor) if other in self._asked]
            heapq.heapify(self._ready[anchor])
        ready = self._ready[anchor]
        while ready and ready[0][1] not in self._asked:
            heapq.heappop(ready)
        return ready[0] if ready else None

    def _row(self, anchor: int) -> set[int]:
        if anchor not in self._rows:
            self._rows[anchor] = self._matching(anchor, np.fromiter(self._asked, np.int64, len(self._asked)))
        return self._rows[anchor]

    def _matching(self, anchor: int, among: Ints) -> set[int]:
        others = among[(self._period[among] == self._period[anchor]) & (among != anchor)]
        return set(others[self.comparer.matches(anchor, others)].tolist()) if len(others) else set()

    def _merge(self, winner: int, loser: int) -> None:
        groups = self.groups
        out = self._take_members(winner, loser)
        groups.say(loser, "merged", winner, str(self.comparer.match_of(winner, loser)))
        groups.put(loser, winner)
        self.merged += 1
        self._asked.discard(loser)
        self._period[loser] = 0
        if self._grew != winner:
            self._grew = winner
            self._ready = {winner: self._ready[winner]}
        heapq.heappush(self._queue, self._rank(winner))
        for member in out:
            self._put_out(member)

    def _take_members(self, winner: int, loser: int) -> list[int]:
        """Moves the loser's members; returns those that its move must not drag along: the drift guard."""
        groups, out = self.groups, []
        members = sorted(groups.members[loser] - {loser})
        judged = [m for m in members if groups.is_fresh(m) and groups.same_period(m, winner)]
        compared = dict(zip(judged, self.comparer.whole(winner, judged), strict=True))
        for member in members:
            found = compared.get(member)
            if found is None:
                self._move_unjudged(member, winner)
            elif found.matches(groups.rules.join, groups.rules.overlap):
                groups.say(member, "moved", winner, f"with its anchor: {found}")
                groups.put(member, winner)
            else:
                groups.say(member, "drifted", winner, f"its anchor joined, but it does not match: {found}")
                groups.put(member, member)
                out.append(member)
        return out

    def _move_unjudged(self, member: int, winner: int) -> None:
        groups = self.groups
        if groups.stores[member].closed:
            why = "with its anchor, closed"
        elif groups.has_agreed(member):
            why = "with its anchor: its probe agreed in this specials period"
        else:
            why = "with its anchor, too old to judge: needs a crawl"
            groups.flagged.add(member)
        groups.say(member, "moved", winner, why)
        groups.put(member, winner)

    def _put_out(self, member: int) -> None:
        """A store put out anchors itself now: it is asked, and so are again those that match it."""
        self.drifted += 1
        if not self._enter(member):
            return
        self._rows[member] = self._matching(member, np.flatnonzero(self._period))
        for other in self._rows[member]:
            if other in self._rows:
                self._rows[other].add(member)
                self._ready.pop(other, None)
        for anchor in (member, *self._rows[member]):
            self._asked.add(anchor)
            heapq.heappush(self._queue, self._rank(anchor))
