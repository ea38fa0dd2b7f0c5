"""The sites, found by their modules: one that has TRAITS is a chain, under its own name."""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

import sandbox


@cache
def sites() -> dict[str, ModuleType]:
    """Chain -> module with TRAITS, SWITCHES, build(world), truth(...), pack_grams(line) and answer(ask)."""
    names = [info.name for info in pkgutil.iter_modules(sandbox.__path__) if "_" not in info.name]
    found = [(name, import_module(f"sandbox.{name}")) for name in names]
    chains = [(module.TRAITS.order, name, module) for name, module in found if hasattr(module, "TRAITS")]
    return {name: module for _, name, module in sorted(chains, key=lambda row: row[:2])}


@cache
def switches() -> dict[str, str]:
    """Switch -> what is so while it is on."""
    return {name: text for site in sites().values() for name, text in site.SWITCHES.items()}
