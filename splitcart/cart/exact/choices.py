"""What a line of a list can choose between, as the search sees it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from splitcart.cart import costs
from splitcart.cart.costs import Lot, Way
from splitcart.cart.slots import Option
from splitcart.cart.terms import Terms


@dataclass(frozen=True, slots=True)
class Choice:
    """A way for a line (its index) at a store (its index). `lot` indexes Model.lots; -1: no other line matters."""

    line: int
    store: int
    option: Option
    way: Way
    rank: int
    """Among the line's choices: the smaller one is taken where costs are equal."""
    lot: int = -1

    @property
    def most(self) -> int:
        """Cents that it adds to its store's goods at most."""
        return self.way.alone_cents if self.lot < 0 else self.way.single_cents * self.way.units


@dataclass(frozen=True, slots=True)
class SharedLot:
    """A lot that units of several lines can fill."""

    quantity: int
    total: int
    even: bool
    """All of its units have one single price, so that only their number matters."""
    falls: bool
    """Whether one more unit can make them cheaper together: a lot may cost less than the units of an open one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The choices of one line at one store that may be in an optimum."""

    plain: tuple[Choice, ...]
    """Those whose cost stands by itself, cheapest first; more than one only where a limit asks for dearer ones."""
    shared: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that hang together by lots, and the stores that have these lots."""

    lines: list[int]
    stores: set[int]


@dataclass(frozen=True, slots=True)
class Gate:
    """What depends on a store's goods. The fee is due below free_above; below minimum there is no plan."""

    minimum: int
    free_above: int
    fee: int

    @property
    def top(self) -> int:
        return max(self.minimum, self.free_above)


NO_GATE = Gate(0, 0, 0)


def ranked(options: tuple[Option, ...], terms: Terms) -> list[tuple[Option, Way]]:
    """The ways of a line in the order of its options, the public offer before the members'."""
    ordered = sorted(options, key=lambda option: option.order)
    return [(option, way) for option in ordered for way in costs.ways(option, terms.members)]


def linked(lots: Sequence[Collection[int]]) -> list[list[int]]:
    """The numbers of lines, in groups that share lots, directly or through other lines; `lots`: those of each line.

    Groups, and lines within them, are in ascending order. A line that shares no lot is a group by itself.
    """
    leader = list(range(len(lots)))

    def lead(line: int) -> int:
        while leader[line] != line:
            leader[line] = leader[leader[line]]
            line = leader[line]
        return line

    first: dict[int, int] = {}
    for line, own in enumerate(lots):
        for lot in own:
            leader[lead(line)] = lead(first.setdefault(lot, line))
    groups: dict[int, list[int]] = {}
    for line in range(len(lots)):
        groups.setdefault(lead(line), []).append(line)
    return list(groups.values())


def is_shared(lot: Lot, users: list[Choice]) -> bool:
    """Whether units of several lines can fill the lot, and it can be worth it."""
    units: dict[int, int] = {}
    for choice in users:
        units[choice.line] = max(choice.way.units, units.get(choice.line, 0))
    dearest = max(choice.way.single_cents for choice in users)
    return len(units) > 1 and sum(units.values()) >= lot.quantity and lot.total < lot.quantity * dearest
