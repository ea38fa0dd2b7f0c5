"""The lines of one store as arrays, which are compared, and their fingerprint.

The code of a line covers exactly the terms that make two offers equal. Arrays are indexed by listings.ordinal, which is
dense within a company.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitcart.bits import Bits, fitted

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

NO_PRICE = 0
EXTRAS = (
    *("sold_by_kg", "was_price_cents", "multibuy_quantity", "multibuy_total_cents"),
    *("member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"),
)
"""The terms of an offer besides its price, in the order that `column` takes; sold_by_kg is 0 or 1, null is -1."""
_CENTS, _QUANTITY = 24, 15
"""Bits of an amount and of a quantity. Each is stored plus 1, and null as 0, so that the largest is 2 ** bits - 2."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The lines of one store."""

    price: Codes
    """By ordinal: cents + 1; 0 without a line."""
    at: Codes
    """The ordinals of the offers that have more terms than a price, ascending."""
    public: Keys
    """For each of `at`: sold_by_kg, was price and multibuy."""
    member: Keys
    """For each of `at`: the member price and the members' multibuy."""

    @property
    def width(self) -> int:
        return len(self.price)

    @property
    def lines(self) -> int:
        return int(np.count_nonzero(self.price))

    def masked(self, ranged: Bits) -> "Column":
        """Only the lines that are ranged."""
        keep = fitted(ranged, self.width)
        kept = keep[self.at]
        price = np.where(keep, self.price, np.uint32(NO_PRICE))
        return Column(price, self.at[kept], self.public[kept], self.member[kept])

    def fingerprint(self) -> bytes:
        """16 bytes that two columns share only if they are equal."""
        filled = np.flatnonzero(self.price)
        price = self.price[: int(filled[-1]) + 1 if len(filled) else 0].astype("<u4")
        head = np.array([len(price), len(self.at)], "<u4")
        more = (self.at.astype("<u4"), self.public.astype("<u8"), self.member.astype("<u8"))
        return hashlib.blake2b(b"".join(part.tobytes() for part in (head, price, *more)), digest_size=16).digest()


_NONE = np.zeros(0, np.uint32)
EMPTY = Column(_NONE, _NONE, _NONE.astype(np.uint64), _NONE.astype(np.uint64))


def column(ordinals: Ints, price: Ints, *extras: Ints) -> Column:
    """The column of rows in any order, one for each ordinal: their prices in cents, and their EXTRAS.

    ValueError: an amount that the codes cannot hold. No price that a run accepts is near it.
    """
    for name, values in zip(("price_cents", *EXTRAS), (price, *extras), strict=True):
        most = (1 << (_QUANTITY if name.endswith("quantity") else _CENTS)) - 2
        if len(values) and int(values.max()) > most:
            raise ValueError(f"{name} {int(values.max())} is above {most}: roll the run that wrote it back")
    codes = np.zeros(int(ordinals.max()) + 1 if len(ordinals) else 0, np.uint32)
    codes[ordinals] = price + 1
    by_kg, was, quantity, total, member_price, member_quantity, member_total = extras
    public = _key(was, quantity, total) | by_kg.astype(np.uint64) << np.uint64(63)
    member = _key(member_price, member_quantity, member_total)
    rows = np.flatnonzero(public | member)
    rows = rows[np.argsort(ordinals[rows], kind="stable")]
    return Column(codes, ordinals[rows].astype(np.uint32), public[rows], member[rows])


def _key(cents: Ints, quantity: Ints, total: Ints) -> Keys:
    return ((cents + 1) << (_CENTS + _QUANTITY) | (quantity + 1) << _CENTS | (total + 1)).astype(np.uint64)


class Coder:
    """Turns columns into rows of a matrix with one code for each line. Codes are equal exactly when offers are equal.

    The code of an offer that has only a price is its cents + 1. Any other offer gets the next number from 2**24 on. A
    coder keeps its numbers, so that columns encoded later can be compared with those encoded before.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int, int], int] = {}

    def encode(self, columns: Sequence[Column], width: int) -> Codes:
        """A row of `width` codes for each column; 0 if it has no line. ValueError: a column is wider."""
        matrix = np.zeros((len(columns), width), np.uint32)
        for row, one in zip(matrix, columns, strict=True):
            if one.width > width:
                raise ValueError(f"a column of {one.width} listings does not fit into {width}")
            row[: one.width] = one.price
        rows = np.repeat(np.arange(len(columns)), [len(c.at) for c in columns])
        if len(rows):
            at, public, member = (np.concatenate([getattr(c, n) for c in columns]) for n in ("at", "public", "member"))
            matrix[rows, at] = self._number(matrix[rows, at], public, member)
        return matrix

    def _number(self, price: Codes, public: Keys, member: Keys) -> Codes:
        """The codes of offers with more terms than a price.

        The three parts of an offer do not fit into 64 bits together. So its member and public parts are replaced by
        their places among the distinct ones, and these by the place of the pair, which with the price does fit.
        """
        members, member_at = np.unique(member, return_inverse=True)
        publics, public_at = np.unique(public, return_inverse=True)
        pair = member_at.astype(np.uint64) * len(publics) + public_at.astype(np.uint64)
        pairs, pair_at = np.unique(pair, return_inverse=True)
        offers, offer_at = np.unique(pair_at.astype(np.uint64) << np.uint64(_CENTS) | price, return_inverse=True)
        terms, cents = pairs[offers >> np.uint64(_CENTS)], offers & np.uint64((1 << _CENTS) - 1)
        parts = (members[terms // len(publics)], publics[terms % len(publics)], cents)
        numbers, distinct = self._numbers, zip(*(part.tolist() for part in parts), strict=True)
        codes = [numbers.setdefault(offer, (1 << _CENTS) + len(numbers)) for offer in distinct]
        return np.array(codes, np.uint32)[offer_at]
