"""Comparing many stores fast, and not comparing them at all where something proven decides.

The bound: two stores with a and b lines have at most min(a, b) in common, so a pair whose offers already differ on
more than (1 - share) x min(a, b) lines cannot reach the share. The lines on which stores differ most come first.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from splitcart.grouping.columns import Codes, Flags, Ints
from splitcart.grouping.rules import Comparison

_BLOCK = 1 << 21
"""Codes compared at once: 8 MB, about what stays in a cache."""
_SAMPLES = 96


def plain(a: Codes, b: Codes) -> Comparison:
    """The whole comparison of two rows of codes."""
    both = (a != 0) & (b != 0)
    smaller = min(np.count_nonzero(a), np.count_nonzero(b))
    return Comparison(int(np.count_nonzero(both)), int(np.count_nonzero(both & (a != b))), int(smaller))


def _sum(flags: Flags) -> Ints:
    packed = np.packbits(flags, axis=1)
    return np.bitwise_count(packed).sum(axis=1, dtype=np.int64)


class Matrix:
    """Rows of codes (0 for no line) of up to `rows` stores over `width` listings, compared one against many.

    Rows are put in as they are needed; memory is taken for those only.
    """

    def __init__(self, rows: int, width: int) -> None:
        self.codes: Codes = np.zeros((rows, width), np.uint32)
        self.lines: Ints = np.zeros(rows, np.int64)
        self.held: Flags = np.zeros(rows, np.bool_)
        self._parts: list[tuple[Ints, Codes]] = []
        self._share: Fraction | None = None

    def put(self, rows: Ints, codes: Codes) -> None:
        """Sets the rows, once each."""
        if len(rows) == len(self.codes) and not self.held.any() and bool((rows[:-1] < rows[1:]).all()):
            self.codes = codes  # Every row, in order: nothing to copy.
        else:
            self.codes[rows] = codes
        self.lines[rows] = [np.count_nonzero(row) for row in codes]
        self.held[rows] = True
        for columns, part in self._parts:
            part[rows] = codes[:, columns]

    def against(self, row: int, others: Ints, share: Fraction) -> tuple[Ints, Ints, Flags]:
        """(common, differ, exact) of `row` with each of `others`; inexact ones are proven to miss `share`."""
        self._prepare(share)
        smaller = np.minimum(self.lines[others], self.lines[row])
        spare = smaller * (share.denominator - share.numerator) // share.denominator
        common, differ = smaller.copy(), np.zeros(len(others), np.int64)
        left = np.arange(len(others))
        for _, part in self._parts:
            differ[left] += differing(part[row], part, others[left])
            left = left[differ[left] <= spare[left]]
        common[left], differ[left] = counts(self.codes[row], self.codes, others[left])
        exact = np.zeros(len(others), np.bool_)
        exact[left] = True
        return common, differ, exact

    def _prepare(self, share: Fraction) -> None:
        """Lays the lines that differ most between stores side by side, in parts that grow.

        Which lines these are is guessed from pairs of stores; a wrong guess costs time, never a wrong answer.
        """
        if self._share == share:
            return
        held, width = np.flatnonzero(self.held), self.codes.shape[1]
        if len(held) < 8 or width < 2048:
            return
        self._share, self._parts = share, []
        one, two = (self.codes[held[d]] for d in np.random.default_rng(1).integers(0, len(held), (2, _SAMPLES)))
        often = ((one != two) & (one != 0) & (two != 0)).sum(axis=0)
        order = np.argsort(-often, kind="stable")
        need = float(1 - share) * float(np.median(self.lines[held])) * _SAMPLES
        enough = int(np.searchsorted(np.cumsum(often[order]), 1.25 * need)) + 64
        start = 0
        for end in (enough, 2 * enough, 4 * enough):
            if end > width // 2:
                break
            columns = np.sort(order[start:end])
            part = np.zeros((len(self.codes), end - start), np.uint32)
            part[held] = self.codes[np.ix_(held, columns)]
            self._parts.append((columns, part))
            start = end


def counts(row: Codes, matrix: Codes, others: Ints) -> tuple[Ints, Ints]:
    """(common, differ) of one row with the rows `others` of a matrix, over all its columns."""
    common, differ = np.empty(len(others), np.int64), np.empty(len(others), np.int64)
    present = row != 0
    for part, block in _blocks(matrix, others):
        both = (block != 0) & present
        common[part] = _sum(both)
        both &= block != row
        differ[part] = _sum(both)
    return common, differ


def differing(row: Codes, matrix: Codes, others: Ints) -> Ints:
    """Like `counts`, without the common ones."""
    differ = np.empty(len(others), np.int64)
    present = row != 0
    for part, block in _blocks(matrix, others):
        apart = block != row
        apart &= block != 0
        apart &= present
        differ[part] = _sum(apart)
    return differ


def _blocks(matrix: Codes, others: Ints) -> Iterator[tuple[slice, Codes]]:
    """The rows `others` of a matrix, some at a time: their places in `others`, and the rows."""
    step = max(1, _BLOCK // max(1, matrix.shape[1]))
    for start in range(0, len(others), step):
        part = slice(start, start + step)
        yield part, matrix[others[part]]
