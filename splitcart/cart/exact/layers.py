"""The states in which lines that hang together can be: by lots they share, by what their stores ask for.

Line by line, every state is kept that can still matter: the units in lots that later lines can join, the goods of
stores with a floor, the stores without a line yet. Two states that agree in these are one, the cheaper. A state whose
bound reaches the limit is dropped.

Amounts are cents times `unit`, a multiple of every lot quantity, so that shares of lots are whole; ties may be added
below `unit`.
"""

from collections.abc import Sequence
from typing import Any

from splitcart.cart.costs import lot_cents
from splitcart.cart.exact.tasks import NEVER, PARTS, Clock, Move, OpenLot, Task, least_share, less, regrets

Units = tuple[tuple[int, int], ...]
"""Of (single price, number)."""
State = tuple[tuple[Any, ...], tuple[int, ...], int]
"""The units in open lots, goods by place up to the floor, and the places seen."""
Kept = tuple[int, int, int, Any]
"""Cost so far, the same less discounts, the bound, and the moves: (earlier ones, last)."""


class Run:
    """One task with its bounds: for each layer, what the layers from there on cost at least.

    Where goods must reach a floor, each place gives a discount on its goods and asks for the same share of its floor
    (Lagrange): an assignment that reaches all floors costs no less than this. The plain bound is without discounts.
    """

    def __init__(self, task: Task, clock: Clock) -> None:
        self.task, self.clock = task, clock
        self.layers = [[(move, less(move, task.discounts)) for move in layer] for layer in task.layers]
        self.suffix = _sums([min(move.cost for move in layer) for layer in task.layers])
        self.suffix_less = _sums([min(cost for _, cost in layer) for layer in self.layers])
        asked = (floor * part for floor, part in zip(task.floors, task.discounts, strict=True))
        self.asked = sum(asked) * (task.unit // PARTS)
        self.closing = self._closings()
        self.in_order = self._in_order()
        self.rest = self._rest()
        plain = [[(move, move.cost) for move in layer] for layer in task.layers]
        self.regret = self._regrets(plain) if task.visit_all else []
        self.regret_less = self._regrets(self.layers) if task.visit_all else []

    def _closings(self) -> list[list[int]]:
        """For each layer the lots that no later one can join."""
        last = {move.lot: at for at, layer in enumerate(self.task.layers) for move in layer if move.lot >= 0}
        closing: list[list[int]] = [[] for _ in self.task.layers]
        for lot, at in last.items():
            closing[at].append(lot)
        return closing

    def _in_order(self) -> list[bool]:
        """For each lot, whether later layers bring no dearer units: then its lots fill up in order, and a full one is
        worth what it saves on its own units, so that only the units of the last one matter."""
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
        """For each layer, the most goods that each place can still get from there on, open lots included."""
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
        """For each layer, what each place costs more than need be if it gets a line there or later."""
        found = [[NEVER] * len(self.task.floors)]
        for layer in reversed(costs):
            here = regrets([layer], len(self.task.floors))
            found.append([min(one, two) for one, two in zip(found[-1], here, strict=True)])
        return found[::-1]

    def bound(self, depth: int, cost: int, discounted: int, goods: tuple[int, ...], seen: int) -> int:
        """What a state costs at least once the layers from `depth` on are decided; exact when none is left."""
        plain, other = cost + self.suffix[depth], self.asked + discounted + self.suffix_less[depth]
        for place, floor in enumerate(self.task.floors):
            if goods[place] + self.rest[depth][place] < floor:
                return NEVER
            if self.regret and not seen >> place & 1:
                plain += self.regret[depth][place]
                other += self.regret_less[depth][place]
        return max(plain, other) if self.task.discounts else plain

    def start(self) -> dict[State, Kept]:
        lots = tuple(() for _ in self.task.lots)
        goods = (0,) * len(self.task.floors)
        return {(lots, goods, 0): (0, 0, self.bound(0, 0, 0, goods, 0), None)}

    def step(self, states: dict[State, Kept], depth: int, limit: int) -> dict[State, Kept]:
        """The states after one more layer, each with its cheapest way, but those whose bound reaches the limit."""
        fresh: dict[State, Kept] = {}
        closing, cut = self.closing[depth], limit - self.suffix[depth + 1]
        asking, visit_all = bool(self.task.floors), self.task.visit_all
        for (lots, goods, seen), (cost, discounted, _, trail) in states.items():
            self.clock.check()
            for move, move_less in self.layers[depth]:
                now, now_less = cost + move.cost, discounted + move_less
                if now >= cut:
                    continue
                now_lots, now_goods = lots, goods
                now_seen = seen | move.seen if visit_all else seen
                ended = []
                if move.lot >= 0:
                    now_lots, extra, cents = self._join(lots, move)
                    ended.append((move.lot, extra, cents))
                for lot in closing:
                    ended.append((lot, *self._close(lot, now_lots[lot])))
                    now_lots = (*now_lots[:lot], (), *now_lots[lot + 1 :])
                for lot, extra, cents in ended:
                    now += extra
                    if asking:
                        place = self.task.lots[lot].place
                        now_less += extra // PARTS * (PARTS - self.task.discounts[place])
                        now_goods = self._more(now_goods, place, cents)
                if asking:
                    for place, cents in move.goods:
                        now_goods = self._more(now_goods, place, cents)
                bound = self.bound(depth + 1, now, now_less, now_goods, now_seen)
                if bound < limit:
                    state = (now_lots, now_goods, now_seen)
                    if state not in fresh or now < fresh[state][0]:
                        fresh[state] = (now, now_less, bound, (trail, move))
        return fresh

    def _join(self, lots: tuple[Any, ...], move: Move) -> tuple[tuple[Any, ...], int, int]:
        """The lots with the move's units in one of them; of lots that are full now, what they cost beyond the least
        shares (in units), and their cents."""
        lot, way = self.task.lots[move.lot], move.choices[0].way
        units, extra, cents = (*lots[move.lot], (way.single_cents, way.units)), 0, 0
        if self.in_order[move.lot]:
            units, full = _whole_lots(units, lot.quantity)
            for listed, times in full:
                cost = min(lot.total, sum(single * number for single, number in listed))
                extra += times * (cost * self.task.unit - self._least(listed, lot))
                cents += times * cost
        else:
            units = tuple(sorted(units))
        return (*lots[: move.lot], units, *lots[move.lot + 1 :]), extra, cents

    def _close(self, lot: int, units: Units) -> tuple[int, int]:
        """What its last units cost beyond their least shares, in units; and in cents what they cost."""
        if not units:
            return 0, 0
        known = self.task.lots[lot]
        cents = lot_cents(units, known.quantity, known.total)
        return cents * self.task.unit - self._least(units, known), cents

    def _least(self, units: Units, lot: OpenLot) -> int:
        return sum(least_share(single, number, lot.quantity, lot.total, self.task.unit) for single, number in units)

    def _more(self, goods: tuple[int, ...], place: int, cents: int) -> tuple[int, ...]:
        now = min(goods[place] + cents, self.task.floors[place])
        return goods if now == goods[place] else (*goods[:place], now, *goods[place + 1 :])


def _whole_lots(units: Units, quantity: int) -> tuple[Units, list[tuple[Units, int]]]:
    """The units beyond whole lots, and the lots (units of one, how often). Only the last of the units can be many."""
    *open_, (single, number) = units
    held, full = sum(many for _, many in open_), []
    if held and held + number >= quantity:
        full.append(((*open_, (single, quantity - held)), 1))
        number, open_ = number - (quantity - held), []
    if number >= quantity:
        full.append((((single, quantity),), number // quantity))
        number %= quantity
    return (*open_, (single, number)) if number else tuple(open_), full


def _sums(amounts: Sequence[int]) -> list[int]:
    """The sum from each place to the end, and 0 at last."""
    sums = [0]
    for amount in reversed(amounts):
        sums.append(sums[-1] + amount)
    return sums[::-1]
