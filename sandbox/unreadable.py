"""Rows whose price or name nobody can read: the fault `unreadable`."""

from typing import TYPE_CHECKING, Any

from sandbox.pricing import State
from sandbox.site import Ask

if TYPE_CHECKING:
    from sandbox.world import World

PRICES: dict[str, tuple[tuple[str, ...], ...]] = {
    "woolworths": (("Price",), ("InstorePrice",)),
    "coles": (("pricing", "now"), ("pricing", "rawPriceNow")),
    "aldi": (("price", "amount"), ("price", "amountRelevant")),
    "iga": (("wholePrice",), ("priceNumeric",), ("price",)),
}
"""Where each chain's record has what the product costs now."""
NAMES = {"woolworths": ("DisplayName", "Name"), "coles": ("name",), "aldi": ("name",), "iga": ("name",)}
SHOWN = ("see in store", 0, -1)
"""What stands where the price should; a fourth of the rows have their price, and no name."""


def is_unreadable(world: "World", index: int, share: float) -> bool:
    """Whether the fault of that share garbles a line, in every listing that has it."""
    return bool(share) and float(world.dice.uniform("unreadable", index)) < share


def garbled(ask: Ask, index: int, row: dict[str, Any], state: State) -> dict[str, Any]:
    """A row as the fault shows it; one that is out of stock stays: no price, or 0, is an honest answer there."""
    if not is_unreadable(ask.world, index, ask.tamper.unreadable) or not state.available[index]:
        return row
    way = index % (len(SHOWN) + 1)
    if way == len(SHOWN):
        return row | dict.fromkeys(NAMES[ask.chain])
    for *outer, key in PRICES[ask.chain]:
        inner = row
        for name in outer:
            inner[name] = dict(inner[name] or {})
            inner = inner[name]
        inner[key] = SHOWN[way]
    return row
