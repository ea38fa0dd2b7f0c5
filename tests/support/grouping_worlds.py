"""Small chains to group: stores, their lines, and a comparer over them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from splitcart.grouping.columns import Coder, Column, column
from splitcart.grouping.memory import Comparer
from splitcart.grouping.plan import Plan, plan
from splitcart.grouping.rules import Rules, Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A Friday: the specials period began on Wednesday the 18th."""


def store(store_code, anchor="", *, hours=1.0, verified=None, **fields) -> Store:
    """A store crawled `hours` ago (None: never); by default its own anchor."""
    ago = None if hours is None else NOW - timedelta(hours=hours)
    probe = None if verified is None else NOW - timedelta(hours=verified)
    own = store_code if anchor == "" else anchor
    return Store(store_code=store_code, anchor=own, complete_at=ago, verified_at=probe, **fields)


def as_column(lines) -> Column:
    """The column of {ordinal: terms}, None for null; or of a sequence of prices.

    The terms are price, was, quantity, total, then, where they are given, the members' price, quantity and total, and
    whether it is sold by the kilogram.
    """
    if not isinstance(lines, dict):
        lines = {i: (p, None, None, None) for i, p in enumerate(lines) if p is not None}
    rows = [[-1 if x is None else x for x in (*lines[k], *[None] * (7 - len(lines[k])))] for k in lines]
    price, was, quantity, total, *member = np.array([r[:7] for r in rows], np.int64).reshape(-1, 7).T
    by_kg = np.array([r[7] if len(r) > 7 else 0 for r in rows], np.int64)
    return column(np.array(list(lines), np.int64), price, by_kg, was, quantity, total, *member)


class World:
    """A chain's lines by store code; counts what is loaded."""

    def __init__(self, lines) -> None:
        self.columns = {i: as_column(of) for i, of in lines.items()}
        self.loaded: list[str] = []

    def comparer(self, rules, remembered=None):
        def of(stores: Sequence[Store]) -> Comparer:
            columns = [self.columns[s.store_code] for s in stores]
            width, coder = max((c.width for c in columns), default=0), Coder()

            def load(numbers):
                self.loaded += [stores[n].store_code for n in numbers]
                return coder.encode([columns[n] for n in numbers], width)

            self.last = Comparer(
                [c.fingerprint() for c in columns], [c.lines for c in columns], width, load, rules, remembered or {}
            )
            return self.last

        return of

    def plan(self, stores, *, rules=None, now=NOW, remembered=None) -> Plan:
        rules = rules or Rules()
        return plan(stores, rules, now, self.comparer(rules, remembered))


def groups(result: Plan) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for member, anchor in result.anchors.items():
        found.setdefault(anchor, set()).add(member)
    return {frozenset(g) for g in found.values()}


def zone_prices(seed: int, zones: int, listings: int, share: float = 0.3) -> np.ndarray:
    """(zones, listings) prices in cents; about `share` of the listings are priced by zone."""
    rng = np.random.default_rng(seed)
    base = rng.integers(100, 3000, listings)
    local = rng.random(listings) < share
    moved = base * rng.uniform(0.7, 1.3, (zones, listings))
    return np.where(local, moved, base).astype(np.int64)


def with_noise(prices: np.ndarray, share: float, rng) -> np.ndarray:
    """Exactly round(share x listings) prices are other ones."""
    noisy = prices.copy()
    at = rng.choice(len(prices), round(share * len(prices)), replace=False)
    noisy[at] += rng.integers(1, 50, len(at))
    return noisy
