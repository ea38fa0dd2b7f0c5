"""Answers which stores match, at the least cost: by fingerprint, by memory, by a bound, and only then by comparing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from splitcart.grouping.columns import Codes, Flags, Ints
from splitcart.grouping.compare import Matrix, plain
from splitcart.grouping.rules import Comparison, Rules, reaches

_UNKNOWN, _MATCH, _APART, _TOLD = 0, 1, 2, 4
"""What is known of a pair; _TOLD is added where an earlier run knew it and nobody asked yet."""

Load = Callable[[Sequence[int]], Codes]
Pair = tuple[bytes, bytes]


def pair_of(one: bytes, two: bytes) -> Pair:
    """Two fingerprints in the order in which a comparison is remembered."""
    return (one, two) if one <= two else (two, one)


@dataclass(slots=True)
class Figures:
    """How answers were come by."""

    made: int = 0
    """Whole comparisons."""
    bounded: int = 0
    """Given up early: proven apart."""
    equal: int = 0
    """Equal fingerprints: no price looked at."""
    remembered: int = 0
    """An earlier comparison of the same two fingerprints."""

    def add(self, other: "Figures") -> None:
        """Counts the other's in."""
        self.made += other.made
        self.bounded += other.bounded
        self.equal += other.equal
        self.remembered += other.remembered

    @property
    def avoided(self) -> int:
        return self.bounded + self.equal + self.remembered


@dataclass(eq=False)
class Comparer:
    """Compares stores, which are numbers here: positions in `fingerprints` and `lines`.

    `load` gives the rows of codes (`width` wide, of one coder) of store numbers; it is asked only for stores that must
    be compared. Stores of one fingerprint are loaded once.
    """

    fingerprints: Sequence[bytes]
    lines: Sequence[int]
    width: int
    load: Load
    rules: Rules
    remembered: Mapping[Pair, Comparison] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self._faces: dict[bytes, int] = {}
        self._face: Ints = np.array([self._faces.setdefault(f, len(self._faces)) for f in self.fingerprints], np.int64)
        count = len(self._faces)
        self._prints = list(self._faces)
        self._store = np.zeros(count, np.int64)
        self._store[self._face[::-1]] = np.arange(len(self._face))[::-1]
        self._state = np.zeros((count, count), np.uint8)
        self._matrix = Matrix(count, self.width)
        self._learned: list[tuple[int, Ints, Ints, Ints, Ints, Flags]] = []
        self._known = dict(self.remembered)
        empty = [self.lines[s] == 0 for s in self._store.tolist()]
        self._state[np.diag_indices(count)] = np.where(empty, _APART, _MATCH)
        for (low, high), comparison in self.remembered.items():
            verdict = comparison.matches(self.rules.join, self.rules.overlap)
            if verdict is not None and low in self._faces and high in self._faces:
                one, two = self._faces[low], self._faces[high]
                self._state[one, two] = self._state[two, one] = _TOLD | (_MATCH if verdict else _APART)

    def matches(self, store: int, others: Ints) -> Flags:
        """Whether `store` matches each of `others` at the joining share."""
        mine, faces = int(self._face[store]), self._face[others]
        state = self._state[mine, faces]
        self.figures.equal += int(np.count_nonzero(faces == mine))
        self.figures.remembered += int(np.count_nonzero(state & _TOLD))
        self._state[mine, faces] = self._state[faces, mine] = state & ~np.uint8(_TOLD)
        wanted = np.unique(faces[state == _UNKNOWN])
        if len(wanted):
            self._compare(mine, wanted)
        found: Flags = self._state[mine, faces] == _MATCH
        return found

    def _compare(self, mine: int, wanted: Ints) -> None:
        self._hold(np.append(wanted, mine))
        common, differ, exact = self._matrix.against(mine, wanted, self.rules.join)
        smaller = np.minimum(self._matrix.lines[wanted], self._matrix.lines[mine])
        alike = reaches(common - differ, common, self.rules.join)
        enough = reaches(common, smaller, self.rules.overlap)
        verdict = np.where(exact & alike & enough & (common > 0), _MATCH, _APART).astype(np.uint8)
        self._state[mine, wanted] = self._state[wanted, mine] = verdict
        for at in np.flatnonzero(verdict == _MATCH).tolist():
            pair = pair_of(self._prints[mine], self._prints[wanted[at]])
            self._known[pair] = Comparison(int(common[at]), int(differ[at]), int(smaller[at]))
        self.figures.made += int(np.count_nonzero(exact))
        self.figures.bounded += int(np.count_nonzero(~exact))
        self._learned.append((mine, wanted, common, differ, smaller, exact))

    def _hold(self, faces: Ints) -> None:
        missing = np.sort(faces[~self._matrix.held[faces]])
        if len(missing):
            self._matrix.put(missing, self.load(self._store[missing].tolist()))

    def whole(self, store: int, others: Sequence[int]) -> list[Comparison]:
        """The exact comparison of `store` with each of `others`; their rows are not kept."""
        mine = self.fingerprints[store]
        wanted = {f: o for o in others if (f := self.fingerprints[o]) != mine and not self._exact(mine, f)}
        self.figures.equal += sum(self.fingerprints[o] == mine for o in others)
        self.figures.remembered += sum((f := self.fingerprints[o]) != mine and f not in wanted for o in others)
        if wanted:
            codes = self.load([store, *wanted.values()])
            for fingerprint, row in zip(wanted, codes[1:], strict=True):
                self._known[pair_of(mine, fingerprint)] = plain(codes[0], row)
            self.figures.made += len(wanted)
        alone = Comparison(self.lines[store], 0, self.lines[store])
        prints = [self.fingerprints[o] for o in others]
        return [alone if f == mine else self._known[pair_of(mine, f)] for f in prints]

    def match_of(self, one: int, two: int) -> Comparison:
        """The comparison of two stores that were found to match."""
        a, b = self.fingerprints[one], self.fingerprints[two]
        return Comparison(self.lines[one], 0, self.lines[one]) if a == b else self._known[pair_of(a, b)]

    def _exact(self, one: bytes, two: bytes) -> bool:
        known = self._known.get(pair_of(one, two))
        return known is not None and known.exact

    def learned(self, anchors: Sequence[int], members: Sequence[tuple[int, int]] = ()) -> dict[Pair, Comparison]:
        """What is worth remembering: comparisons among these anchors, and of these (member, anchor) pairs."""
        kept = np.zeros(len(self._prints), np.bool_)
        kept[self._face[list(anchors)]] = True
        prints = {self._prints[i] for i in np.flatnonzero(kept)}
        wanted = {pair_of(self.fingerprints[m], self.fingerprints[a]) for m, a in members}
        known = self._known.items()
        found = {pair: c for pair, c in known if pair in wanted or (pair[0] in prints and pair[1] in prints)}
        for mine, others, common, differ, smaller, exact in self._learned:
            for at in np.flatnonzero(kept[others]).tolist() if kept[mine] else ():
                pair = pair_of(self._prints[mine], self._prints[int(others[at])])
                if not (pair in found and found[pair].exact):
                    found[pair] = Comparison(int(common[at]), int(differ[at]), int(smaller[at]), bool(exact[at]))
        return found
