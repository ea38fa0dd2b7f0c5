"""Regular expressions over text from outside: no expression sees more characters than its own bound.

An expression's work grows with its text, at worst with the square of it. The bound is chosen where the expression is
written, so that the worst text costs milliseconds. Every expression of the packages is one of these.
"""

import re
from collections.abc import Callable, Iterator
from re import Match

IGNORE_CASE = re.IGNORECASE | re.ASCII
"""For ASCII letters only: re.IGNORECASE alone takes `ſ` for an s."""


class Pattern:
    """A compiled expression and the most characters that it looks at.

    `fullmatch` of a longer text is None. The others look at the first `most` characters only; `sub` drops the rest.
    """

    __slots__ = ("_compiled", "most")

    def __init__(self, expression: str, most: int, flags: int = 0) -> None:
        self._compiled = re.compile(expression, flags)
        self.most = most

    def fullmatch(self, text: str) -> Match[str] | None:
        return self._compiled.fullmatch(text) if len(text) <= self.most else None

    def match(self, text: str) -> Match[str] | None:
        return self._compiled.match(text, 0, self.most)

    def search(self, text: str, start: int = 0) -> Match[str] | None:
        """The first match from `start` on; `most` counts from the beginning of the text."""
        return self._compiled.search(text, start, self.most)

    def finditer(self, text: str) -> Iterator[Match[str]]:
        return self._compiled.finditer(text, 0, self.most)

    def findall(self, text: str) -> list[str]:
        """The text of each match, or of its group if the expression has one."""
        return self._compiled.findall(text, 0, self.most)

    def sub(self, replacement: str | Callable[[Match[str]], str], text: str) -> str:
        return self._compiled.sub(replacement, text[: self.most])

    def split(self, text: str) -> list[str]:
        return self._compiled.split(text[: self.most])
