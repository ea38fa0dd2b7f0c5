"""Random numbers that depend on the seed, the concern and the keys alone, never on the order of calls."""

import hashlib
import random
from typing import Any

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(value: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


class Dice:
    """Independent random numbers for each concern, from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def uniform(self, concern: str, *keys: Any) -> np.ndarray:
        """Numbers in [0, 1), one for each combination of the keys (integers or integer arrays, broadcast)."""
        digest = hashlib.blake2b(f"{self.seed}:{concern}".encode(), digest_size=8).digest()
        with np.errstate(over="ignore"):
            state = np.asarray(int.from_bytes(digest, "little"), dtype=np.uint64)
            for key in keys:
                state = _mix(state + (np.asarray(key, dtype=np.int64).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
        return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, concern: str, low: int, high: int, *keys: Any) -> np.ndarray:
        """Integers in [low, high)."""
        return (low + np.floor(self.uniform(concern, *keys) * (high - low))).astype(np.int64)

    def stream(self, concern: str) -> random.Random:
        """A sequential generator for one concern."""
        return random.Random(f"{self.seed}:{concern}")
