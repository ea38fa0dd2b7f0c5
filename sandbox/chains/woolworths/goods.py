"""Woolworths' goods: how their names, sizes and unit prices are written, and the truth about them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.chains.woolworths.tree import DEPARTMENTS
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.shelf import Cup, blank, cup, metric, prices, put_offers, put_price, unit_of
from sandbox.site import lot

if TYPE_CHECKING:
    from sandbox.world import World

UNITS = {"g": "g", "xg": "g", "ml": "mL", "xml": "mL"}


def lot_of(line: Line) -> int:
    """A fixed number below 1,000 that decides which quirks a line has."""
    return lot("woolworths", line.sku)


def weights(line: Line) -> tuple[int, int]:
    """The least and the most a pack of uneven weight may weigh, in grams."""
    return round(line.good.size * 7 / 1000) * 100, round(line.good.size * 13 / 1000) * 100


def pack_grams(line: Line) -> int:
    """Grams that the price of a pack is made of; 0 where the price is not made from a weight."""
    return weights(line)[1] if line.good.kind.form == "weighed" else 0


def size_text(line: Line) -> str:
    """PackageSize as sent, typing errors included."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if line.section == "market":
        return ""
    if form in ("loose", "deli"):
        return "each" if form == "loose" else "per 100g"
    if form == "weighed":
        return " - ".join(f"{Decimal(grams) / 1000:f}kg".replace("000kg", "kg") for grams in weights(line))
    if form == "ea":
        return "each" if good.amount == 1 else f"{good.amount} pack" if lot % 3 else f"{good.amount}pk"
    if form in ("sheets", "m"):
        return f"{good.size} sheets" if form == "sheets" else f"{good.size}m"
    unit = UNITS[form]
    if good.count > 1:
        if unit == "mL" and lot < 60:
            return f"{good.size}Nl x{good.count} Pack"
        one = metric(good.size, unit)
        return f"{one} x {good.count} pack" if lot % 4 else f"{good.count} x {one}"
    return f"{good.size}Mm" if unit == "mL" and lot < 40 else metric(good.size, unit)


def display_name(line: Line) -> str:
    """DisplayName: Name with the pack size."""
    return f"{bare_name(line)} {size_text(line)}".strip()


def bare_name(line: Line) -> str:
    """Name, without the pack size."""
    return f"{line.brand} {line.good.words}" if line.brand else line.good.words


def brand_sent(line: Line) -> str | None:
    """Brand as sent: null for counter and loose goods, `""` for a few."""
    return "" if lot_of(line) < 4 and line.brand else line.brand


def pies_path(line: Line) -> tuple[str, str, str]:
    """Department, category and sub-category, as in the record's pies...namesjson attributes."""
    kind = line.good.kind
    name = DEPARTMENTS[kind.department][1] if kind.department in DEPARTMENTS else kind.department.title()
    return name, kind.category, kind.leaf


def measure_of(line: Line) -> tuple[str, int, str] | None:
    """(CupMeasure as sent, its amount, unit) of the shelf's unit price; None where the shelf shows none."""
    form, kind, lot, amount = line.good.kind.form, line.good.kind, lot_of(line), line.good.amount
    if form == "loose":
        return ("Per Kg" if lot < 60 else "1KG", 1000, "g")
    if form in ("weighed", "deli"):
        return ("100G", 100, "g") if form == "deli" else ("1KG", 1000, "g")
    if lot >= 955:
        return None
    if form == "sheets":
        return ("100 sheets", 100, "ea")
    if form == "ea":
        return ("100EA", 100, "ea") if amount >= 50 else ("1EA", 1, "ea")
    if form == "m":
        return (f"{amount}m", amount, "m") if lot < 60 else ("1M", 1, "m")
    if unit_of(form) == "ml":
        if kind.category in ("Dental", "Hair") and lot % 2:
            return ("10ML", 10, "ml")
        return ("1L", 1000, "ml") if kind.department in ("drinks", "dairy", "liquor") else ("100ML", 100, "ml")
    if kind.leaf == "Coffee" and lot % 2:
        return ("10G", 10, "g")
    if kind.leaf == "Berries" and lot < 400:
        return (f"{amount}G Punnet", amount, "g")
    return ("1KG", 1000, "g") if kind.department in ("fruit", "meat", "freezer") else ("100G", 100, "g")


def prices_of(line: Line, state: State) -> tuple[int, int | None]:
    """Cents now and before a special: per pack, or per kg of loose goods."""
    now, was = prices(state, line.index, pack_grams(line))
    return now, was if was >= 0 else None


def shelf_cup(line: Line, now: int, state: State) -> Cup | None:
    """The shelf's unit price at quantity one, or None where it shows none."""
    measure = measure_of(line)
    if measure is None or line.section == "market":
        return None
    _, amount, unit = measure
    if line.good.weighed:
        return cup(int(state.offers.price[line.index]), 1000, "g", amount)
    return cup(now, line.good.amount, unit, amount)


def truth(world: "World", store: Store, day: int, line: Line, state: State) -> dict[str, Any]:
    """What a correct crawl stores of the line; its shape is that of World.truth."""
    row = blank("Woolworths", store.store_code, line)
    tree = world.tree("woolworths")
    paths = tree.leads.get(line.index, [])
    own = pies_path(line) if line.promo_only else None
    row.update(
        name=display_name(line),
        brand=brand_sent(line) or None,
        size=size_text(line) or None,
        category_path=own or tree.best(line.index),
        category_paths=[*paths, *(own[:depth] for depth in (1, 2, 3))] if own else paths,
    )
    if line.good.kind.form in ("loose", "deli"):
        row.update(price_basis="kg", typical_grams=line.good.size)
    if line.good.kind.form == "weighed":
        low, high = weights(line)
        row["is_estimated"] = True
        row["acceptable"]["typical_grams"] = [None, high, (low + high) // 2]
    if not state.available[line.index]:
        row.update(is_available=False, is_ranged=False)
        return row
    now, was = prices_of(line, state)
    put_price(row, now, was, shelf_cup(line, now, state))
    put_offers(row, state, line.index)
    return row
