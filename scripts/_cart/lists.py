"""The arguments that name a list and its stores, and the slots that the database has for them."""

import argparse
import math
from datetime import UTC, datetime

from _support.command import Parser, Refused, shown, within, word
from _support.companies import Progress
from _support.output import print_error
from sqlalchemy import Connection, Engine

from models.slots import reading
from models.slots.building import build
from splitcart.cart import lists
from splitcart.cart.slots import Slots

MAX_STORES = 200
"""Stores of one list at most: nobody visits more, and a plan over them is no useful answer."""


def place(text: str) -> tuple[float, float]:
    """An argument that is a latitude and a longitude in degrees."""
    try:
        latitude, longitude = (float(each) for each in word(text).split(","))
    except ValueError:
        latitude = longitude = math.nan
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise argparse.ArgumentTypeError(f"{shown(text)}: LAT,LON in degrees is wanted, for example -33.87,151.21")
    return latitude, longitude


def store_names(text: str) -> list[str]:
    """An argument that is a list of stores."""
    found = [each.strip() for each in text.split(",")]
    for each in found:
        company, colon, store_code = each.partition(":")
        if not (company and colon and store_code and each.isprintable() and len(each) <= 200):
            raise argparse.ArgumentTypeError(f"{shown(each)}: COMPANY:STORE is wanted, for example woolworths:1147")
    return found


def take_stores(made: Parser) -> None:
    """Adds --stores, --near and --radius: the stores of a list."""
    made.add_argument("--stores", type=store_names, default=[], help="the stores, as woolworths:1147,coles:584")
    made.add_argument("--near", metavar="LAT,LON", type=place, help="the stores: all within --radius of this place")
    made.add_argument("--radius", metavar="KM", type=within(0.1, 5000), default=5.0, help="kilometres (5)")


def form_of(name: str) -> str:
    """The form of a list, by its file's name: csv, json or text."""
    ending = name.rpartition(".")[2].casefold()
    return ending if ending in ("csv", "json") else "text"


def check_stores(options: argparse.Namespace) -> None:
    """Raises Refused unless the options choose the stores of a list, in exactly one way."""
    if bool(options.stores) == bool(options.near):
        raise Refused("a list needs its stores: give one of --stores COMPANY:STORE,... and --near LAT,LON")


def read_slots(
    engine: Engine, source: str, form: str, options: argparse.Namespace, *, everything: bool = False
) -> Slots:
    """The slots of a list at the stores that the options choose.

    The list is parsed before anything is built; then the changed slots are built (`everything`: all).
    Raises Refused for a wrong list or store.
    """
    try:
        with engine.connect() as connection:
            known = reading.companies_of(connection)
            entries = lists.parse(source, form, known, lambda names: reading.known_names(connection, names))
            chosen = _chosen(connection, options)
        build(engine, everything=everything, progress=Progress("slots"))
        with engine.connect() as connection:
            return reading.slots_of(connection, entries, chosen, datetime.now(UTC))
    except ValueError as error:
        raise Refused(str(error)) from None


def _chosen(connection: Connection, options: argparse.Namespace) -> list[str]:
    """The stores that the options choose, as company:store_code."""
    if options.near is None:
        chosen = list(dict.fromkeys(options.stores))
        if len(chosen) > MAX_STORES:
            raise Refused(f"{len(chosen)} stores: at most {MAX_STORES} are accepted")
        return chosen
    latitude, longitude = options.near
    chosen = reading.stores_near(connection, latitude, longitude, options.radius)
    if not chosen:
        raise Refused(f"no store with prices lies within {options.radius:g} km of --near: give a larger --radius")
    if len(chosen) > MAX_STORES:
        print_error(
            f"{len(chosen)} stores lie within {options.radius:g} km of --near: the nearest {MAX_STORES} are taken"
        )
    return chosen[:MAX_STORES]
