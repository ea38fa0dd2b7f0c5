"""Compares the lines of many stores, and gives a pair up as soon as it provably does not match.

The bound: two stores with a and b lines have at most min(a, b) lines in common. So a pair that differs on more than
(1 - share) x min(a, b) lines cannot reach the share, whatever its other lines are. The lines on which stores differ
most are compared first.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from splitcart.grouping.columns import Codes, Flags, Ints
from splitcart.grouping.rules import Comparison

_BLOCK = 1 << 21
"""Codes compared at once: 8 MB, about what a processor's cache holds."""
_SAMPLES = 96
"""Pairs of stores from which the lines that differ most are estimated."""


def compare_rows(a: Codes, b: Codes) -> Comparison:
    """The exact comparison of two rows of codes."""
    both = (a != 0) & (b != 0)
    smaller = min(np.count_nonzero(a), np.count_nonzero(b))
    return Comparison(int(np.count_nonzero(both)), int(np.count_nonzero(both & (a != b))), int(smaller))


def _sum(flags: Flags) -> Ints:
    """How many flags of each row are set."""
    packed = np.packbits(flags, axis=1)
    return np.bitwise_count(packed).sum(axis=1, dtype=np.int64)


class Matrix:
    """Rows of codes (0 for no line) of up to `rows` stores over `width` listings, compared one against many.

    Rows are put in when they are needed; other rows take up no memory.
    """

    def __init__(self, rows: int, width: int) -> None:
        self.codes: Codes = np.zeros((rows, width), np.uint32)
        self.lines: Ints = np.zeros(rows, np.int64)
        self.loaded: Flags = np.zeros(rows, np.bool_)
        self._parts: list[tuple[Ints, Codes]] = []
        self._share: Fraction | None = None

    def put(self, rows: Ints, codes: Codes) -> None:
        """Sets the rows, once each."""
        if len(rows) == len(self.codes) and not self.loaded.any() and bool((rows[:-1] < rows[1:]).all()):
            self.codes = codes  # Every row, in order: nothing to copy.
        else:
            self.codes[rows] = codes
        self.lines[rows] = [np.count_nonzero(row) for row in codes]
        self.loaded[rows] = True
        for columns, part in self._parts:
            part[rows] = codes[:, columns]

    def against(self, row: int, others: Ints, share: Fraction) -> tuple[Ints, Ints, Flags]:
        """(common, differ, exact) of `row` with each of `others`. A pair that is not exact provably misses `share`."""
        self._prepare(share)
        smaller = np.minimum(self.lines[others], self.lines[row])
        tolerated = smaller * (share.denominator - share.numerator) // share.denominator
        common, differ = smaller.copy(), np.zeros(len(others), np.int64)
        left = np.arange(len(others))
        for _, part in self._parts:
            differ[left] += differing(part[row], part, others[left])
            left = left[differ[left] <= tolerated[left]]
        common[left], differ[left] = counts(self.codes[row], self.codes, others[left])
        exact = np.zeros(len(others), np.bool_)
        exact[left] = True
        return common, differ, exact

    def _prepare(self, share: Fraction) -> None:
        """Copies the columns of the lines that differ most between stores into parts of growing width.

        Which lines these are is estimated from a sample of pairs of stores. A poor estimate costs time and changes no
        answer, because the bound holds for any lines.
        """
        if self._share == share:
            return
        loaded, width = np.flatnonzero(self.loaded), self.codes.shape[1]
        if len(loaded) < 8 or width < 2048:
            return
        self._share, self._parts = share, []
        one, two = (
            self.codes[loaded[pick]] for pick in np.random.default_rng(1).integers(0, len(loaded), (2, _SAMPLES))
        )
        often = ((one != two) & (one != 0) & (two != 0)).sum(axis=0)
        order = np.argsort(-often, kind="stable")
        # The first part is so wide that pairs differ on a quarter more of its lines, on average, than they may on all.
        need = float(1 - share) * float(np.median(self.lines[loaded])) * _SAMPLES
        enough = int(np.searchsorted(np.cumsum(often[order]), 1.25 * need)) + 64
        start = 0
        for end in (enough, 2 * enough, 4 * enough):
            if end > width // 2:
                break
            columns = np.sort(order[start:end])
            part = np.zeros((len(self.codes), end - start), np.uint32)
            part[loaded] = self.codes[np.ix_(loaded, columns)]
            self._parts.append((columns, part))
            start = end


def counts(row: Codes, matrix: Codes, others: Ints) -> tuple[Ints, Ints]:
    """(common, differ) of one row with each of the rows `others` of a matrix, over all its columns."""
    common, differ = np.empty(len(others), np.int64), np.empty(len(others), np.int64)
    present = row != 0
    for part, block in _blocks(matrix, others):
        both = (block != 0) & present
        common[part] = _sum(both)
        both &= block != row
        differ[part] = _sum(both)
    return common, differ


def differing(row: Codes, matrix: Codes, others: Ints) -> Ints:
    """How many lines of one row differ from each of the rows `others`: `counts` without the common lines, and
    faster."""
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
