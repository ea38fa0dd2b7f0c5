"""Spider arguments: `-a NAME=VALUE` arrives as text. An invalid value is refused with a message that states how to
write it."""

import inspect
from collections.abc import Iterable
from difflib import get_close_matches

from scrapy.exceptions import UsageError

from splitcart.printing import visible

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
# Every character of the chains' store ids; "*", the store code of locator runs, is not among them.
_IN_IDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_HEX = frozenset("0123456789abcdef")

MOST_DIGITS = 9
"""The most digits of a count."""
MOST_LETTERS = 10_000
"""The most characters of a list of names."""
LONGEST_ID = 40
"""The most characters of a store's id."""
TOKEN_DIGITS = 32
"""The digits of a lease's token."""


def is_yes(argument: object) -> bool:
    """Whether a value means yes."""
    return str(argument or "").casefold() in YES


def truth(argument: object, name: str) -> bool:
    """Whether an argument means yes; an absent one means no. Raises UsageError for a value that means neither."""
    answer = "0" if argument is None else str(argument).strip().casefold()
    if answer not in YES | NO:
        wanted = f"yes or no is wanted, -a {name}=1 or -a {name}=0"
        raise UsageError(f"{quoted(name, argument)}: {wanted}", print_help=False)
    return answer in YES


def count(argument: object, name: str, *, least: int = 0) -> int | None:
    """An argument that is a whole number of `least` or more; None if it is absent. Raises UsageError."""
    if argument is None:
        return None
    text = str(argument).strip()
    if text.isdigit() and len(text) > MOST_DIGITS:
        raise UsageError(f"{quoted(name, argument)}: at most {10**MOST_DIGITS - 1} is wanted", print_help=False)
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        wanted = f"a whole number of {least} or more is wanted, for example -a {name}=8"
        raise UsageError(f"{quoted(name, argument)}: {wanted}", print_help=False)
    return int(text)


def names(argument: str | None, name: str) -> set[str]:
    """An argument that lists names with commas, each casefolded; none if it is absent. Raises UsageError."""
    if argument is None:
        return set()
    listed = {one.strip().casefold() for one in argument.split(",") if one.strip()}
    if not listed:
        raise UsageError(f"{quoted(name, argument)}: names are wanted, for example -a {name}=a,b", print_help=False)
    if len(argument) > MOST_LETTERS:
        raise UsageError(f"{quoted(name, argument)}: at most {MOST_LETTERS} characters are read", print_help=False)
    return listed


def trusts_clock(argument: object) -> bool:
    """Whether `-a clock=trust` was passed. Raises UsageError for any other value."""
    if argument is None:
        return False
    if str(argument).strip().casefold() != "trust":
        wanted = "write -a clock=trust to date the run by a clock that looks wrong, or leave it out"
        raise UsageError(f"-a clock={argument}: {wanted}", print_help=False)
    return True


def store_code(argument: object, spider: str) -> str:
    """The chain's id of a store. Raises UsageError if it is missing or malformed."""
    code = "" if argument is None else str(argument).strip()
    if not code:
        raise UsageError(f"No store was named: scrapy crawl {spider} -a store=ID", print_help=False)
    if not (set(code.casefold()) <= _IN_IDS and code.isascii() and code[0].isalnum() and ".." not in code):
        wanted = "the chain's own id of one store is wanted, as its storefront's paths use it"
        raise UsageError(f"{quoted('store', argument)}: {wanted}", print_help=False)
    if len(code) > LONGEST_ID:
        raise UsageError(f"{quoted('store', argument)}: no id has more than {LONGEST_ID} characters", print_help=False)
    return code


def lease_of(argument: object) -> str | None:
    """The token of a lease that next_store.py gave; None if the argument is absent. Raises UsageError."""
    if argument is None:
        return None
    token = str(argument).strip()
    if len(token) != TOKEN_DIGITS or not set(token) <= _HEX:
        wanted = f"the lease_token that scripts/next_store.py printed is wanted, {TOKEN_DIGITS} hexadecimal digits"
        raise UsageError(f"{quoted('lease', argument)}: {wanted}", print_help=False)
    return token


def quoted(name: str, argument: object) -> str:
    """A wrong argument as an error message quotes it: short, and without control characters."""
    text = str(argument)
    return f"-a {visible(name[:40])}={visible(text[:40])}{'...' if len(text) > 40 else ''}"


def refuse_unknown(spider: type, left: Iterable[str]) -> None:
    """Raises UsageError for the first argument that no class of the spider takes; scrapyd's own (`_job`) may stay."""
    taken = known(spider)
    for name in (name for name in left if not name.startswith("_")):
        near = get_close_matches(name, taken, n=1)
        meant = f"did you mean -a {near[0]}=? " if near else ""
        takes = f"{meant}It takes {', '.join(f'-a {one}=' for one in taken)}"
        unknown = f"{quoted(name, '')}: {getattr(spider, 'name', spider)} takes no such argument"
        raise UsageError(f"{unknown}; {takes}", print_help=False)


def known(spider: type) -> list[str]:
    """The names of every argument that a spider takes, those of its base classes first."""
    taken: dict[str, None] = {}
    for base in reversed(spider.__mro__):
        if base.__module__.startswith("scrapy.") or "__init__" not in vars(base):
            continue
        for one in list(inspect.signature(base).parameters.values()):
            if one.kind is one.POSITIONAL_OR_KEYWORD:
                taken[one.name] = None
    return [name for name in taken if name not in ("self", "accept_fulfilment")]
