"""The textbook mixed-integer programme of a split, solved by HiGHS: an oracle that shares no code with what it tests.

One binary for each way of each line and one for each store; complete lots and the units in them; a binary for each fee
that enough goods waive. Round trips are left out: they need a constraint for every subset. So are lots whose units
have different prices, or that save nothing: which of them are cheapest is no linear constraint.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import highspy
import numpy as np

from tests.support import carts


@dataclass
class Programme:
    costs: list = field(default_factory=list)
    upper: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    """(least, most, {column: factor})."""

    def column(self, cost, upper):
        self.costs.append(cost)
        self.upper.append(upper)
        return len(self.costs) - 1

    def row(self, least, most, factors):
        self.rows.append((least, most, factors))


INFINITE = highspy.kHighsInf


def programme(document, terms, most, missing):
    """The programme; an unfilled line costs `missing`."""
    found = Programme()
    visited = {each["store"]: found.column(terms.visit_cents, 1) for each in document["stores"]}
    found.row(0, most, dict.fromkeys(visited.values(), 1))
    goods, lots, used = defaultdict(dict), defaultdict(list), defaultdict(dict)
    for line in document["lines"]:
        filled = {found.column(missing, 1): 1}
        at = defaultdict(dict)
        for choice in line["options"]:
            for single, units, lot, fixed in carts.ways(choice, terms.members):
                cents = single * units if fixed is None else fixed
                taken = found.column(cents, 1)
                filled[taken] = at[choice["store"]][taken] = used[choice["store"]][taken] = 1
                goods[choice["store"]][taken] = cents
                if lot:
                    lots[lot].append((taken, single, units))
        found.row(1, 1, filled)
        for store, columns in at.items():
            found.row(-INFINITE, 0, {**columns, visited[store]: -1})
    for (store, _, quantity, total), users in lots.items():
        _add_lot(found, quantity, total, users, goods[store])
    for store, column in visited.items():
        found.row(-INFINITE, 0, {column: 1, **dict.fromkeys(used[store], -1)})
        _add_fee(found, terms.fees.get(store.split(":")[0], (0, None, 0)), column, goods[store])
    return found


def _add_lot(found, quantity, total, users, goods):
    """Whole lots, and how many units of each way are in them instead of paid singly.

    As many lots as possible: with fewer the goods would cost more, and could reach a limit that they do not reach.
    """
    assert len({single for _, single, _ in users}) == 1, f"units of {users} are not of one price"
    assert total < quantity * users[0][1], f"a lot for {total} saves nothing"
    lots_bought = found.column(total, sum(units for _, _, units in users) // quantity)
    goods[lots_bought] = total
    filled = {lots_bought: -quantity}
    for taken, single, units in users:
        inside = found.column(-single, units)
        goods[inside] = -single
        filled[inside] = 1
        found.row(-INFINITE, 0, {inside: 1, taken: -units})
    found.row(0, 0, filled)
    found.row(-INFINITE, quantity - 1, {lots_bought: -quantity} | {taken: units for taken, _, units in users})


def _add_fee(found, fee, visited, goods):
    cents, free_above, minimum = fee
    if minimum:
        found.row(0, INFINITE, {**goods, visited: -minimum})
    found.costs[visited] += cents
    if cents and free_above is not None:
        waived = found.column(-cents, 1)
        found.row(-INFINITE, 0, {waived: 1, visited: -1})
        found.row(0, INFINITE, {**goods, waived: -free_above})


def load(found, seconds=120.0):
    """HiGHS with the programme, set to prove the optimum to less than a cent."""
    model = highspy.HighsModel()
    lp = model.lp_
    lp.num_col_, lp.num_row_ = len(found.costs), len(found.rows)
    lp.col_cost_ = np.array(found.costs, float)
    lp.col_lower_, lp.col_upper_ = np.zeros(len(found.costs)), np.array(found.upper, float)
    lp.row_lower_ = np.array([row[0] for row in found.rows], float)
    lp.row_upper_ = np.array([row[1] for row in found.rows], float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(found.costs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row[2]) for row in found.rows)])
    lp.a_matrix_.index_ = np.array([column for row in found.rows for column in row[2]])
    lp.a_matrix_.value_ = np.array([factor for row in found.rows for factor in row[2].values()], float)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.5)
    solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
    solver.setOptionValue("time_limit", seconds)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    return solver


def optimum(document, terms, most, seconds=120.0):
    """(filled lines, cents) of the best plan over at most so many stores; None where the time limit was reached."""
    missing = 1 + sum(
        max((carts.costs_at_most(choice, terms.members) for choice in line["options"]), default=0)
        for line in document["lines"]
    )
    missing += most * (terms.visit_cents + max((fee[0] for fee in terms.fees.values()), default=0))
    solver = load(programme(document, terms, most, missing), seconds)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    left, cents = divmod(round(solver.getInfo().objective_function_value), missing)
    return len(document["lines"]) - left, cents
