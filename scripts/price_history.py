"""Prints how the price of a product or a listing changed, store by store, as a table, a chart or JSON."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby

import _path  # noqa: F401
from _database import database, guarded
from rich.console import Console
from rich.table import Table

from models import price_history
from models.group_reading import named_companies
from models.price_history import Entry

BARS = 40


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gtin", help="14 digits, or fewer with leading zeros left out: all companies' listings")
    parser.add_argument("--company", help="woolworths, coles, aldi or iga; with --sku")
    parser.add_argument("--sku", help="the company's own number; with --company")
    parser.add_argument("--store", help="the chain's id of one store; default: all stores that were seen")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print a JSON list of changes")
    shown.add_argument("--chart", action="store_true", help="print bars instead of a table")
    return parser


def dollars(cents: int | None) -> str:
    return "not sold" if cents is None else f"${cents // 100}.{cents % 100:02d}"


def table(entries: Iterable[Entry]) -> Table:
    """The changes for people."""
    shown = Table("company", "sku", "name", "store", "from (UTC)", "price", "was", "kind", "run")
    for one in entries:
        price = dollars(one.price_cents) + (" / kg" if one.price_basis == "kg" and one.price_cents is not None else "")
        was = dollars(one.was_price_cents) if one.was_price_cents is not None else ""
        when = f"{one.changed_at:%Y-%m-%d %H:%M}"
        shown.add_row(one.company, one.sku, one.name, one.store_id, when, price, was, one.kind, str(one.crawl_run_id))
    return shown


def chart(entries: Sequence[Entry]) -> str:
    """A bar a change, as long as the price, to one scale for all stores."""
    most = max((one.price_cents or 0 for one in entries), default=0) or 1
    lines = []
    for (company, sku, store), group in groupby(entries, lambda one: (one.company, one.sku, one.store_id)):
        lines.append(f"{company} {sku}, store {store}")
        for one in group:
            bar = "#" * round(BARS * (one.price_cents or 0) / most)
            lines.append(f"  {one.changed_at:%Y-%m-%d %H:%M}  {bar:<{BARS}}  {dollars(one.price_cents)}")
    return "\n".join(lines)


def entries_of(options: argparse.Namespace) -> list[Entry]:
    """What the options ask for. Raises ValueError, which says what is unknown; StorageError for another schema."""
    with database() as engine, engine.connect() as connection:
        company = named_companies(connection, options.company)[0].slug if options.company else None
        if options.store is not None:
            price_history.check_store(connection, options.store, company)
        if options.gtin:
            return price_history.of_gtin(connection, _digits(options.gtin), options.store)
        return price_history.of_sku(connection, company or "", options.sku, options.store)


def _digits(gtin: str) -> str:
    if not (gtin.isascii() and gtin.isdigit() and len(gtin) <= 14):
        raise ValueError(f"--gtin {gtin}: a barcode has at most 14 digits and nothing else")
    return gtin.zfill(14)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: shown; 1: nothing is known of it, or the database is not ours."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.gtin and not (options.company and options.sku):
        parser.error("name a product: --gtin G, or --company C --sku S")
    return guarded(lambda: _show(options))


def _show(options: argparse.Namespace) -> int:
    entries = entries_of(options)
    if options.json:
        print(json.dumps([asdict(one) | {"changed_at": one.changed_at.isoformat()} for one in entries], indent=2))
    elif options.chart:
        print(chart(entries))
    else:
        Console().print(table(entries))
    if not entries:
        print("nothing is known of it: check the number, or crawl a store that sells it", file=sys.stderr)
    return 0 if entries else 1


if __name__ == "__main__":
    sys.exit(main())
