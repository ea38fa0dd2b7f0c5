"""IGA's goods: how their names, sizes and unit prices are written, and the truth about them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.shelf import Cup, blank, cup, prices, put_offers, put_price, unit_of
from sandbox.site import lot

if TYPE_CHECKING:
    from sandbox.world import World

Unit = dict[str, Any]
STRANGER = "Qingdao Fresh Import Co Ltd"


def lot_of(line: Line) -> int:
    """A fixed number below 1,000 that decides which quirks a line has."""
    return lot("iga", line.sku)


def is_loose(line: Line) -> bool:
    """Sold by the piece and weighed at the till: sellBy is EachUnit."""
    return line.good.kind.form == "loose"


def sends_kilo_price(line: Line) -> bool:
    """Whether the price of loose goods is a kilogram's; else it is the average piece's."""
    return is_loose(line) and lot_of(line) % 3 == 0


def pack_grams(line: Line) -> int:
    """Grams that the price of a pack is made of; 0 where the price is not made from a weight."""
    return line.good.size if line.good.weighed and not sends_kilo_price(line) else 0


def brand_sent(line: Line, store: Store) -> str | None:
    """Null or `""` for loose goods; one store sends a foreign company's name for them."""
    if line.brand is not None:
        return line.brand
    return STRANGER if store.index == 1 else "" if lot_of(line) % 2 else None


def unit_of_size(line: Line) -> Unit:
    """unitOfSize: abbreviation, label, size, type."""
    good, unit = line.good, unit_of(line.good.kind.form)
    amount = Decimal(good.amount)
    if unit in ("ea", "m"):
        each = {"abbreviation": "", "label": "Each", "size": good.amount, "type": "each"}
        return each if unit == "ea" else {"abbreviation": "m", "label": "Metre", "size": good.amount, "type": "metre"}
    small, large = {"g": (("g", "gram"), ("kg", "kilogram")), "ml": (("ml", "millilitre"), ("l", "litre"))}[unit]
    short, kind = large if amount >= 1000 else small
    size = amount / 1000 if amount >= 1000 else amount
    number = int(size) if size == size.to_integral_value() else float(size)
    return {"abbreviation": short, "label": kind.title(), "size": number, "type": kind}


def size_texts(line: Line) -> list[str | None]:
    """What the size may be read as; the wire has a number and a unit, not a text."""
    unit = unit_of_size(line)
    if unit["abbreviation"]:
        return [f"{unit['size']:g}{unit['abbreviation']}", f"{unit['size']:g} {unit['abbreviation']}"]
    number = f"{unit['size']:g}"
    return [f"{number} each", number, f"{number} Each", f"{number}each", f"{number} EachUnit"]


def name_of(line: Line) -> str:
    unit = unit_of_size(line)
    size = f" {unit['size']:g}{unit['abbreviation'] or 'pk'}" if not line.good.weighed else ""
    return f"{line.brand} {line.good.words}{size}" if line.brand else line.good.words


def prices_of(line: Line, state: State) -> tuple[int, int | None]:
    """Cents now and before a special: of a piece or pack, or of a kilogram."""
    now, was = prices(state, line.index, pack_grams(line))
    return now, was if was > now else None


def shelf_of(line: Line, now: int, state: State) -> tuple[Cup, str] | None:
    """The shelf's unit price and pricePerUnit; None where there is none."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if is_loose(line):
        shelf = cup(int(state.offers.price[line.index]), 1000, "g", 1000)
        return shelf, f"${shelf.number:.2f}/kg"
    if lot >= 960:
        return None
    unit = unit_of(form)
    if unit == "ea" and form == "ea":
        shelf = cup(now, good.amount, unit, 1)
        return shelf, f"${shelf.number:.2f} each"
    if unit in ("ea", "m"):
        shelf = cup(now, good.amount, unit, 100 if unit == "ea" else 1)
        return shelf, f"${shelf.number:.2f}/{'100 sheets' if unit == 'ea' else 'm'}"
    is_large = good.amount >= 1000 or good.weighed
    shelf = cup(now, good.amount, unit, 1000 if is_large else 100)
    return shelf, f"${shelf.number:.2f}/" + {"g": ("kg", "100g"), "ml": ("l", "100ml")}[unit][0 if is_large else 1]


def breadcrumb(world: "World", line: Line) -> list[str]:
    """Names from Grocery to the leaf."""
    return ["Grocery", *(node.name for node in world.tree("iga").best_nodes(line.index))]


def truth(world: "World", store: Store, day: int, line: Line, state: State) -> dict[str, Any]:
    """What a correct crawl stores of the line; its shape is that of World.truth. Paths begin at the department."""
    row = blank("IGA", store.store_code, line)
    sizes = size_texts(line)
    path = tuple(breadcrumb(world, line))
    row.update(
        name=name_of(line),
        brand=brand_sent(line, store) or None,
        size=sizes[0],
        category_path=path[1:],
        category_paths=[path[1 if part else 0 : end] for part in (True, False) for end in range(2, len(path) + 1)],
        is_available=bool(state.available[line.index]),
    )
    row["acceptable"]["size"] = sizes
    now, was = prices_of(line, state)
    shelf = shelf_of(line, now, state)
    put_price(row, now, was, shelf[0] if shelf else None)
    if sends_kilo_price(line):
        row.update(price_basis="kg", typical_grams=line.good.size)
    else:
        put_offers(row, state, line.index)
    if is_loose(line) and not sends_kilo_price(line):
        row.update(is_estimated=True, typical_grams=line.good.size)
        row["acceptable"].update(is_estimated=[True, False], typical_grams=[line.good.size, None])
    return row
