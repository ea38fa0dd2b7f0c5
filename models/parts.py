"""Long lists of values a part at a time: SQLite takes 32,766 of them in one statement."""

from collections.abc import Collection, Iterator
from typing import TypeVar

_T = TypeVar("_T", int, str)


def parts(values: Collection[_T], size: int = 5000) -> Iterator[list[_T]]:
    """The values in order, at most `size` at a time."""
    ordered = sorted(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
