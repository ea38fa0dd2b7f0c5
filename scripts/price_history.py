"""Prints how the price of a product or a listing changed, store by store, as a table, a chart or JSON."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import _path
from _support.command import Refused, parser, run, shown, word
from _support.database import database
from _support.output import console, price, print_error, print_json, print_lines, table

from models.groups.reading import named_companies
from models.prices import history
from models.prices.history import Entry

BARS = 40
COLUMNS = ("store", "from (UTC)", "price", "was", "source", "run")


def cells(one: Entry) -> tuple[object, ...]:
    """A change as a row of the table."""
    was = price(one.was_price_cents) if one.was_price_cents is not None else ""
    when = f"{one.changed_at:%Y-%m-%d %H:%M}"
    return one.store_code, when, price(one.price_cents, one.price_basis), was, one.source, one.crawl_run_id


def public(one: Entry) -> dict[str, Any]:
    """A change under its public keys: the chain's own id of the store is `store_id`."""
    values = asdict(one) | {"changed_at": one.changed_at.isoformat()}
    return {"store_id" if name == "store_code" else name: value for name, value in values.items()}


def show(entries: Sequence[Entry]) -> None:
    """Prints a table for each listing; its rows fit 80 columns."""
    for (company, sku, name), group in groupby(entries, lambda one: (one.company, one.sku, one.name)):
        console().print(table(COLUMNS, map(cells, group), title=f"{company} {sku}  {name}"))


def chart(entries: Sequence[Entry]) -> list[str]:
    """A line with a bar for each change, to one scale for all stores."""
    most = max((one.price_cents or 0 for one in entries), default=0) or 1
    lines = []
    for (company, sku, store), group in groupby(entries, lambda one: (one.company, one.sku, one.store_code)):
        lines.append(f"{company} {sku}, store {store}")
        for one in group:
            bar = "#" * round(BARS * (one.price_cents or 0) / most)
            lines.append(f"  {one.changed_at:%Y-%m-%d %H:%M}  {bar:<{BARS}}  {price(one.price_cents)}")
    return lines


def entries_of(options: argparse.Namespace) -> list[Entry]:
    """The changes that the options select. Raises ValueError for what is unknown, StorageError for another schema."""
    with database(writes=False) as engine, engine.connect() as connection:
        company = named_companies(connection, options.company)[0].slug if options.company else None
        if options.store is not None:
            history.check_store(connection, options.store, company)
        if options.gtin:
            return history.of_gtin(connection, options.gtin, options.store)
        return history.of_sku(connection, company or "", options.sku, options.store)


def barcode(text: str) -> str:
    """A barcode as 14 digits. For argparse's `type`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise argparse.ArgumentTypeError(f"{shown(text)}: a barcode has at most 14 digits and nothing else")
    return text.zfill(14)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: shown; 1: no such product, or the database is not ours; 2: wrong arguments."""
    made = parser(__doc__, json="")
    made.add_argument("--gtin", type=barcode, help="14 digits, or fewer with leading zeros left out: all companies'")
    made.add_argument("--company", type=word, help="woolworths, coles, aldi or iga; with --sku")
    made.add_argument("--sku", type=word, help="the company's own number; with --company")
    made.add_argument("--store", type=word, help="the chain's id of one store; default: all stores that were seen")
    one = made.add_mutually_exclusive_group()
    one.add_argument("--json", action="store_true", help="print a JSON list of changes")
    one.add_argument("--chart", action="store_true", help="print bars instead of a table")
    return run(made, _show, arguments)


def _show(options: argparse.Namespace) -> int:
    if not options.gtin and not (options.company and options.sku):
        raise Refused("name a product: --gtin G, or --company C --sku S")
    entries = entries_of(options)
    if options.json:
        print_json([public(one) for one in entries], indent=2)
    elif options.chart:
        print_lines(*chart(entries))
    else:
        show(entries)
    if not entries:
        print_error(
            "nothing is known of it: find its number with scripts/find_products.py, or crawl a store that sells it"
        )
    return 0 if entries else 1


if __name__ == "__main__":
    sys.exit(main())
