"""The groups of one company while they are decided about, and phase 1: is each group still sound?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from splitcart.grouping.memory import Comparer
from splitcart.grouping.rules import Decision, Rules, Store, has_agreed, is_fresh, period

NEVER = datetime.min.replace(tzinfo=UTC)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def silent(_what: str, _done: int, _all: int) -> None:
    """No progress wanted."""


@dataclass(eq=False)
class Groups:
    """Stores (numbers, in natural order) and the group each is in, named by its anchor."""

    stores: Sequence[Store]
    rules: Rules
    now: datetime
    anchor: list[int] = field(default_factory=list)
    members: dict[int, set[int]] = field(default_factory=dict)
    """By anchor, the anchor among them."""
    flagged: set[int] = field(default_factory=set)
    decisions: list[Decision] = field(default_factory=list)

    def say(self, store: int, action: str, other: int | None, reason: str) -> None:
        name = None if other is None else self.stores[other].store_code
        self.decisions.append(Decision(self.stores[store].store_code, action, name, reason))

    def put(self, store: int, anchor: int) -> None:
        """Takes the store out of its group, if it has one, and into that of `anchor`."""
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


def lay(stores: Sequence[Store], rules: Rules, now: datetime) -> Groups:
    """The groups as they are; a store without one gets its own (stores fulfilled by another are not laid)."""
    groups = Groups(stores, rules, now, anchor=list(range(len(stores))))
    numbers = {s.store_code: i for i, s in enumerate(stores)}
    for number, store in enumerate(stores):
        home = numbers.get(store.anchor) if store.anchor is not None else None
        if home is None:
            groups.say(number, "adopted", None, "had no group: gets its own")
        groups.anchor[number] = number if home is None else home
        groups.members.setdefault(groups.anchor[number], set()).add(number)
    return groups


def replace_gone(groups: Groups) -> None:
    """Gives each group whose anchor closed, or sits in another group, the member with the latest complete run."""
    for anchor in sorted(groups.members):
        home = groups.anchor[anchor] == anchor
        if home and not groups.stores[anchor].closed:
            continue
        others = sorted(groups.members[anchor] - {anchor})
        able = [m for m in others if not groups.stores[m].closed]
        if not able and home:
            continue
        heir = max(able or others, key=lambda m: (groups.stores[m].complete_at or NEVER, -m))
        why = "its anchor closed" if home else "its anchor is in another group"
        groups.say(heir, "reanchored", anchor, f"{why}: the latest complete run of {len(others)} members is this one's")
        for member in others:
            groups.put(member, heir)
        if home:
            groups.say(
                anchor, "closed", heir, "a closed store anchors nobody: it keeps its prices in a group of its own"
            )


def check_health(groups: Groups, comparer: Comparer, progress: Progress = silent) -> int:
    """Phase 1 for members: who no longer matches leaves. Returns how many left."""
    ejected = 0
    for done, anchor in enumerate(sorted(groups.members)):
        progress("health", done, len(groups.members))
        members = sorted(groups.members[anchor] - {anchor})
        judged = [m for m in members if _can_judge(groups, m, anchor)]
        for member, found in zip(judged, comparer.whole(anchor, judged), strict=True):
            if found.matches(groups.rules.leave, groups.rules.overlap):
                groups.say(member, "stays", anchor, str(found))
            elif groups.is_fresh(member):
                ejected += 1
                groups.put(member, member)
                groups.say(member, "ejected", anchor, f"below {float(groups.rules.leave):.2%}: {found}")
            else:
                groups.flagged.add(member)
                groups.say(member, "flagged", anchor, f"stale, and what is known differs: {found}")
    return ejected


def _can_judge(groups: Groups, member: int, anchor: int) -> bool:
    """Whether the two may be compared; says why where not, and asks for a stale anchor's crawl."""
    if groups.stores[member].closed:
        groups.say(member, "waits", anchor, "closed")
    elif not groups.is_fresh(anchor):
        if groups.is_fresh(member):
            groups.flagged.add(anchor)
            groups.say(anchor, "flagged", member, "a stale anchor of a fresh member: needs a crawl")
        groups.say(member, "waits", anchor, "the anchor's last complete run is too old to judge by")
    elif groups.has_agreed(member):
        groups.say(member, "stays", anchor, "its probe agreed in this specials period")
    elif not groups.same_period(member, anchor):
        groups.say(member, "waits", anchor, "seen in another specials period than the anchor")
    else:
        return True
    return False
