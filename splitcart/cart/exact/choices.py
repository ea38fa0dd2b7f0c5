"""The choices that the lines of a list have, as the search sees them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from splitcart.cart import costs
from splitcart.cart.costs import Lot, Way
from splitcart.cart.slots import Option
from splitcart.cart.terms import Terms


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to fill a line at a store; both are indices."""

    line: int
    store: int
    option: Option
    way: Way
    rank: int
    """Its place among the line's choices. The smallest of equally cheap ones is taken."""
    lot: int = -1
    """Index in Model.lots; -1: what it costs does not depend on other lines."""

    @property
    def most(self) -> int:
        """The most cents that it adds to its store's goods."""
        return self.way.alone_cents if self.lot < 0 else self.way.single_cents * self.way.units


@dataclass(frozen=True, slots=True)
class SharedLot:
    """A lot that units of several lines can fill."""

    quantity: int
    total: int
    even: bool
    """Whether all of its units have one single price, so that only their number matters."""
    falls: bool
    """Whether one more unit can make the goods cheaper: a full lot may cost less than its units without the last."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The choices of one line at one store that may be in an optimum."""

    plain: tuple[Choice, ...]
    """Those whose cost does not depend on other lines, the cheapest first. Only the cheapest is kept, unless the store
    has a limit that dearer ones may help to reach."""
    shared: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are linked by lots, and the stores that have these lots."""

    lines: list[int]
    stores: set[int]


@dataclass(frozen=True, slots=True)
class Gate:
    """Limits in cents on a store's goods: below `minimum` there is no plan, below `free_above` the fee is due."""

    minimum: int
    free_above: int
    fee: int

    @property
    def top(self) -> int:
        """The goods from which on neither limit matters."""
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
    """Whether units of several lines can fill the lot, and a full lot can be cheaper than its units singly."""
    units: dict[int, int] = {}
    for choice in users:
        units[choice.line] = max(choice.way.units, units.get(choice.line, 0))
    dearest = max(choice.way.single_cents for choice in users)
    return len(units) > 1 and sum(units.values()) >= lot.quantity and lot.total < lot.quantity * dearest
