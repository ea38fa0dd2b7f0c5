"""Finds which stores match at the least cost: by fingerprints, by remembered comparisons, by a bound; then by
comparing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from splitcart.grouping.columns import Codes, Flags, Ints
from splitcart.grouping.compare import Matrix, compare_rows
from splitcart.grouping.rules import Comparison, Rules, reaches

_UNKNOWN, _MATCH, _APART, _REMEMBERED = 0, 1, 2, 4
"""What is known of two fingerprints. _REMEMBERED is added if an earlier run compared them, until it is used."""

Load = Callable[[Sequence[int]], Codes]
Pair = tuple[bytes, bytes]


def pair_of(one: bytes, two: bytes) -> Pair:
    """Two fingerprints in the order under which their comparison is remembered."""
    return (one, two) if one <= two else (two, one)


@dataclass(slots=True)
class Figures:
    """How many decisions came from which source."""

    made: int = 0
    """Comparisons of all lines."""
    bounded: int = 0
    """Comparisons given up early, because the stores provably do not match."""
    equal: int = 0
    """Equal fingerprints: no price was read."""
    remembered: int = 0
    """Earlier comparisons of the same two fingerprints."""

    def add(self, other: "Figures") -> None:
        """Adds the other's counts."""
        self.made += other.made
        self.bounded += other.bounded
        self.equal += other.equal
        self.remembered += other.remembered

    @property
    def avoided(self) -> int:
        return self.bounded + self.equal + self.remembered


@dataclass(eq=False)
class Comparer:
    """Compares stores, which are numbers here: positions in `fingerprints` and `lines` (how many lines each has).

    `load` returns the rows of codes (`width` wide, of one coder) of store numbers. It is called only for stores that
    must be compared, and once for all stores of one fingerprint.
    """

    fingerprints: Sequence[bytes]
    lines: Sequence[int]
    width: int
    load: Load
    rules: Rules
    remembered: Mapping[Pair, Comparison] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        # Distinct fingerprints have numbers too; _numbers has that of each store, _example a store of each.
        self._number_of: dict[bytes, int] = {}
        self._numbers: Ints = np.array(
            [self._number_of.setdefault(each, len(self._number_of)) for each in self.fingerprints], np.int64
        )
        count = len(self._number_of)
        self._distinct = list(self._number_of)
        self._example = np.zeros(count, np.int64)
        self._example[self._numbers[::-1]] = np.arange(len(self._numbers))[::-1]
        self._state = np.zeros((count, count), np.uint8)
        self._matrix = Matrix(count, self.width)
        self._learned: list[tuple[int, Ints, Ints, Ints, Ints, Flags]] = []
        self._known = dict(self.remembered)
        empty = [self.lines[store] == 0 for store in self._example.tolist()]
        self._state[np.diag_indices(count)] = np.where(empty, _APART, _MATCH)
        for (low, high), comparison in self.remembered.items():
            verdict = comparison.matches(self.rules.join, self.rules.overlap)
            if verdict is not None and low in self._number_of and high in self._number_of:
                one, two = self._number_of[low], self._number_of[high]
                self._state[one, two] = self._state[two, one] = _REMEMBERED | (_MATCH if verdict else _APART)

    def matches(self, store: int, others: Ints) -> Flags:
        """Whether `store` matches each of `others` at the share `rules.join`."""
        mine, numbers = int(self._numbers[store]), self._numbers[others]
        state = self._state[mine, numbers]
        self.figures.equal += int(np.count_nonzero(numbers == mine))
        self.figures.remembered += int(np.count_nonzero(state & _REMEMBERED))
        self._state[mine, numbers] = self._state[numbers, mine] = state & ~np.uint8(_REMEMBERED)
        wanted = np.unique(numbers[state == _UNKNOWN])
        if len(wanted):
            self._compare_rows(mine, wanted)
        matching: Flags = self._state[mine, numbers] == _MATCH
        return matching

    def _compare_rows(self, mine: int, wanted: Ints) -> None:
        self._load_missing(np.append(wanted, mine))
        common, differ, exact = self._matrix.against(mine, wanted, self.rules.join)
        smaller = np.minimum(self._matrix.lines[wanted], self._matrix.lines[mine])
        alike = reaches(common - differ, common, self.rules.join)
        enough = reaches(common, smaller, self.rules.overlap)
        verdict = np.where(exact & alike & enough & (common > 0), _MATCH, _APART).astype(np.uint8)
        self._state[mine, wanted] = self._state[wanted, mine] = verdict
        for at in np.flatnonzero(verdict == _MATCH).tolist():
            pair = pair_of(self._distinct[mine], self._distinct[wanted[at]])
            self._known[pair] = Comparison(int(common[at]), int(differ[at]), int(smaller[at]))
        self.figures.made += int(np.count_nonzero(exact))
        self.figures.bounded += int(np.count_nonzero(~exact))
        self._learned.append((mine, wanted, common, differ, smaller, exact))

    def _load_missing(self, numbers: Ints) -> None:
        missing = np.sort(numbers[~self._matrix.loaded[numbers]])
        if len(missing):
            self._matrix.put(missing, self.load(self._example[missing].tolist()))

    def compare(self, store: int, others: Sequence[int]) -> list[Comparison]:
        """The exact comparison of `store` with each of `others`. Their rows are not kept."""
        mine = self.fingerprints[store]
        prints = [self.fingerprints[other] for other in others]
        pairs = zip(prints, others, strict=True)
        wanted = {its: other for its, other in pairs if its != mine and not self._is_exact(mine, its)}
        self.figures.equal += sum(its == mine for its in prints)
        self.figures.remembered += sum(its != mine and its not in wanted for its in prints)
        if wanted:
            codes = self.load([store, *wanted.values()])
            for fingerprint, row in zip(wanted, codes[1:], strict=True):
                self._known[pair_of(mine, fingerprint)] = compare_rows(codes[0], row)
            self.figures.made += len(wanted)
        equal = Comparison(self.lines[store], 0, self.lines[store])
        return [equal if its == mine else self._known[pair_of(mine, its)] for its in prints]

    def match_of(self, one: int, two: int) -> Comparison:
        """The comparison of two stores that were found to match."""
        a, b = self.fingerprints[one], self.fingerprints[two]
        return Comparison(self.lines[one], 0, self.lines[one]) if a == b else self._known[pair_of(a, b)]

    def _is_exact(self, one: bytes, two: bytes) -> bool:
        known = self._known.get(pair_of(one, two))
        return known is not None and known.exact

    def learned(self, anchors: Sequence[int], members: Sequence[tuple[int, int]] = ()) -> dict[Pair, Comparison]:
        """The comparisons worth remembering: those among these anchors, and of these (member, anchor) pairs."""
        kept = np.zeros(len(self._distinct), np.bool_)
        kept[self._numbers[list(anchors)]] = True
        prints = {self._distinct[i] for i in np.flatnonzero(kept)}
        wanted = {pair_of(self.fingerprints[member], self.fingerprints[anchor]) for member, anchor in members}
        known = self._known.items()
        learned = {pair: c for pair, c in known if pair in wanted or (pair[0] in prints and pair[1] in prints)}
        for mine, others, common, differ, smaller, exact in self._learned:
            for at in np.flatnonzero(kept[others]).tolist() if kept[mine] else ():
                pair = pair_of(self._distinct[mine], self._distinct[int(others[at])])
                if not (pair in learned and learned[pair].exact):
                    learned[pair] = Comparison(int(common[at]), int(differ[at]), int(smaller[at]), bool(exact[at]))
        return learned
