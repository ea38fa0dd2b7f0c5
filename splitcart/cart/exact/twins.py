"""Stores that are alike: their prices, offers and limits are equal, so that sets of them cost the same."""

from typing import Any

from splitcart.cart.exact.model import Model


def kinds(model: Model) -> list[int]:
    """The number of each store's kind. Stores of one kind have equal prices, offers and limits."""
    rough: dict[Any, list[int]] = {}
    for store in range(len(model.stores)):
        arrays = (model.low[store], model.most[store], model.plain[store])
        key = (*(array.tobytes() for array in arrays), model.gates[store], model.fixed[store])
        rough.setdefault(key, []).append(store)
    kind_of = [0] * len(model.stores)
    numbers: dict[Any, int] = {}
    for at, stores in enumerate(rough.values()):
        for store in stores:
            exact = (at, _offers(model, store) if len(stores) > 1 else None)
            kind_of[store] = numbers.setdefault(exact, len(numbers))
    return kind_of


def _offers(model: Model, store: int) -> tuple[Any, ...]:
    """A store's choices as costs, its lots numbered in the order in which they occur."""
    lots: dict[int, int] = {}
    offers = []
    for line, cells in enumerate(model.cells):
        if store in cells:
            plain = tuple(choice.way.alone_cents for choice in cells[store].plain)
            shared = tuple(
                (lots.setdefault(c.lot, len(lots)), model.lots[c.lot], c.way.single_cents, c.way.units)
                for c in cells[store].shared
            )
            offers.append((line, plain, shared))
    return tuple(offers)
