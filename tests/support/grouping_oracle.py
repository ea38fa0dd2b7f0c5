"""The rules of grouping by brute force over dictionaries, to compare the fast implementation with."""

from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

from splitcart.grouping.rules import Store, natural_key
from splitcart.periods import Flip, period_start

FRESH = timedelta(hours=72)
Lines = dict[int, tuple]


def compare(a: Lines, b: Lines, share: Fraction) -> bool:
    common = a.keys() & b.keys()
    equal = sum(a[k] == b[k] for k in common)
    return bool(common) and 2 * len(common) >= min(len(a), len(b)) and Fraction(equal, len(common)) >= share


@dataclass
class Oracle:
    stores: dict[str, Store]
    lines: dict[str, Lines]
    now: object
    join: Fraction = Fraction(98, 100)
    leave: Fraction = Fraction(97, 100)
    anchor: dict[str, str] = field(default_factory=dict)
    flagged: set = field(default_factory=set)

    def run(self) -> dict[str, str]:
        self.anchor = {i: s.anchor if s.anchor in self.stores else i for i, s in self.stores.items()}
        self.replace()
        self.health()
        while (pair := self.best()) is not None:
            self.merge(*pair)
        return self.anchor

    def ids(self) -> list[str]:
        return sorted(self.stores, key=natural_key)

    def group(self, anchor: str) -> list[str]:
        return [i for i in self.ids() if self.anchor[i] == anchor]

    def fresh(self, i: str) -> bool:
        s = self.stores[i]
        return not s.closed and s.complete_at is not None and self.now - s.complete_at <= FRESH

    def start(self, i: str, t):
        # Time zones differ by less than a day: rounding to weeks separates the periods.
        return round(period_start(Flip(), self.stores[i].timezone, t).timestamp() / 604800)

    def agreed(self, i: str) -> bool:
        s = self.stores[i]
        if s.closed or not s.verified_at or (s.complete_at and s.complete_at > s.verified_at):
            return False
        return self.start(i, s.verified_at) == self.start(i, self.now)

    def week(self, i: str):
        s = self.stores[i]
        when = s.complete_at
        if when is None or (
            s.touched_at and s.touched_at > when and self.start(i, s.touched_at) != self.start(i, when)
        ):
            return None
        return self.start(i, when)

    def comparable(self, a: str, b: str) -> bool:
        return self.week(a) is not None and self.week(a) == self.week(b)

    def replace(self) -> None:
        for anchor in [i for i in self.ids() if self.group(i)]:
            home = self.anchor[anchor] == anchor
            others = [i for i in self.group(anchor) if i != anchor]
            able = [i for i in others if not self.stores[i].closed]
            if (home and not self.stores[anchor].closed) or (home and not able):
                continue
            runs = [i for i in able or others if self.stores[i].complete_at]
            latest = max((self.stores[i].complete_at for i in runs), default=None)
            heir = next(i for i in able or others if self.stores[i].complete_at == latest)
            for i in others:
                self.anchor[i] = heir

    def health(self) -> None:
        state = dict(self.anchor)
        for i in self.ids():
            a = state[i]
            if i == a or self.stores[i].closed:
                continue
            if not self.fresh(a):
                if self.fresh(i):
                    self.flagged.add(a)
            elif self.agreed(i):
                continue
            elif self.comparable(i, a) and not compare(self.lines[i], self.lines[a], self.leave):
                if self.fresh(i):
                    self.anchor[i] = i
                else:
                    self.flagged.add(i)

    def best(self):
        anchors = [i for i in self.ids() if self.anchor[i] == i and self.fresh(i)]
        pairs = []
        for x, a in enumerate(anchors):
            for b in anchors[x + 1 :]:
                if self.comparable(a, b) and compare(self.lines[a], self.lines[b], self.join):
                    one, two = sorted((a, b), key=lambda i: (-len(self.group(i)), natural_key(i)))
                    rank = (-len(self.group(one)), -len(self.group(two)), natural_key(one), natural_key(two))
                    pairs.append((rank, one, two))
        return min(pairs)[1:] if pairs else None

    def merge(self, winner: str, loser: str) -> None:
        members = [m for m in self.group(loser) if m != loser]
        judged = [m for m in members if self.fresh(m) and self.comparable(m, winner)]
        for m in members:
            if m not in judged:
                self.anchor[m] = winner
                if not self.stores[m].closed and not self.agreed(m):
                    self.flagged.add(m)
        for m in judged:
            alike = compare(self.lines[m], self.lines[winner], self.join)
            self.anchor[m] = winner if alike else m
        self.anchor[loser] = winner
