"""Which groups one company's stores are to form: health first, then merging until nothing merges.

Stores are taken in the natural order of their ids, so the order in which rows arrive decides nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from splitcart.grouping.health import Groups, Progress, check_health, lay, replace_gone, silent
from splitcart.grouping.memory import Comparer
from splitcart.grouping.merge import Merging
from splitcart.grouping.rules import Decision, Rules, Store, natural_key


@dataclass(frozen=True, slots=True)
class Plan:
    """What merging comes to. Store ids throughout."""

    anchors: dict[str, str]
    """By store, the anchor of the group it ends in."""
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
    """Phases 1 and 2 over one company's stores, in any order. Changes nothing but what it returns.

    `comparer_of` gets the stores in the order in which the comparer is to number them. Stores that another one answers
    for are not judged: they go where that one goes.
    """
    ordered = sorted(stores, key=lambda s: natural_key(s.store_code))
    led = _led(ordered)
    own = [s for s in ordered if s.store_code not in led]
    groups = lay(own, rules, now)
    comparer = comparer_of(own)
    replace_gone(groups)
    ejected = check_health(groups, comparer, progress)
    merging = Merging(groups, comparer, progress)
    merging.run()
    anchors = {s.store_code: own[groups.anchor[i]].store_code for i, s in enumerate(own)}
    for store_code, leader in led.items():
        anchors[store_code] = anchors[leader]
        groups.decisions.append(
            Decision(store_code, "fulfilled", leader, "goes where the store goes that answers for it")
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


def _led(stores: Sequence[Store]) -> dict[str, str]:
    """By store that another known one answers for, that one; nobody who answers is led itself."""
    ids = {s.store_code for s in stores}
    led = {s.store_code: s.fulfilled_by for s in stores if s.fulfilled_by in ids and s.fulfilled_by is not None}
    return {store: leader for store, leader in led.items() if leader not in led}


def _names(groups: Groups, numbers: set[int]) -> frozenset[str]:
    return frozenset(groups.stores[n].store_code for n in numbers)
