"""Spider arguments: `-a NAME=VALUE` comes as text."""

from scrapy.exceptions import UsageError


def truth(argument: object) -> bool:
    """Whether an argument says yes."""
    return str(argument or "").casefold() in {"1", "true", "yes", "on"}


def count(argument: str | None, name: str) -> int | None:
    """An argument that is a whole number; None where it is absent. Raises UsageError, which says how to write it."""
    if argument in (None, ""):
        return None
    if not str(argument).isdigit():
        raise UsageError(f"-a {name}={argument}: a whole number is wanted, for example -a {name}=8", print_help=False)
    return int(str(argument))


def names(argument: str | None) -> set[str]:
    """An argument that lists names with commas, each casefolded."""
    return {name.strip().casefold() for name in (argument or "").split(",") if name.strip()}
