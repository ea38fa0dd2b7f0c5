"""What a fleet knows of its stores' prices: the rules of own and inferred prices, over arrays of stores x lines."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.policy_world import Codes, Flags, Ints

Times = npt.NDArray[np.int32]
Days = npt.NDArray[np.int16]

NEVER = -1


class Effective(NamedTuple):
    """What is known of some stores' lines; arrays (stores, lines)."""

    codes: Codes
    """What each line costs; 0 where nothing is known."""
    takes_anchor: Flags
    contested: Flags


def effective(own: Codes, seen: Times, day: Days, now: Codes, changed: Times, then: Codes, then_day: Days) -> Effective:
    """`splitcart.observed.effective`, line by line, for members.

    own, seen, day: what the store showed last, when, on which of its days. now, changed: what the anchor shows (0:
    nothing), and since when (NEVER). then, then_day: what it showed when the store looked, and its last day with that.
    Days begin with a flip every seven, so that a later day is never in an earlier period.
    """
    has = own != 0
    equal = has & (own == now)
    kept = changed <= seen
    followed = (now != 0) & (own == then) & (then_day >= day)
    takes = equal | (has & ~kept & followed)
    return Effective(np.where(takes, now, own), takes, has & ~equal & ~kept & ~followed)


class Run(NamedTuple):
    """What one run of a store showed."""

    when: int
    day: int
    lines: Ints
    codes: Codes
    """Of each line."""
    gone: Ints
    """Lines that it delisted."""


class Known:
    """All that the stores and their anchors showed. Rows are stores."""

    def __init__(self, stores: int, lines: int) -> None:
        shape = (stores, lines)
        self.own: Codes = np.zeros(shape, np.int64)
        self.seen, self.changed = (np.full(shape, NEVER, np.int32) for _ in range(2))
        self.day, self.then_day = (np.full(shape, NEVER, np.int16) for _ in range(2))
        self.then: Codes = np.zeros(shape, np.int64)
        self.missing: Flags = np.zeros(shape, np.bool_)
        self.anchor: Ints = np.arange(stores)
        self.runs: list[list[Run]] = [[] for _ in range(stores)]
        """What each store's runs showed, in order: what a new member may have followed."""

    def followers(self, store: int) -> Ints:
        """The stores whose anchor it is, itself aside."""
        found = np.flatnonzero(self.anchor == store)
        return found[found != store]

    def effective(self, stores: Ints) -> Effective:
        """What is known of these stores."""
        anchors, own = self.anchor[stores], self.own[stores]
        found = effective(
            own, self.seen[stores], self.day[stores], self.own[anchors], self.changed[anchors],
            self.then[stores], self.then_day[stores],
        )  # fmt: skip
        alone = (anchors == stores)[:, None]
        takes, contested = (flags & ~alone for flags in (found.takes_anchor, found.contested))
        return Effective(np.where(alone, own, found.codes), takes, contested)

    def observed(self, store: int, takes: Flags) -> tuple[Ints, Ints]:
        """(when, day) each line's price in effect was seen last, by the store itself or its anchor."""
        anchor = int(self.anchor[store])
        by_anchor = takes & (self.seen[anchor] > self.seen[store])
        found = (np.where(by_anchor, table[anchor], table[store]) for table in (self.seen, self.day))
        return next(found), next(found)

    def publish(self, store: int, codes: Codes, looked: Flags, when: int, day: int, *, complete: bool) -> None:
        """Records what a run showed at the lines `looked`; a complete run marks the others missing, and delists those
        that were missing before."""
        own, members = self.own[store], self.followers(store)
        changed = looked & (own != codes)
        gone = complete & (own != 0) & ~looked
        if complete:
            delisted = gone & self.missing[store]
            self.missing[store] = gone & ~delisted
        else:
            delisted, self.missing[store] = np.zeros_like(gone), self.missing[store] & ~looked
        if len(members):
            same = looked & ~changed
            current = (self.changed[store] <= self.seen[members]) & (self.then[members] != 0)
            self.then_day[members] = np.where(current & same, day, self.then_day[members])
        self.own[store] = np.where(delisted, 0, np.where(looked, codes, own))
        self.changed[store][changed | delisted] = when
        self.seen[store][looked], self.day[store][looked] = when, day
        anchor = int(self.anchor[store])
        if anchor != store:
            self.then[store][looked] = self.own[anchor][looked]
            self.then_day[store][looked] = self.day[anchor][looked]
        lines = np.flatnonzero(looked)
        self.runs[store].append(Run(when, day, lines, codes[lines], np.flatnonzero(delisted)))

    def move(self, store: int, anchor: int) -> None:
        """Gives the store an anchor, and records what the anchor charged when the store was seen."""
        self.anchor[store] = anchor
        then, then_day = np.zeros_like(self.own[store]), np.full_like(self.day[store], NEVER)
        going = np.zeros(len(then), np.bool_)
        for run in self.runs[anchor] if anchor != store else ():
            for lines, codes in ((run.lines, run.codes), (run.gone, np.zeros(len(run.gone), np.int64))):
                before = self.seen[store][lines] >= run.when
                then[lines[before]] = codes[before]
                going[lines] = (codes != 0) & (before | (going[lines] & (codes == then[lines])))
                then_day[lines[going[lines]]] = run.day
        self.then[store], self.then_day[store] = then, then_day
