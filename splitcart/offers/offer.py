"""What n units of an offer cost: singly, in multibuy lots, and in the cheapest mix. Offers are ranked by these
costs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from splitcart.offers.unit_prices import UnitPrice, per_unit
from splitcart.sizes.packs import Size

Cents = TypeVar("Cents", int, Decimal)
Lot = tuple[int, int]
"""(units, cents for all of them)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One listing's offer at one store. Money is integer cents."""

    price_cents: int
    """One purchasable unit, or one kilogram if price_basis is `kg`."""
    multibuy_quantity: int | None = None
    multibuy_total_cents: int | None = None
    """For the whole multibuy_quantity."""
    member_price_cents: int | None = None
    member_multibuy_quantity: int | None = None
    member_multibuy_total_cents: int | None = None
    """A multibuy for members only, besides everyone's."""
    offer_id: str | None = None
    """Lines with one offer_id share its lots: see `cost_together`."""
    price_basis: str = "each"
    typical_grams: int | None = None
    """Weight of one piece or step of weighed goods."""

    def __post_init__(self) -> None:
        if self.price_cents < 0 or (self.member_price_cents or 0) < 0:
            raise ValueError(f"price {self.price_cents}/{self.member_price_cents}: cents are 0 or more")
        for quantity, total in self._multibuys:
            if (quantity is None) != (total is None) or (quantity is not None and (quantity < 1 or (total or 0) < 0)):
                raise ValueError(
                    f"multibuy {quantity} for {total}: give both, 1 or more units and 0 or more cents, or neither"
                )

    @property
    def _multibuys(self) -> tuple[tuple[int | None, int | None], ...]:
        members = (self.member_multibuy_quantity, self.member_multibuy_total_cents)
        return (self.multibuy_quantity, self.multibuy_total_cents), members

    def lots(self, *, member: bool = False) -> tuple[Lot, ...]:
        """The lots that may be bought: everyone's, and with `member` the members'."""
        multibuys = self._multibuys if member else self._multibuys[:1]
        return tuple((quantity, total or 0) for quantity, total in multibuys if quantity is not None)

    def single(self, *, member: bool = False) -> Decimal:
        """Exact cents of one unit. A unit of weighed goods is one typical piece, or one kilogram if its weight is
        unknown."""
        cents = self.price_cents
        if member and self.member_price_cents is not None:
            cents = min(cents, self.member_price_cents)
        if self.price_basis == "kg" and self.typical_grams:
            return Decimal(cents) * self.typical_grams / 1000
        return Decimal(cents)

    def cost(self, n: int, *, member: bool = False) -> int:
        """Cents of exactly n units, as many of them in multibuy lots as is cheapest. ValueError: n below 0."""
        return cost_together([(self, n)], member=member)

    def unit_price(
        self, n: int, *, size: Size | None = None, shelf: UnitPrice | None = None, member: bool = False
    ) -> UnitPrice | None:
        """What a kg, l, m or piece costs when n units are bought (n of 1 or more).

        The shelf's unit price holds for one unit, so it is scaled by cost(n) over n single prices. Without it: cost(n)
        over n sizes. Without a size either: None.
        """
        if n < 1:
            raise ValueError(f"quantity {n}: a unit price needs 1 or more")
        cost = Decimal(self.cost(n, member=member))
        if shelf is not None and self.single() > 0:
            scaled = shelf.e4 * cost / (self.single() * n)
            return UnitPrice(int(scaled.to_integral_value(ROUND_HALF_EVEN)), shelf.unit, shelf.measure, shelf.noun)
        return None if size is None else per_unit(cost / n, size)


def cost_together(lines: Sequence[tuple[Offer, int]], *, member: bool = False) -> int:
    """Cents of all lines of one shared multibuy, of which any units can fill a lot.

    The cost is the least possible: a lot costs the same whatever fills it, so for each number of lots the dearest units
    are put into them. ValueError: offers with different lots, a quantity below 0.
    """
    if any(n < 0 for _, n in lines):
        raise ValueError(f"quantities {[n for _, n in lines]}: each is 0 or more")
    lots = {offer.lots(member=member) for offer, _ in lines}
    if len(lots) > 1:
        raise ValueError(f"lots {sorted(map(str, lots))}: lines of one offer have one multibuy")
    dearest = sorted(((offer.single(member=member), n) for offer, n in lines), reverse=True)
    costs = (cents + _left_over(dearest, taken) for taken, cents in _bought(dearest, next(iter(lots), ())))
    return int(Decimal(min(costs)).to_integral_value(ROUND_HALF_EVEN))


def cheapest_mix(units: Iterable[tuple[Cents, int]], quantity: int | None, total: int | None) -> Cents | int:
    """What units of (single price, number) cost together: lots of `quantity` for `total`, the rest singly."""
    dearest, lots = sorted(units, reverse=True), [(quantity, total or 0)] if quantity else []
    return min(cents + _left_over(dearest, taken) for taken, cents in _bought(dearest, lots))


def _bought(dearest: Sequence[tuple[Cents, int]], lots: Sequence[Lot], taken: int = 0) -> Iterator[tuple[int, int]]:
    """The ways to buy lots that are worth trying: (units in lots, `taken` ones included; cents of the lots).

    With two kinds of lots every number of the first is combined with the candidates of the second.
    """
    if not lots:
        yield taken, 0
        return
    (quantity, total), *others = lots
    most = (sum(n for _, n in dearest) - taken) // quantity
    numbers = range(most + 1) if others else _candidates(dearest, quantity, most, taken)
    for number in numbers:
        for units, cents in _bought(dearest, others, taken + number * quantity):
            yield units, cents + number * total


def _candidates(dearest: Sequence[tuple[Cents, int]], quantity: int, most: int, before: int) -> list[int]:
    """The numbers of lots worth trying.

    As a function of that number the cost bends only where the price of the units that go into lots changes; in between
    it is linear. So it is least at 0, at the most, or next to a bend.
    """
    bends, taken = {0, most}, -before
    for _, n in dearest:
        taken += n
        bends |= {max(0, min(most, taken // quantity)), max(0, min(most, taken // quantity + 1))}
    return sorted(bends)


def _left_over(dearest: Sequence[tuple[Cents, int]], in_lots: int) -> Cents | int:
    """Cents of the units that are left when the dearest `in_lots` units are in lots."""
    left: Cents | int = 0
    for price, n in dearest:
        taken = min(n, in_lots)
        in_lots -= taken
        left += price * (n - taken)
    return left
