"""The sites by the name under which the server has them."""

from types import ModuleType

from sandbox import coles, woolworths

SITES: dict[str, ModuleType] = {"woolworths": woolworths, "coles": coles}
