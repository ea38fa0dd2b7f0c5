"""The groups of one company while they are decided about; and phase 1: closed anchors, and members that differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from splitcart.grouping.memory import Comparer
from splitcart.grouping.rules import Decision, Rules, Store, has_agreed, is_fresh, period

NEVER = datetime.min.replace(tzinfo=UTC)

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is."""


def silent(_what: str, _done: int, _all: int) -> None:
    """Reports no progress."""


@dataclass(eq=False)
class Groups:
    """Stores (numbers, in natural order) and the group each is in, named by its anchor."""

    stores: Sequence[Store]
    rules: Rules
    now: datetime
    anchor: list[int] = field(default_factory=list)
    """By store."""
    members: dict[int, set[int]] = field(default_factory=dict)
    """By anchor: the stores of its group, the anchor included."""
    flagged: set[int] = field(default_factory=set)
    """Stores that need a crawl before they can be judged."""
    decisions: list[Decision] = field(default_factory=list)

    def record(self, store: int, action: str, other: int | None, reason: str) -> None:
        name = None if other is None else self.stores[other].store_code
        self.decisions.append(Decision(self.stores[store].store_code, action, name, reason))

    def move(self, store: int, anchor: int) -> None:
        """Moves the store from its group, if it has one, to that of `anchor`."""
        left = self.members.get(self.anchor[store])
        if left is not None:
            left.discard(store)
            if not left:
                del self.members[self.anchor[store]]
        self.anchor[store] = anchor
        self.members.setdefault(anchor, set()).add(store)

    def is_fresh(self, store: int) -> bool:
        return is_fresh(self.stores[store], self.rules, self.now)

    def has_agreed(self, store: int) -> bool:
        return has_agreed(self.stores[store], self.rules, self.now)

    def same_period(self, one: int, two: int) -> bool:
        """Whether the complete runs of both lie in one specials period."""
        first, second = (period(s, self.rules, s.complete_at) for s in (self.stores[one], self.stores[two]))
        return first is not None and first == second


def current_groups(stores: Sequence[Store], rules: Rules, now: datetime) -> Groups:
    """The groups as they are. A store without a group gets its own."""
    groups = Groups(stores, rules, now, anchor=list(range(len(stores))))
    numbers = {s.store_code: i for i, s in enumerate(stores)}
    for number, store in enumerate(stores):
        anchor = numbers.get(store.anchor) if store.anchor is not None else None
        if anchor is None:
            groups.record(number, "adopted", None, "had no group: gets its own")
        groups.anchor[number] = number if anchor is None else anchor
        groups.members.setdefault(groups.anchor[number], set()).add(number)
    return groups


def replace_lost_anchors(groups: Groups) -> None:
    """Replaces each anchor that closed, or is in another group, by the member with the latest complete run."""
    for anchor in sorted(groups.members):
        is_inside = groups.anchor[anchor] == anchor
        if is_inside and not groups.stores[anchor].closed:
            continue
        others = sorted(groups.members[anchor] - {anchor})
        able = [member for member in others if not groups.stores[member].closed]
        if not able and is_inside:
            continue
        heir = max(able or others, key=lambda member: (groups.stores[member].complete_at or NEVER, -member))
        why = "its anchor closed" if is_inside else "its anchor is in another group"
        groups.record(
            heir, "reanchored", anchor, f"{why}: the latest complete run of {len(others)} members is this one's"
        )
        for member in others:
            groups.move(member, heir)
        if is_inside:
            groups.record(
                anchor,
                "closed",
                heir,
                "a closed store anchors no other store: it keeps its prices in a group of its own",
            )


def check_health(groups: Groups, comparer: Comparer, progress: Progress = silent) -> int:
    """Phase 1 for members: those that no longer match their anchor leave. Returns how many left."""
    ejected = 0
    for done, anchor in enumerate(sorted(groups.members)):
        progress("health", done, len(groups.members))
        members = sorted(groups.members[anchor] - {anchor})
        judged = [m for m in members if _can_judge(groups, m, anchor)]
        for member, comparison in zip(judged, comparer.compare(anchor, judged), strict=True):
            if comparison.matches(groups.rules.leave, groups.rules.overlap):
                groups.record(member, "stays", anchor, str(comparison))
            elif groups.is_fresh(member):
                ejected += 1
                groups.move(member, member)
                groups.record(member, "ejected", anchor, f"below {float(groups.rules.leave):.2%}: {comparison}")
            else:
                groups.flagged.add(member)
                groups.record(member, "flagged", anchor, f"stale, and what is known differs: {comparison}")
    return ejected


def _can_judge(groups: Groups, member: int, anchor: int) -> bool:
    """Whether the two may be compared. If they may not, records why, and flags a stale anchor of a fresh member."""
    if groups.stores[member].closed:
        groups.record(member, "waits", anchor, "closed")
    elif not groups.is_fresh(anchor):
        if groups.is_fresh(member):
            groups.flagged.add(anchor)
            groups.record(anchor, "flagged", member, "a stale anchor of a fresh member: needs a crawl")
        groups.record(member, "waits", anchor, "the anchor's last complete run is too old to judge by")
    elif groups.has_agreed(member):
        groups.record(member, "stays", anchor, "its probe agreed in this specials period")
    elif not groups.same_period(member, anchor):
        groups.record(member, "waits", anchor, "seen in another specials period than the anchor")
    else:
        return True
    return False
