"""The chains that can be replayed, and the chain of a body."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from _support.command import shown

from splitcart_spiders import chains
from splitcart_spiders.items import ProductItem

LOOKED_AT = 50
"""Records of a body that are read to find its chain."""
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


def names() -> list[str]:
    """The chains that have a mapping."""
    return sorted(module.name for module in iter_modules(chains.__path__))


def mapping(name: str) -> ModuleType:
    """The mapping of a chain. For argparse's `type`."""
    if name not in names():
        raise argparse.ArgumentTypeError(f"there is no mapping of a chain {shown(name)}: one of {', '.join(names())}")
    return import_module(f"{chains.__name__}.{name}")


def records_of(chain: ModuleType, body: object) -> list[object]:
    """The records of a body, or of several bodies that were saved as one list."""
    found = chain.records(body)
    if not isinstance(body, list):
        return list(found)
    return [record for row in found for record in (chain.records(row) if isinstance(row, dict) else []) or [row]]


def other_chain(chain: ModuleType, body: object) -> str | None:
    """Another chain that reads a price in the body where `chain` reads none; None where there is none."""
    if _reads(chain, body):
        return None
    others = (mapping(name) for name in names() if name != slug(chain))
    return next((slug(other) for other in others if _reads(other, body)), None)


def slug(chain: ModuleType) -> str:
    """The name of a mapping."""
    return chain.__name__.rpartition(".")[2]


def _reads(chain: ModuleType, body: object) -> bool:
    return any(item.price_cents is not None for item in _items(chain, body))


def _items(chain: ModuleType, body: object) -> Iterator[ProductItem]:
    for record in records_of(chain, body)[:LOOKED_AT]:
        item = chain.to_item(record, store_id="replay", now=_WHEN)
        if isinstance(item, ProductItem):
            yield item
