"""Plans a shopping list over stores: the proven cheapest split for 1 to K stores, and which is worth its stops."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import _path
from _cart.lists import place, take_stores
from _cart.page import page
from _cart.report import csv_rows, tables
from _cart.slots import companies, read_text, slots_of, with_places
from _support.command import Parser, Refused, integer, parser, run, shown, within, word
from _support.output import console, print_csv, print_error, print_json, print_lines

from splitcart.cart import terms as cart_terms
from splitcart.cart import trips
from splitcart.cart.plan import WORTH_CENTS, Answer
from splitcart.cart.slots import Slots
from splitcart.cart.split import MAX_STOPS, split
from splitcart.cart.terms import Terms
from splitcart.money import MAX_CENTS

NOTHING = 3
"""Exit code where no line can be bought anywhere."""


def arguments_of() -> Parser:
    made = parser(__doc__, json="print the plans as one JSON object")
    made.add_argument(
        "list", metavar="LIST", nargs="?", help="the list: a .csv or .json file, else text; - is standard input"
    )
    made.add_argument("--slots", metavar="FILE", type=word, help="plan from a document of slots instead of a list")
    take_stores(made)
    stops = integer(1, MAX_STOPS)
    made.add_argument("--max-stores", metavar="K", type=stops, default=3, help=f"1 to {MAX_STOPS} stops (3)")
    made.add_argument("--csv", action="store_true", help="print the recommended plan's lines as CSV")
    made.add_argument("--html", metavar="FILE", type=word, help="write the plan as a page to read and to print")
    made.add_argument("--fees", metavar="FILE", type=word, help="TOML: fees and minimum orders by company")
    made.add_argument(
        "--member", metavar="COMPANY", type=word, action="append", default=[], help="count its members' offers"
    )
    made.add_argument(
        "--visit-cents", metavar="N", type=integer(0, MAX_CENTS), default=0, help="cents for each store visited (0)"
    )
    made.add_argument("--home", metavar="LAT,LON", type=place, help="where the round trip begins and ends")
    per_km = within(0, trips.MAX_CENTS_PER_KM)
    made.add_argument(
        "--cents-per-km", metavar="N", type=per_km, help="cents for each kilometre of the trip; with --home"
    )
    worth = integer(0, MAX_CENTS)
    made.add_argument(
        "--worth-cents", metavar="N", type=worth, default=WORTH_CENTS, help="what a further stop must save (500)"
    )
    seconds = within(0.1, 3600)
    made.add_argument(
        "--deadline", metavar="SECONDS", type=seconds, default=10.0, help="then the best plan so far is printed (10)"
    )
    return made


def terms_of(options: argparse.Namespace, slots: Slots) -> Terms:
    """The terms that the options name. Raises Refused, and ValueError for wrong fees."""
    known = companies(slots)
    for company in options.member:
        if company.casefold() not in known:
            raise Refused(f"--member {shown(company)}: one of {', '.join(sorted(known))} is wanted")
    if (options.home is None) != (options.cents_per_km is None):
        raise Refused("a trip needs both --home LAT,LON and --cents-per-km N")
    trip = trips.Trip(options.home, options.cents_per_km) if options.home else None
    fees = cart_terms.parse(read_text(options.fees, "--fees", cart_terms.MAX_SIZE), known) if options.fees else {}
    members = frozenset(company.casefold() for company in options.member)
    return Terms(fees, members, options.visit_cents, trip)


def write(path: Path, text: str) -> None:
    """Writes the file completely or not at all."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.absolute().parent, delete=False) as file:
        try:
            file.write(text)
            file.close()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: planned, also where no plan is feasible; 1: a file cannot be written; 2: a wrong list or option;
    3: nothing to buy at these stores."""
    given = sys.argv[1:] if arguments is None else arguments
    return run(arguments_of(), _work, with_places(given))


def _work(options: argparse.Namespace) -> int:
    if options.json and options.csv:
        raise Refused("give one of --json and --csv")
    try:
        slots = slots_of(options)
        terms = terms_of(options, slots)
        plans = split(slots, terms, options.max_stores, seconds=options.deadline, now=time.monotonic)
    except ValueError as error:
        print_error(error)
        return 2
    answer = Answer(slots, terms, plans, options.worth_cents)
    if options.html:
        write(Path(options.html), page(answer))
    show(answer, options)
    if not answer.can_buy:
        print_error("nothing on the list can be bought at these stores: the reasons are listed by line")
        return NOTHING
    return 0


def show(answer: Answer, options: argparse.Namespace) -> None:
    if options.json:
        print_json(answer.to_json(), indent=1)
    elif options.csv:
        print_csv(*csv_rows(answer))
    else:
        for part in tables(answer):
            if isinstance(part, str):
                print_lines(part)
            else:
                console().print(part)


if __name__ == "__main__":
    sys.exit(main())
