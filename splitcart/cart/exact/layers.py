"""The states of a task after each of its layers, with their bounds.

A state is all that later lines can depend on: the units in lots that they can join, the goods of stores with a floor,
and the stores that have a line. So of equal states only the cheapest is kept. A state whose bound reaches the limit is
dropped.

Amounts are cents times `unit`, a multiple of every lot quantity, so that shares of lots are whole numbers. Ranks of
choices, which decide ties, are added below `unit`.
"""

from collections.abc import Sequence
from typing import Any

from splitcart.cart.costs import lot_cents
from splitcart.cart.exact.tasks import NEVER, PARTS, Clock, Move, OpenLot, Task, discounted_cost, least_share, regrets

Units = tuple[tuple[int, int], ...]
"""(single price, number) of each."""
State = tuple[tuple[Any, ...], tuple[int, ...], int]
"""The units in open lots, the goods by place up to its floor, and the places that have a line, as bits."""
Kept = tuple[int, int, int, Any]
"""The cost so far, the same with discounts, the bound, and the moves as (earlier moves, last move)."""


class Run:
    """One task with its bounds: for each layer, what the layers from there on cost at least.

    The plain bound is the sum of the layers' least costs. If goods must reach floors there is a second one (Lagrange):
    each place gives a discount d, a share, on its goods. An assignment costs what it costs with the discounts, plus d
    times the goods of each place; with goods that reach the floors that is no less than with d times the floors. So the
    sum of the least discounted costs plus d times the floors is a bound. A state has the larger of the two.
    """

    def __init__(self, task: Task, clock: Clock) -> None:
        self.task, self.clock = task, clock
        self.layers = [[(move, discounted_cost(move, task.discounts)) for move in layer] for layer in task.layers]
        self.suffix = _sums([min(move.cost for move in layer) for layer in task.layers])
        self.suffix_discounted = _sums([min(cost for _, cost in layer) for layer in self.layers])
        floors = (floor * part for floor, part in zip(task.floors, task.discounts, strict=True))
        self.floors_cost = sum(floors) * (task.unit // PARTS)
        self.closing = self._closings()
        self.in_order = self._in_order()
        self.rest = self._rest()
        plain = [[(move, move.cost) for move in layer] for layer in task.layers]
        self.regret = self._regrets(plain) if task.visit_all else []
        self.regret_discounted = self._regrets(self.layers) if task.visit_all else []

    def _closings(self) -> list[list[int]]:
        """For each layer, the lots that no later layer can join."""
        last = {move.lot: at for at, layer in enumerate(self.task.layers) for move in layer if move.lot >= 0}
        closing: list[list[int]] = [[] for _ in self.task.layers]
        for lot, at in last.items():
            closing[at].append(lot)
        return closing

    def _in_order(self) -> list[bool]:
        """For each lot, whether later layers never bring dearer units.

        Then units fill lots in the order of the layers, the dearest first, as is best. A full lot changes no more, and
        only the units of the open one are part of a state.
        """
        lowest: dict[int, int] = {}
        falling = [True] * len(self.task.lots)
        for layer in self.task.layers:
            here: dict[int, list[int]] = {}
            for move in layer:
                if move.lot >= 0:
                    here.setdefault(move.lot, []).append(move.choices[0].way.single_cents)
            for lot, prices in here.items():
                falling[lot] &= max(prices) <= lowest.get(lot, max(prices))
                lowest[lot] = min(prices)
        return falling

    def _rest(self) -> list[list[int]]:
        """For each layer, the most goods that each place can get from there on, those in open lots included."""
        rest = [[0] * len(self.task.floors)]
        joined = [0] * len(self.task.lots)
        for layer in self.task.layers:
            most = [0] * len(joined)
            for move in layer:
                if move.lot >= 0:
                    most[move.lot] = max(most[move.lot], move.most)
            joined = [one + two for one, two in zip(joined, most, strict=True)]
        if not self.task.floors:
            return []
        for layer, closing in zip(reversed(self.task.layers), reversed(self.closing), strict=True):
            now, best = list(rest[-1]), [0] * len(self.task.floors)
            for lot in closing:
                now[self.task.lots[lot].place] += joined[lot]
            for place, cents in (each for move in layer for each in move.goods):
                best[place] = max(best[place], cents)
            rest.append([one + two for one, two in zip(now, best, strict=True)])
        return rest[::-1]

    def _regrets(self, costs: list[list[tuple[Move, int]]]) -> list[list[int]]:
        """For each layer, the least regret (`tasks.regrets`) of each place there or later."""
        least = [[NEVER] * len(self.task.floors)]
        for layer in reversed(costs):
            here = regrets([layer], len(self.task.floors))
            least.append([min(one, two) for one, two in zip(least[-1], here, strict=True)])
        return least[::-1]

    def bound(self, depth: int, cost: int, discounted: int, goods: tuple[int, ...], visited: int) -> int:
        """The least that a state costs when the layers from `depth` on are decided; exact when none is left."""
        plain, with_discounts = cost + self.suffix[depth], self.floors_cost + discounted + self.suffix_discounted[depth]
        for place, floor in enumerate(self.task.floors):
            if goods[place] + self.rest[depth][place] < floor:
                return NEVER
            if self.regret and not visited >> place & 1:
                plain += self.regret[depth][place]
                with_discounts += self.regret_discounted[depth][place]
        return max(plain, with_discounts) if self.task.discounts else plain

    def start(self) -> dict[State, Kept]:
        lots = tuple(() for _ in self.task.lots)
        goods = (0,) * len(self.task.floors)
        return {(lots, goods, 0): (0, 0, self.bound(0, 0, 0, goods, 0), None)}

    def step(self, states: dict[State, Kept], depth: int, limit: int) -> dict[State, Kept]:
        """The states after one more layer, each reached the cheapest way, without those whose bound reaches the
        limit."""
        after: dict[State, Kept] = {}
        closing, cut = self.closing[depth], limit - self.suffix[depth + 1]
        has_floors, visit_all = bool(self.task.floors), self.task.visit_all
        for (lots, goods, visited), (cost, discounted, _, trail) in states.items():
            self.clock.check()
            for move, move_discounted in self.layers[depth]:
                now, now_discounted = cost + move.cost, discounted + move_discounted
                if now >= cut:
                    continue
                now_lots, now_goods = lots, goods
                now_visited = visited | move.visits if visit_all else visited
                ended = []
                if move.lot >= 0:
                    now_lots, extra, cents = self._join(lots, move)
                    ended.append((move.lot, extra, cents))
                for lot in closing:
                    ended.append((lot, *self._close(lot, now_lots[lot])))
                    now_lots = (*now_lots[:lot], (), *now_lots[lot + 1 :])
                for lot, extra, cents in ended:
                    now += extra
                    if has_floors:
                        place = self.task.lots[lot].place
                        now_discounted += extra // PARTS * (PARTS - self.task.discounts[place])
                        now_goods = self._more(now_goods, place, cents)
                if has_floors:
                    for place, cents in move.goods:
                        now_goods = self._more(now_goods, place, cents)
                bound = self.bound(depth + 1, now, now_discounted, now_goods, now_visited)
                if bound < limit:
                    state = (now_lots, now_goods, now_visited)
                    if state not in after or now < after[state][0]:
                        after[state] = (now, now_discounted, bound, (trail, move))
        return after

    def _join(self, lots: tuple[Any, ...], move: Move) -> tuple[tuple[Any, ...], int, int]:
        """The lots with the move's units; and of those that are full now, the cost beyond their units' least shares, in
        units, and the cents."""
        lot, way = self.task.lots[move.lot], move.choices[0].way
        units, extra, cents = (*lots[move.lot], (way.single_cents, way.units)), 0, 0
        if self.in_order[move.lot]:
            units, full = _full_lots(units, lot.quantity)
            for listed, times in full:
                cost = min(lot.total, sum(single * number for single, number in listed))
                extra += times * (cost * self.task.unit - self._least(listed, lot))
                cents += times * cost
        else:
            units = tuple(sorted(units))
        return (*lots[: move.lot], units, *lots[move.lot + 1 :]), extra, cents

    def _close(self, lot: int, units: Units) -> tuple[int, int]:
        """What the last units of a lot cost beyond their least shares, in units; and what they cost in cents."""
        if not units:
            return 0, 0
        terms = self.task.lots[lot]
        cents = lot_cents(units, terms.quantity, terms.total)
        return cents * self.task.unit - self._least(units, terms), cents

    def _least(self, units: Units, lot: OpenLot) -> int:
        """The sum of the units' least shares."""
        return sum(least_share(single, number, lot.quantity, lot.total, self.task.unit) for single, number in units)

    def _more(self, goods: tuple[int, ...], place: int, cents: int) -> tuple[int, ...]:
        """The goods by place with `cents` more at one, up to its floor."""
        now = min(goods[place] + cents, self.task.floors[place])
        return goods if now == goods[place] else (*goods[:place], now, *goods[place + 1 :])


def _full_lots(units: Units, quantity: int) -> tuple[Units, list[tuple[Units, int]]]:
    """The units that are left over, and the full lots as (units of one, how many). Only the last units can fill
    several."""
    *open_, (single, number) = units
    waiting, full = sum(many for _, many in open_), []
    if waiting and waiting + number >= quantity:
        full.append(((*open_, (single, quantity - waiting)), 1))
        number, open_ = number - (quantity - waiting), []
    if number >= quantity:
        full.append((((single, quantity),), number // quantity))
        number %= quantity
    return (*open_, (single, number)) if number else tuple(open_), full


def _sums(amounts: Sequence[int]) -> list[int]:
    """The sum from each index to the end, and 0 last."""
    sums = [0]
    for amount in reversed(amounts):
        sums.append(sums[-1] + amount)
    return sums[::-1]
