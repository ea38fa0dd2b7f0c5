"""Statements compiled once for all engines of a kind: each test has its own engine, which would compile them again."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

_CACHES: dict[str, "ByKind"] = {}
"""By the name of the dialect."""


class ByKind(LRUCache[Any, Any]):
    """An engine's cache of compiled statements that treats two dialects of one class as one.

    The key of a compiled statement begins with the dialect that it was compiled for. Those of a test session have the
    same driver, and the same server.
    """

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__((type(key[0]), *key[1:]))

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


def share_compiled_statements() -> None:
    """Gives every engine that is made from now on the cache of its kind."""
    made = Engine.__init__

    def sharing(self: Engine, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **options)
        self._compiled_cache = _CACHES.setdefault(self.dialect.name, ByKind(2000))

    Engine.__init__ = sharing
