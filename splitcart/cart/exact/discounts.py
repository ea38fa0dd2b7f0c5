"""Discounts on the goods of stores, for bounds of assignments whose goods must reach floors (Lagrange).

With any discounts, an assignment that reaches all floors costs no less than the sum of each line's least discounted
cost and of each discount times its floor (see `layers.Run`). Here the discounts are sought that make this bound large.
"""

import numpy as np
import numpy.typing as npt

from splitcart.cart.exact.model import Amounts
from splitcart.cart.exact.tasks import PARTS

STEPS, SWEEPS, GRID = 24, 2, 16
"""Subgradient steps; sweeps over the discounts, each on a finer grid; points of the grid on either side."""
Shares = npt.NDArray[np.floating]


def best_discounts(low: Amounts, floors: list[int], limit: int) -> tuple[int, list[int]]:
    """The bound in cents, and the discounts (in 1/PARTS) that give it. A bound above `limit` is of no use.

    `low`: the least cents of each line (column) at each place (row). Subgradient steps along the goods that the floors
    lack, whose length follows from the distance to the limit (Polyak), are followed by a grid over each discount in
    turn.
    """
    capped = np.minimum(low, 1 << 50)
    with_floor = np.flatnonzero(floors)
    floor_cents = np.array(floors, np.int64)
    if not len(with_floor):
        return int(capped.min(axis=0).sum()), [0] * len(floors)
    shares = _stepped(capped.astype(np.float64), floor_cents.astype(np.float64), float(limit))
    discounts = np.rint(shares * PARTS).astype(np.int64)
    for width in (PARTS // 4, PARTS // 32)[:SWEEPS]:
        for place in with_floor.tolist():
            tried = np.clip(discounts[place] + np.arange(-GRID, GRID + 1) * width // GRID, 0, PARTS)
            values = _along(capped, floor_cents, discounts, place, tried)
            discounts[place] = tried[int(values.argmax())]
    return -(-_bound(capped, floor_cents, discounts) // PARTS), discounts.tolist()


def _stepped(low: Shares, floors: Shares, limit: float) -> Shares:
    """The best shares among those of a uniform start and the steps from it."""
    with_floor = floors > 0
    starts = [with_floor * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    shares = max(starts, key=lambda each: _value(low, floors, each)[0])
    best, most = shares, -np.inf
    for _ in range(STEPS):
        value, missing = _value(low, floors, shares)
        if value > most:
            best, most = shares, value
        missing = np.where(with_floor, missing, 0.0)
        length = float(missing @ missing)
        if value >= limit or length == 0:
            break
        shares = np.clip(shares + missing * (limit - value) / length, 0.0, 1.0)
    return best


def _value(low: Shares, floors: Shares, shares: Shares) -> tuple[float, Shares]:
    """The bound, and how much the goods of each place then lack of its floor: a subgradient of the bound."""
    costs = low * (1.0 - shares)[:, None]
    cheapest_at = costs.argmin(axis=0)
    lines = np.arange(low.shape[1])
    goods = np.bincount(cheapest_at, low[cheapest_at, lines], len(floors))
    return float(costs[cheapest_at, lines].sum() + floors @ shares), floors - goods


def _bound(low: Amounts, floors: Amounts, discounts: Amounts) -> int:
    """The bound in 1/PARTS of a cent."""
    return int((low * (PARTS - discounts)[:, None]).min(axis=0).sum() + floors @ discounts)


def _along(low: Amounts, floors: Amounts, discounts: Amounts, place: int, tried: Amounts) -> Amounts:
    """The bound for each of the `tried` discounts of one place, without the terms of the other floors, which stay."""
    costs = low * (PARTS - discounts)[:, None]
    costs[place] = 1 << 60
    others = costs.min(axis=0)
    return np.minimum(low[place] * (PARTS - tried)[:, None], others).sum(axis=1) + tried * floors[place]
