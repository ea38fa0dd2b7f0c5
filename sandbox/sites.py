"""The sites by the name under which the server has them."""

from types import ModuleType

from sandbox import aldi, coles, iga, woolworths

SITES: dict[str, ModuleType] = {"woolworths": woolworths, "coles": coles, "aldi": aldi, "iga": iga}
ALL_SWITCHES: dict[str, str] = {name: text for site in SITES.values() for name, text in site.SWITCHES.items()}
"""Switch -> what is so while it is on."""
