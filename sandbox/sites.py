"""The sites by the name under which the server has them."""

from types import ModuleType

from sandbox import aldi, coles, iga, woolworths

SITES: dict[str, ModuleType] = {"woolworths": woolworths, "coles": coles, "aldi": aldi, "iga": iga}
