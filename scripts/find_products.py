"""Lists products that have every word in name, brand or size, with sku, barcode and price by store. Changes nothing."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import _path
from _support.command import integer, parser, run, shown, word
from _support.companies import now, take_company
from _support.database import database
from _support.output import price, print_error, print_json, print_lines
from _support.schedule import in_json

from models.groups.reading import named_companies
from models.prices.find import Priced, find
from models.prices.history import check_store

USUAL = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: shown; 1: no such product, an unknown company or store, no database; 2: wrong arguments."""
    made = parser(__doc__, json="print a JSON list, one object a product and store")
    made.add_argument(
        "words", nargs="+", type=_search_word, metavar="WORD", help="each anywhere in name, brand or size"
    )
    take_company(made)
    made.add_argument("--store", type=word, help="only the store of this code")
    made.add_argument("--limit", type=integer(1, 1_000), default=USUAL, help=f"prices that are shown (default {USUAL})")
    return run(made, _find, arguments)


def _search_word(text: str) -> str:
    """A word of a product; what begins with - is a misplaced option. For argparse's `type`."""
    if text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{shown(text)}: a word of a product is wanted, and none begins with -")
    return word(text)


def _find(options: argparse.Namespace) -> int:
    with database(writes=False) as engine, engine.connect() as connection:
        company = named_companies(connection, options.company)[0] if options.company else None
        if options.store is not None:
            check_store(connection, options.store, company.slug if company else None)
        of = company.id if company else None
        prices, more = find(connection, options.words, now(), limit=options.limit, company_id=of, store=options.store)
    if options.json:
        print_json([in_json(_public(one)) for one in prices], indent=2)
    else:
        _show(prices)
    if more:
        print_error(f"the first {options.limit} prices; there are more: give more words, or --limit")
    if not prices:
        print_error("no product with a price has all of these words: give fewer, or crawl a store that sells it")
    return 0 if prices else 1


def _public(one: Priced) -> dict[str, Any]:
    """A price under its public keys: the chain's own id of the store is `store_id`."""
    return {"store_id" if name == "store_code" else name: value for name, value in asdict(one).items()}


def _show(prices: Sequence[Priced]) -> None:
    for (company, sku), group in groupby(prices, lambda one: (one.company, one.sku)):
        first, *others = group
        size = f" {first.size}" if first.size and first.size.casefold() not in first.name.casefold() else ""
        print_lines(f"{company}:{sku}  {first.name}{size}", f"    gtin {first.gtin or 'not known'}")
        for one in (first, *others):
            seen = f", seen {one.observed_at:%Y-%m-%d %H:%M} UTC" if one.observed_at else ""
            print_lines(
                f"    store {one.store_code:8} {price(one.price_cents, one.price_basis):>14}   {one.source}{seen}"
            )


if __name__ == "__main__":
    sys.exit(main())
