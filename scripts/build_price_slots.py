"""Rebuilds the price slots where prices have changed, and prints the slots of a shopping list."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime

import _path
from _cart.lists import check_stores, form_of, read_slots, take_stores
from _cart.slots import read_text, with_places
from _support.command import Parser, Refused, parser, run, word
from _support.companies import Progress
from _support.database import database
from _support.output import console, print_json, print_lines, table
from rich.console import Console

from models.slots.building import Built, build
from splitcart.cart.slots import Slots

COLUMNS = ("line", "item", "store", "product", "size", "price", "how known", "seen")


def arguments_of() -> Parser:
    made = parser(__doc__, json="print what was built, or the slots of the list, as one JSON object")
    made.add_argument("--all", action="store_true", help="build every slot, not only those of what has changed")
    made.add_argument("--list", metavar="FILE", type=word, help="print the slots of this list; - is standard input")
    take_stores(made)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: built, and printed where a list was given; 2: the list or the stores are wrong."""
    return run(arguments_of(), _work, with_places(sys.argv[1:] if arguments is None else arguments))


def _work(options: argparse.Namespace) -> int:
    if options.list is None and (options.stores or options.near):
        raise Refused("--stores and --near choose the stores of a list: give --list FILE, too")
    if options.list is not None:
        check_stores(options)
    source = None if options.list is None else read_text(options.list, "--list")
    with database() as engine:
        if source is None:
            began = time.monotonic()
            built = build(engine, everything=options.all, progress=Progress("slots"))
            _print_built(built, time.monotonic() - began, as_json=options.json)
            return 0
        slots = read_slots(engine, source, form_of(options.list), options, everything=options.all)
    if options.json:
        print_json(slots.to_json())
    else:
        _show(slots, console())
    return 0


def _print_built(built: Built, seconds: float, *, as_json: bool) -> None:
    if as_json:
        figures = {"marks": built.marks, "products": built.products, "stores": built.stores, "rows": built.rows}
        print_json(figures | {"seconds": round(seconds, 3)})
    else:
        print_lines(
            f"{built.rows:,} slots written in {seconds:.1f} s: of {built.products:,} products at all stores and of "
            f"{built.stores:,} stores with all they have; {built.marks:,} marks read"
        )


def _show(slots: Slots, printer: Console) -> None:
    rows = []
    for line in slots.lines:
        if line.reason is not None:
            rows.append((line.line, line.item, "", line.reason, "", "", "", ""))
        for option in line.options:
            price = f"${option.unit_price_cents / 100:.2f}{'/kg' if option.price_basis == 'kg' else ''}"
            seen = datetime.fromisoformat(option.observed_at).strftime("%d %b %H:%M") + (
                " *" if option.flip_since else ""
            )
            rows.append(
                (line.line, line.item, option.store, option.product_name, option.size or "", price, option.source, seen)
            )
    printer.print(table(COLUMNS, rows))
    if any(option.flip_since for line in slots.lines for option in line.options):
        print_lines("* specials have changed since: the price may differ by now")


if __name__ == "__main__":
    sys.exit(main())
