"""The slots that a split is computed from: those of a list, from the database, or those of a document."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import iter_modules

from _cart.lists import check_stores, form_of, read_slots
from _support.command import Refused, shown
from _support.database import database

from splitcart.cart import documents
from splitcart.cart.slots import Slots
from splitcart_spiders import chains

CHAINS = frozenset(module.name for module in iter_modules(chains.__path__))
MAX_SIZE = 64 * 2**20
DIGITS = frozenset("0123456789.")


def read_text(name: str, what: str, most: int = MAX_SIZE) -> str:
    """A file's text; `-` is standard input. Raises Refused where it cannot be read or is no text."""
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            found = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name of a file"
        raise Refused(f"{what} {shown(name)}: {reason}: give a file that can be read") from None
    if len(found) > most:
        raise Refused(f"{what} {shown(name)}: more than {most} bytes: give a smaller file")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = found[: error.start].count(b"\n") + 1
        raise Refused(f"{what} {shown(name)}: line {line} is no UTF-8 text: save it as UTF-8") from None


def with_places(arguments: Sequence[str]) -> list[str]:
    """The arguments with each place joined to its option: argparse would take a southern latitude for an option."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] in ("--home", "--near") and argument[:1] == "-" and argument[1:2] in DIGITS:
            found[-1] = f"{found[-1]}={argument}"
        else:
            found.append(argument)
    return found


def slots_of(options: argparse.Namespace) -> Slots:
    """The slots that the options select. Raises Refused, and ValueError for a wrong document."""
    if options.slots is None:
        return _of_a_list(options)
    if options.list is not None:
        raise Refused(f"the list {shown(options.list)}: a document of slots has its own list; give one of the two")
    slots = documents.loads(read_text(options.slots, "--slots"))
    if not options.stores:
        return slots
    known = {store.store for store in slots.stores}
    for store in options.stores:
        if store not in known:
            raise Refused(f"--stores {shown(store)}: the document has {', '.join(sorted(known)) or 'no store'}")
    return slots.only(frozenset(options.stores))


def _of_a_list(options: argparse.Namespace) -> Slots:
    """The slots of a list, from the database; changed slots are built first."""
    if options.list is None:
        raise Refused("give a LIST, or --slots FILE")
    check_stores(options)
    source = read_text(options.list, "LIST")
    with database() as engine:
        return read_slots(engine, source, form_of(options.list), options)


def companies(slots: Slots) -> set[str]:
    """The companies that fees and memberships may name."""
    return {*CHAINS, *(store.company for store in slots.stores)}
