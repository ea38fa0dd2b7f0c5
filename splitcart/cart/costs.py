"""What an assignment of a list's lines to options costs: lots, weights, fees. What the search finds must cost the same.

Amounts are integer cents. docs/cart.md has the rules; "half up" there rounds halves to the larger number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from splitcart.cart.slots import Option, half_up
from splitcart.cart.terms import Fee, fee_at
from splitcart.offers.offer import cheapest_mix


class Lot(NamedTuple):
    """Options with equal keys of this kind share lots."""

    store: str
    offer: tuple[str, str]
    """("offer", offer_id), or ("listing", sku) if there is none."""
    quantity: int
    total: int


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay for an option: with the public multibuy, with the members', or with none."""

    single_cents: int
    """One unit outside of lots, or one kilogram of weighed goods."""
    units: int
    """0 for weighed goods."""
    lot: Lot | None
    alone_cents: int
    """What the option costs if no other line shares its lots."""


def ways(option: Option, members: Collection[str] = ()) -> tuple[Way, ...]:
    """The ways to pay for an option, the public offer first; members' offers only for the companies in `members`."""
    member = option.company in members
    single = option.unit_price_cents
    if member and option.member_price_cents is not None:
        single = min(single, option.member_price_cents)
    if (grams := option.grams) is not None:
        return (Way(single, 0, None, half_up(single * grams, 1000)),)
    if not member or option.member_multibuy_quantity is None:
        return (_way(option, single, option.multibuy_quantity, option.multibuy_total_cents),)
    lots = [(option.multibuy_quantity, option.multibuy_total_cents)]
    lots.append((option.member_multibuy_quantity, option.member_multibuy_total_cents))
    return tuple(_way(option, single, quantity, total) for quantity, total in dict.fromkeys(lots))


def _way(option: Option, single: int, quantity: int | None, total: int | None) -> Way:
    alone = single * option.quantity
    if quantity is None or total is None:
        return Way(single, option.quantity, None, alone)
    if quantity <= option.quantity:
        alone = int(cheapest_mix([(single, option.quantity)], quantity, total))
    offer = ("listing", option.sku) if option.offer_id is None else ("offer", option.offer_id)
    return Way(single, option.quantity, Lot(option.store, offer, quantity, total), alone)


def alone_cents(option: Option, members: Collection[str] = ()) -> int:
    """What the option costs in the cheapest way, if no other line shares its lots."""
    return min(way.alone_cents for way in ways(option, members))


@lru_cache(maxsize=1 << 14)
def lot_cents(units: tuple[tuple[int, int], ...], quantity: int, total: int) -> int:
    """Cents of units, given as (single price, number), that share lots of `quantity` for `total`."""
    return int(cheapest_mix(units, quantity, total))


def line_cents(chosen: Mapping[int, Way]) -> dict[int, int]:
    """The cost of each line, by line number. The costs of lines that share lots add up to that of the lots.

    It is divided in proportion to their single prices, rounded down. The cents left over go one each to the first lines
    by number.
    """
    shared: dict[Lot, list[int]] = {}
    costs: dict[int, int] = {}
    for line, way in sorted(chosen.items()):
        if way.lot is None:
            costs[line] = way.alone_cents
        else:
            shared.setdefault(way.lot, []).append(line)
    for lot, lines in shared.items():
        units = [(chosen[line].single_cents, chosen[line].units) for line in lines]
        costs.update(zip(lines, _shares(lot_cents(tuple(units), lot.quantity, lot.total), units), strict=True))
    return costs


def _shares(cents: int, units: list[tuple[int, int]]) -> list[int]:
    """`cents` divided among units of (single price, number); the shares add up to it."""
    weights = [price * number for price, number in units]
    total = sum(weights)
    shares = [cents * weight // total if total else 0 for weight in weights]
    left = cents - sum(shares)
    return [share + (at < left) for at, share in enumerate(shares)]


def goods_by_store(chosen: Mapping[int, tuple[str, Way]]) -> dict[str, int]:
    """Cents of the goods at each visited store, after lots. `chosen`: by line number, the store and the way."""
    goods: dict[str, int] = {}
    shared: dict[Lot, list[tuple[int, int]]] = {}
    for store, way in chosen.values():
        if way.lot is None:
            goods[store] = goods.get(store, 0) + way.alone_cents
        else:
            shared.setdefault(way.lot, []).append((way.single_cents, way.units))
    for lot, units in shared.items():
        goods[lot.store] = goods.get(lot.store, 0) + lot_cents(tuple(units), lot.quantity, lot.total)
    return goods


def fees_cents(goods: Mapping[str, int], fees: Mapping[str, Fee]) -> int | None:
    """The fees of the visited stores; None if a minimum order is not met."""
    due = [fee_at(store, fees).of(cents) for store, cents in goods.items()]
    return None if None in due else sum(fee for fee in due if fee is not None)
