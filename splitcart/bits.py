"""Bit strings over the listings of a company: bit i, least significant first, is the listing of ordinal i."""

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]


def unpack(data: bytes | None, length: int = 0) -> Bits:
    """The bits as flags; at least `length` of them, False beyond the end of the string."""
    bits = np.unpackbits(np.frombuffer(data or b"", dtype=np.uint8), bitorder="little").astype(np.bool_)
    return np.pad(bits, (0, max(0, length - len(bits))))


def pack(bits: Bits) -> bytes:
    """The flags as a bit string, filled up to whole bytes."""
    return np.packbits(bits, bitorder="little").tobytes()


def flags(ordinals: npt.NDArray[np.int64], length: int) -> Bits:
    """`length` flags, set at these ordinals."""
    bits = np.zeros(length, np.bool_)
    bits[ordinals] = True
    return bits


def fitted(bits: Bits, length: int) -> Bits:
    """Exactly `length` flags: cut, or filled with False."""
    return np.pad(bits[:length], (0, max(0, length - len(bits))))
