"""A row of the benchmarks' table, and the time that work takes."""

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Figure = dict[str, Any]
"""A row: benchmarks/run.py states what each of its KEYS holds."""
KEYS = ("name", "value", "unit", "against", "ratio", "aim", "holds")
ROUNDS = 3


def row(name: str, value: float, unit: str, against: str, ratio: float | None, aim: str, holds: bool | None) -> Figure:
    """One figure."""
    return dict(zip(KEYS, (name, value, unit, against, ratio, aim, holds), strict=True))


def timed(
    work: Callable[[], T], rounds: int = ROUNDS, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, T]:
    """The seconds of the shortest round, which other processes disturbed least, and the result of the last round."""
    best = math.inf
    for _ in range(rounds):
        began = clock()
        result = work()
        best = min(best, clock() - began)
    return best, result
