"""Which store should speak for a group: the one whose crawls renew most lines of its members.

Merging lets the larger group's anchor survive, however little it ranges. No crawl of the anchor says anything of a line
that it does not range. So where it pays, a wider member that matches as well takes the anchor's place.
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
"""A new anchor must range at least this share more of the group's lines: otherwise the old one stays. A change is dear:
what a member showed is beside the old anchor's history, and of the new one it is mostly not known whether the member
followed it, so that the lines which change next are contested."""
ROUNDS = 4
"""How often anchors are chosen and all is merged again."""
TRIED = 8
"""How many of the widest are compared before the old anchor stays."""


@dataclass(eq=False)
class Widening:
    """Chooses anchors after merging. `lines`: by store number (of the comparer), which listings it has."""

    stores: Sequence[Store]
    comparer: Comparer
    lines: Sequence[Flags]
    rules: Rules
    now: datetime

    def run(self, anchors: Mapping[str, str]) -> tuple[dict[str, str], list[Decision]]:
        """The anchors by store, some groups' replaced, and why. Stores that the comparer does not know follow."""
        numbers = {s.store_code: i for i, s in enumerate(self.stores)}
        groups: dict[str, list[str]] = {}
        for store, anchor in sorted(anchors.items(), key=lambda pair: natural_key(pair[0])):
            groups.setdefault(anchor, []).append(store)
        chosen, decisions = dict(anchors), []
        for anchor, names in groups.items():
            members = [numbers[n] for n in names if n in numbers]
            heir, spared = self._heir(numbers[anchor], members)
            if heir is not None:
                name = self.stores[heir].store_code
                chosen |= dict.fromkeys(names, name)
                why = f"ranges more: {spared} lines of members are in its range and not in the anchor's"
                decisions.append(Decision(name, "widened", anchor, why))
        return chosen, decisions

    def _heir(self, anchor: int, members: list[int]) -> tuple[int | None, int]:
        if len(members) < 3 or not is_fresh(self.stores[anchor], self.rules, self.now):
            return None, 0
        width = max(len(self.lines[m]) for m in members)
        table = np.array([np.pad(self.lines[m], (0, width - len(self.lines[m]))) for m in members])
        wanted = table.sum(axis=0) - 1
        spared = table @ wanted
        spared -= spared[members.index(anchor)]
        order = sorted(range(len(members)), key=lambda i: (-int(spared[i]), members[i]))
        for at in order[:TRIED]:
            if spared[at] < PAYS * table.sum():
                break
            if self._can_speak(members[at], members):
                return members[at], int(spared[at])
        return None, 0

    def _can_speak(self, heir: int, members: list[int]) -> bool:
        """Whether the heir is as fresh and nobody who may be judged would leave it."""
        store = self.stores[heir]
        when = period(store, self.rules, store.complete_at)
        if not is_fresh(store, self.rules, self.now) or when is None:
            return False
        judged = [m for m in members if m != heir and self._is_judged(m, when)]
        found = self.comparer.whole(heir, judged)
        return all(c.matches(self.rules.leave, self.rules.overlap) for c in found)

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
    """`plan`, with wider anchors where they pay; `comparer_of` also gives each store's lines.

    A new anchor may match another group's, so all is merged again until no anchor changes. The last word is always that
    of `plan`: whatever it is, no two fresh anchors match.
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
