"""Bounds for goods that must reach floors: a discount on each store's goods, paid for by its floor (Lagrange).

Whatever the discounts, an assignment that reaches all floors costs no less than the sum of each line's least discounted
cost and each floor's discount.
"""

import numpy as np
import numpy.typing as npt

from splitcart.cart.exact.model import Amounts
from splitcart.cart.exact.tasks import PARTS

STEPS, SWEEPS, GRID = 24, 2, 16
Shares = npt.NDArray[np.floating]


def best_discounts(low: Amounts, floors: list[int], limit: int) -> tuple[int, list[int]]:
    """Discounts (in PARTS) that make the bound large, and the bound in cents; `limit`: more is of no use.

    `low`: the least cents of each line (column) at each place (row). First steps along the goods that are missing, as
    long as the distance to the limit asks for (Polyak), then each discount in turn by a grid.
    """
    known = np.minimum(low, 1 << 50)
    asking = np.flatnonzero(floors)
    wanted = np.array(floors, np.int64)
    if not len(asking):
        return int(known.min(axis=0).sum()), [0] * len(floors)
    shares = _stepped(known.astype(np.float64), wanted.astype(np.float64), float(limit))
    discounts = np.rint(shares * PARTS).astype(np.int64)
    for width in (PARTS // 4, PARTS // 32)[:SWEEPS]:
        for place in asking.tolist():
            tried = np.clip(discounts[place] + np.arange(-GRID, GRID + 1) * width // GRID, 0, PARTS)
            values = _along(known, wanted, discounts, place, tried)
            discounts[place] = tried[int(values.argmax())]
    return -(-_bound(known, wanted, discounts) // PARTS), discounts.tolist()


def _stepped(low: Shares, floors: Shares, limit: float) -> Shares:
    """The best of a uniform start and the steps from it."""
    asking = floors > 0
    starts = [asking * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    shares = max(starts, key=lambda each: _value(low, floors, each)[0])
    best, most = shares, -np.inf
    for _ in range(STEPS):
        value, missing = _value(low, floors, shares)
        if value > most:
            best, most = shares, value
        missing = np.where(asking, missing, 0.0)
        length = float(missing @ missing)
        if value >= limit or length == 0:
            break
        shares = np.clip(shares + missing * (limit - value) / length, 0.0, 1.0)
    return best


def _value(low: Shares, floors: Shares, shares: Shares) -> tuple[float, Shares]:
    """The bound, and what each place's goods then lack of its floor."""
    costs = low * (1.0 - shares)[:, None]
    home = costs.argmin(axis=0)
    lines = np.arange(low.shape[1])
    goods = np.bincount(home, low[home, lines], len(floors))
    return float(costs[home, lines].sum() + floors @ shares), floors - goods


def _bound(low: Amounts, floors: Amounts, discounts: Amounts) -> int:
    """In PARTS of a cent."""
    return int((low * (PARTS - discounts)[:, None]).min(axis=0).sum() + floors @ discounts)


def _along(low: Amounts, floors: Amounts, discounts: Amounts, place: int, tried: Amounts) -> Amounts:
    """The bound but for what the other floors ask, for each discount of one place."""
    costs = low * (PARTS - discounts)[:, None]
    costs[place] = 1 << 60
    others = costs.min(axis=0)
    return np.minimum(low[place] * (PARTS - tried)[:, None], others).sum(axis=1) + tried * floors[place]
