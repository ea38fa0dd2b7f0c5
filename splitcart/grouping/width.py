"""Gives groups anchors whose crawls renew more lines of their members.

Merging keeps the larger group's anchor, however little it ranges, and no crawl of an anchor shows a line that it does
not range. So a member that ranges enough more, and that the others match, becomes the anchor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from splitcart.grouping.columns import Flags
from splitcart.grouping.health import Progress, silent
from splitcart.grouping.memory import Comparer
from splitcart.grouping.plan import Plan, plan
from splitcart.grouping.rules import Decision, Rules, Store, is_fresh, natural_key, period

PAYS = 0.05
"""A new anchor must range at least this share more of the group's lines; otherwise the old one stays. A change is
costly: whether a member followed its anchor is known from what both showed, which is mostly unknown for a new anchor.
So the lines that change next are contested."""
ROUNDS = 4
"""The most rounds of choosing anchors and merging all groups again."""
TRIED = 8
"""How many of the widest members are compared; if none fits, the old anchor stays."""


@dataclass(eq=False)
class Widening:
    """Chooses anchors after merging. `lines`: by store number (of the comparer), a flag for each listing that it
    has."""

    stores: Sequence[Store]
    comparer: Comparer
    lines: Sequence[Flags]
    rules: Rules
    now: datetime

    def run(self, anchors: Mapping[str, str]) -> tuple[dict[str, str], list[Decision]]:
        """The anchor of each store, some of them replaced, and the decisions. `anchors`: as merging left them.

        Stores that the comparer does not number go with their group.
        """
        numbers = {s.store_code: i for i, s in enumerate(self.stores)}
        groups: dict[str, list[str]] = {}
        for store, anchor in sorted(anchors.items(), key=lambda pair: natural_key(pair[0])):
            groups.setdefault(anchor, []).append(store)
        chosen, decisions = dict(anchors), []
        for anchor, names in groups.items():
            members = [numbers[n] for n in names if n in numbers]
            heir, gain = self._heir(numbers[anchor], members)
            if heir is not None:
                name = self.stores[heir].store_code
                chosen |= dict.fromkeys(names, name)
                why = f"ranges more: {gain} lines of members are in its range and not in the anchor's"
                decisions.append(Decision(name, "widened", anchor, why))
        return chosen, decisions

    def _heir(self, anchor: int, members: list[int]) -> tuple[int | None, int]:
        """The member that replaces the anchor, or None; and how many more lines of other members it ranges."""
        if len(members) < 3 or not is_fresh(self.stores[anchor], self.rules, self.now):
            return None, 0
        width = max(len(self.lines[m]) for m in members)
        table = np.array([np.pad(self.lines[m], (0, width - len(self.lines[m]))) for m in members])
        others = table.sum(axis=0) - 1  # of a listing that a member has: how many other members have it
        gains = table @ others
        gains -= gains[members.index(anchor)]
        order = sorted(range(len(members)), key=lambda i: (-int(gains[i]), members[i]))
        for at in order[:TRIED]:
            if gains[at] < PAYS * table.sum():
                break
            if self._can_anchor(members[at], members):
                return members[at], int(gains[at])
        return None, 0

    def _can_anchor(self, heir: int, members: list[int]) -> bool:
        """Whether the heir is fresh, and every member that may be judged matches it well enough to stay."""
        store = self.stores[heir]
        when = period(store, self.rules, store.complete_at)
        if not is_fresh(store, self.rules, self.now) or when is None:
            return False
        judged = [m for m in members if m != heir and self._is_judged(m, when)]
        comparisons = self.comparer.compare(heir, judged)
        return all(c.matches(self.rules.leave, self.rules.overlap) for c in comparisons)

    def _is_judged(self, member: int, when: object) -> bool:
        store = self.stores[member]
        return is_fresh(store, self.rules, self.now) and period(store, self.rules, store.complete_at) == when


def plan_wide(
    stores: Sequence[Store],
    rules: Rules,
    now: datetime,
    comparer_of: Callable[[Sequence[Store]], tuple[Comparer, Sequence[Flags]]],
    progress: Progress = silent,
) -> Plan:
    """`plan`, with wider anchors if they pay; `comparer_of` also returns each store's lines.

    A new anchor may match that of another group, so all groups are merged again until no anchor changes, at most ROUNDS
    times. The outcome is always one of `plan`, so no two fresh anchors match in it.
    """
    made: list[tuple[Sequence[Store], Comparer, Sequence[Flags]]] = []

    def once(ordered: Sequence[Store]) -> Comparer:
        if not made:
            made.append((ordered, *comparer_of(ordered)))
        return made[0][1]

    first = last = plan(stores, rules, now, once, progress)
    merged, ejected, passes, decisions = first.merged, first.ejected, first.passes, list(first.decisions)
    flagged = first.flagged
    for _ in range(ROUNDS):
        anchors, why = Widening(*made[0], rules, now).run(last.anchors)
        if not why:
            break
        last = plan([replace(s, anchor=anchors[s.store_code]) for s in stores], rules, now, once, progress)
        decisions += [*why, *(d for d in last.decisions if d.action not in ("stays", "waits"))]
        flagged |= last.flagged
        merged, ejected, passes = merged + last.merged, ejected + last.ejected, passes + last.passes
    before = first.groups_before
    last = replace(last, merged=merged, ejected=ejected, passes=passes, groups_before=before)
    return replace(last, flagged=flagged, decisions=tuple(decisions))
