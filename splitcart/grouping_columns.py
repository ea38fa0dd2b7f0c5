"""One store's offers as columns: what is compared, how it is kept small, and its fingerprint.

A line's code covers exactly what makes two offers equal: price_cents, was_price_cents, multibuy_quantity and
multibuy_total_cents. Everything is over listings.ordinal, which is dense within a company.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

NO_PRICE = 0
_MOST_CENTS = (1 << 24) - 2
_MOST_QUANTITY = (1 << 16) - 2
_HEAD = 8


def bits(ranged: bytes, width: int) -> Flags:
    """A bit string over ordinals (least significant bit first) as `width` flags; beyond its end nothing is set."""
    found = np.unpackbits(np.frombuffer(ranged, dtype=np.uint8), bitorder="little")[:width]
    return np.pad(found, (0, width - len(found))).astype(np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The offers of one store. price: cents + 1 by ordinal, 0 without a line; at: ordinals whose offer has more."""

    price: Codes
    at: Codes
    extra: Keys
    """was_price_cents, multibuy_quantity and multibuy_total_cents (each + 1, 0 for none) in 24, 16 and 24 bits."""

    @property
    def width(self) -> int:
        return len(self.price)

    @property
    def lines(self) -> int:
        return int(np.count_nonzero(self.price))

    def masked(self, ranged: Flags) -> "Column":
        """Only the lines that are ranged; `ranged` is cut or filled with False to this column's width."""
        keep = np.zeros(self.width, np.bool_)
        keep[: len(ranged)] = ranged[: self.width]
        held = keep[self.at]
        return Column(np.where(keep, self.price, np.uint32(NO_PRICE)), self.at[held], self.extra[held])

    def over(self, base: "Column") -> "Column":
        """These lines where there are any, else the base's: what a member's own rows make of its anchor's."""
        width = max(self.width, base.width)
        own, under = (np.pad(c.price, (0, width - c.width)) for c in (self, base))
        from_base = base.at[own[base.at] == NO_PRICE]
        extra = base.extra[own[base.at] == NO_PRICE]
        at = np.concatenate([self.at, from_base])
        order = np.argsort(at, kind="stable")
        price = np.where(own != NO_PRICE, own, under)
        return Column(price, at[order], np.concatenate([self.extra, extra])[order])

    def pack(self) -> bytes:
        """The column as bytes, compressed; equal columns give equal bytes."""
        return zlib.compress(self._plain(), 1)

    def fingerprint(self) -> bytes:
        """16 bytes that two columns share only if they are equal."""
        return hashlib.blake2b(self._plain(), digest_size=16).digest()

    def _plain(self) -> bytes:
        filled = np.flatnonzero(self.price)
        price = self.price[: int(filled[-1]) + 1 if len(filled) else 0].astype("<u4")
        head = np.array([len(price), len(self.at)], "<u4")
        return b"".join(
            (head.tobytes(), price.tobytes(), self.at.astype("<u4").tobytes(), self.extra.astype("<u8").tobytes())
        )


def unpack(packed: bytes) -> Column:
    """The column that `pack` wrote."""
    plain = zlib.decompress(packed)
    lines, extras = (int(n) for n in np.frombuffer(plain, "<u4", 2))
    price = np.frombuffer(plain, "<u4", lines, _HEAD).astype(np.uint32)
    at = np.frombuffer(plain, "<u4", extras, _HEAD + 4 * lines).astype(np.uint32)
    return Column(price, at, np.frombuffer(plain, "<u8", extras, _HEAD + 4 * (lines + extras)).astype(np.uint64))


EMPTY = Column(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.uint64))


def column(ordinals: Ints, price: Ints, was: Ints, quantity: Ints, total: Ints) -> Column:
    """A column of rows in any order, one an ordinal; -1 stands for null in was, quantity and total.

    ValueError: an amount that the codes cannot hold (prices end far below it).
    """
    for name, values, most in (
        ("price_cents", price, _MOST_CENTS),
        ("was_price_cents", was, _MOST_CENTS),
        ("multibuy_quantity", quantity, _MOST_QUANTITY),
        ("multibuy_total_cents", total, _MOST_CENTS),
    ):
        if len(values) and int(values.max()) > most:
            raise ValueError(f"{name} {int(values.max())} is above {most}: roll the run that wrote it back")
    codes = np.zeros(int(ordinals.max()) + 1 if len(ordinals) else 0, np.uint32)
    codes[ordinals] = price + 1
    extra = ((was + 1) << 40 | (quantity + 1) << 24 | (total + 1)).astype(np.uint64)
    held = np.flatnonzero(extra)
    held = held[np.argsort(ordinals[held], kind="stable")]
    return Column(codes, ordinals[held].astype(np.uint32), extra[held])


class Coder:
    """Turns columns into rows of a matrix, one number a line, equal exactly when the offers are equal.

    An offer that is only a price is its cents + 1; any other gets the next number above 2**24. Numbers hold within one
    coder, so that columns loaded later can be compared with those loaded before.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}

    def encode(self, columns: Sequence[Column], width: int) -> Codes:
        """One row of `width` codes a column; 0 where it has no line. ValueError: a column is wider."""
        matrix = np.zeros((len(columns), width), np.uint32)
        for row, one in zip(matrix, columns, strict=True):
            if one.width > width:
                raise ValueError(f"a column of {one.width} listings does not fit into {width}")
            row[: one.width] = one.price
        rows = np.repeat(np.arange(len(columns)), [len(c.at) for c in columns])
        if len(rows):
            at = np.concatenate([c.at for c in columns])
            matrix[rows, at] = self._number(matrix[rows, at], np.concatenate([c.extra for c in columns]))
        return matrix

    def _number(self, price: Codes, extra: Keys) -> Codes:
        extras, which = np.unique(extra, return_inverse=True)
        pairs, where = np.unique(which.astype(np.uint64) << np.uint64(24) | price, return_inverse=True)
        known = self._numbers
        offers = zip(extras[pairs >> np.uint64(24)].tolist(), (pairs & np.uint64((1 << 24) - 1)).tolist(), strict=True)
        codes = [known.setdefault(offer, (1 << 24) + len(known)) for offer in offers]
        return np.array(codes, np.uint32)[where]
