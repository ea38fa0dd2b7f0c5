"""The sites, found in `sandbox/chains`: NAME.py, or site.py in a folder NAME, is the site of the chain NAME."""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from sandbox import chains


@cache
def sites() -> dict[str, ModuleType]:
    """Chain -> module with TRAITS, SWITCHES, build(world), truth(...), pack_grams(line) and answer(ask)."""
    modules = {
        info.name: f"{info.name}.site" if info.ispkg else info.name for info in pkgutil.iter_modules(chains.__path__)
    }
    found = {name: import_module(f"{chains.__name__}.{module}") for name, module in modules.items()}
    return dict(sorted(found.items(), key=lambda pair: (pair[1].TRAITS.order, pair[0])))


@cache
def switches() -> dict[str, str]:
    """Switch -> what it does while it is on."""
    return {name: text for site in sites().values() for name, text in site.SWITCHES.items()}
