"""What shared lots add at least to the cost of sets of stores, many sets at once. Amounts are scaled.

The plain bound counts each line with its least share of a lot, as if all lots were full. Here, for each lot, every
pattern of lines in it is tried: what the lot then costs beyond these shares, and what its lines cost beyond their
least. The least over all patterns is added. A line that several lots of a set could take counts in each of them with an
equal part of its difference, so that what the lots add can be summed.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import product

import numpy as np

from splitcart.cart.costs import lot_cents
from splitcart.cart.exact.choices import Choice
from splitcart.cart.exact.model import Amounts, Model

MAX_PATTERNS = 64
"""A lot with more patterns adds nothing."""


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The patterns of one lot, a column each: which choices are in it, which lines are not, and what it costs."""

    store: int
    lines: Amounts
    shares: Amounts
    """By choice: its least share."""
    of_line: Amounts
    """By choice: the index of its line in `lines`."""
    elsewhere: Amounts
    """By line: the least it costs at the same store outside of the lot."""
    inside: Amounts
    """By choice and pattern: 1 if it is in the lot."""
    outside: Amounts
    """By line and pattern: 1 if it is not in the lot."""
    costs: Amounts
    """By pattern: what the lot costs."""


class LotBounds:
    """The bounds of all lots that are small enough to try every pattern."""

    def __init__(self, model: Model) -> None:
        self.model = model
        nowhere = np.full((1, model.low.shape[1]), model.absent * model.scale, np.int64)
        self.low: Amounts = np.concatenate([model.low, nowhere])
        users: dict[int, dict[int, list[Choice]]] = defaultdict(lambda: defaultdict(list))
        self.lots_of: Amounts = np.zeros(model.low.shape, np.int64)
        for line, cells in enumerate(model.cells):
            for store, cell in cells.items():
                self.lots_of[store, line] = len({choice.lot for choice in cell.shared})
                for choice in cell.shared:
                    users[choice.lot][line].append(choice)
        self.patterns: dict[int, list[_Patterns]] = defaultdict(list)
        for lot, by_line in users.items():
            count = 1
            for line_choices in by_line.values():
                count *= len(line_choices) + 1
            if count <= MAX_PATTERNS:
                patterns = self._patterns(lot, by_line)
                self.patterns[patterns.store].append(patterns)

    def _patterns(self, lot: int, by_line: dict[int, list[Choice]]) -> _Patterns:
        model, known = self.model, self.model.lots[lot]
        choices = [choice for line_choices in by_line.values() for choice in line_choices]
        at = {id(choice): number for number, choice in enumerate(choices)}
        rows = list(product(*[(None, *line_choices) for line_choices in by_line.values()]))
        inside = np.zeros((len(choices), len(rows)), np.int64)
        outside = np.zeros((len(by_line), len(rows)), np.int64)
        costs = np.zeros(len(rows), np.int64)
        for number, row in enumerate(rows):
            taken = [choice for choice in row if choice is not None]
            inside[[at[id(choice)] for choice in taken], number] = 1
            outside[[line for line, choice in enumerate(row) if choice is None], number] = 1
            units = [(choice.way.single_cents, choice.way.units) for choice in taken]
            costs[number] = lot_cents(tuple(units), known.quantity, known.total) * model.scale
        shares = np.array([model.least(choice) for choice in choices], np.int64)
        lines = list(by_line)
        of_line = np.array([lines.index(choice.line) for choice in choices], np.int64)
        store = choices[0].store
        elsewhere = np.array([self._elsewhere(line, store, lot) for line in lines], np.int64)
        return _Patterns(store, np.array(lines, np.int64), shares, of_line, elsewhere, inside, outside, costs)

    def _elsewhere(self, line: int, store: int, lot: int) -> int:
        cell = self.model.cells[line][store]
        others = [self.model.least(choice) for choice in (*cell.plain, *cell.shared) if choice.lot != lot]
        return min(others, default=self.model.absent * self.model.scale)

    def added(self, sets: Amounts) -> Amounts:
        """For each set (a row of store indices): the least that its shared lots add."""
        added = np.zeros(len(sets), np.int64)
        if not self.patterns or not len(sets):
            return added
        least = self.model.low[sets].min(axis=1)
        lots_of = self.lots_of[sets].sum(axis=1)
        for store, lots in self.patterns.items():
            rows, column = np.nonzero(sets == store)
            if len(rows):
                others = sets[rows]
                others[np.arange(len(rows)), column] = len(self.model.stores)
                for patterns in lots:
                    added[rows] += self._of_lot(patterns, others, least[rows], lots_of[rows])
        return added

    def _of_lot(self, known: _Patterns, others: Amounts, least: Amounts, lots_of: Amounts) -> Amounts:
        """What one lot adds at least. `others`: each set with a store that sells nothing in place of the lot's own."""
        low = self.low[others[:, :, None], known.lines[None, None, :]].min(axis=1)
        here = least[:, known.lines]
        parts = lots_of[:, known.lines]
        out = (np.minimum(low, known.elsewhere) - here) // parts
        at = known.of_line
        taken = (known.shares - here[:, at]) // parts[:, at] - known.shares
        return (taken @ known.inside + out @ known.outside + known.costs).min(axis=1)
