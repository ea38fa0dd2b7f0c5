"""The arguments that name a list and its stores, and the slots that the database has for them."""

import argparse
import math
from collections.abc import Sequence
from datetime import UTC, datetime

from _support.command import Refused, shown, word
from sqlalchemy import Engine

from models.slots import reading
from splitcart.cart import lists
from splitcart.cart.slots import Slots

MAX_STORES = 200
"""Stores of one list: more are no round that anybody makes, and a plan over them is no answer."""


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
        company, colon, store_id = each.partition(":")
        if not (company and colon and store_id and each.isprintable() and len(each) <= 200):
            raise argparse.ArgumentTypeError(f"{shown(each)}: COMPANY:STORE is wanted, for example woolworths:1147")
    return found


def form_of(name: str) -> str:
    """The form of a list, by its file's name."""
    ending = name.rpartition(".")[2].casefold()
    return ending if ending in ("csv", "json") else "text"


def read_slots(
    engine: Engine,
    source: str,
    form: str,
    stores: Sequence[str],
    near: tuple[float, float] | None = None,
    radius: float = 5.0,
) -> Slots:
    """The slots of a list at these stores, or at those near a place. Raises Refused: the list or a store cannot be."""
    with engine.connect() as connection:
        chosen = list(dict.fromkeys(stores))
        if near is not None:
            chosen = reading.stores_near(connection, *near, radius)[:MAX_STORES]
            if not chosen:
                raise Refused(f"no store with prices lies within {radius:g} km of {near[0]:g},{near[1]:g}")
        if len(chosen) > MAX_STORES:
            raise Refused(f"{len(chosen)} stores: at most {MAX_STORES} are accepted")
        try:
            known = reading.companies_of(connection)
            entries = lists.parse(source, form, known, lambda names: reading.known_names(connection, names))
            return reading.slots_of(connection, entries, chosen, datetime.now(UTC))
        except ValueError as error:
            raise Refused(str(error)) from None
