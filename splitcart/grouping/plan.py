"""Which groups one company's stores are to form: phase 1, health, then phase 2, merging until nothing merges.

Stores are numbered in the natural order of their codes, so the order of the rows does not matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from splitcart.grouping.health import Groups, Progress, check_health, current_groups, replace_lost_anchors, silent
from splitcart.grouping.memory import Comparer
from splitcart.grouping.merge import Merging
from splitcart.grouping.rules import Decision, Rules, Store, natural_key


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of merging. Stores are named by their store codes."""

    anchors: dict[str, str]
    """By store, the anchor of its final group."""
    flagged: frozenset[str]
    """Stores that need to be crawled again before they can be judged."""
    decisions: tuple[Decision, ...]
    groups_before: int
    groups_after: int
    merged: int
    ejected: int
    passes: int


def plan(
    stores: Sequence[Store],
    rules: Rules,
    now: datetime,
    comparer_of: Callable[[Sequence[Store]], Comparer],
    progress: Progress = silent,
) -> Plan:
    """Phases 1 and 2 over one company's stores, in any order.

    `comparer_of` gets the stores in the order in which the comparer is to number them. A store that another one answers
    for is not judged: it joins that one's group.
    """
    ordered = sorted(stores, key=lambda s: natural_key(s.store_code))
    fulfilled = _fulfilled(ordered)
    judged = [s for s in ordered if s.store_code not in fulfilled]
    groups = current_groups(judged, rules, now)
    comparer = comparer_of(judged)
    replace_lost_anchors(groups)
    ejected = check_health(groups, comparer, progress)
    merging = Merging(groups, comparer, progress)
    merging.run()
    anchors = {s.store_code: judged[groups.anchor[i]].store_code for i, s in enumerate(judged)}
    for store_code, leader in fulfilled.items():
        anchors[store_code] = anchors[leader]
        groups.decisions.append(
            Decision(store_code, "fulfilled", leader, "joins the group of the store that answers for it")
        )
    return Plan(
        anchors=anchors,
        flagged=_names(groups, groups.flagged),
        decisions=tuple(groups.decisions),
        groups_before=len({s.anchor if s.anchor in anchors else s.store_code for s in stores}),
        groups_after=len(set(anchors.values())),
        merged=merging.merged,
        ejected=ejected + merging.drifted,
        passes=merging.passes,
    )


def _fulfilled(stores: Sequence[Store]) -> dict[str, str]:
    """By store, the other store that answers for it. No other store answers for that one in turn."""
    codes = {s.store_code for s in stores}
    leaders = {s.store_code: s.fulfilled_by for s in stores if s.fulfilled_by in codes and s.fulfilled_by is not None}
    return {store: leader for store, leader in leaders.items() if leader not in leaders}


def _names(groups: Groups, numbers: set[int]) -> frozenset[str]:
    return frozenset(groups.stores[n].store_code for n in numbers)
