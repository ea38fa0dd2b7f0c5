"""ALDI's goods: how their names, sizes and unit prices are written, and the truth about them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.shelf import Cup, blank, cup, pack_price, put_price, unit_of
from sandbox.site import lot

if TYPE_CHECKING:
    from sandbox.world import World


def lot_of(line: Line) -> int:
    """A fixed number below 1,000 that decides which quirks a line has."""
    return lot("aldi", line.sku)


def grams_of(line: Line) -> int:
    """Grams of one piece or pack of weighed goods, in steps of 200 g as on the shelf label."""
    return max(200, round(line.good.size / 200) * 200)


def pack_grams(line: Line) -> int:
    """Grams that the price of a pack is made of; 0 where the price is not made from a weight."""
    return grams_of(line) if line.good.weighed else 0


def sends_kilo_price(line: Line) -> bool:
    """Whether `amount` of weighed goods is what a kilogram costs; for a few it is the pack's price."""
    return line.good.weighed and lot_of(line) % 9 != 0


def brand_sent(line: Line) -> str | None:
    """Upper case; null for unbranded goods."""
    return None if line.brand is None or lot_of(line) < 50 else line.brand.upper()


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _liquid(size: int, lot: int) -> str:
    if size < 1000:
        return f"{size} ml" if lot % 3 else f"{_plain(Decimal(size) / 1000)} L"
    return f"{size:,} ml" if lot % 2 else f"{_plain(Decimal(size) / 1000)} L"


def _solid(size: int, lot: int) -> str:
    return f"{size} g" if size < 1000 and lot % 3 else f"{_plain(Decimal(size) / 1000)} kg"


def size_text(line: Line) -> str | None:
    """sellingSize as sent; null for a few."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if good.weighed:
        return f"approx. {_plain(Decimal(grams_of(line)) / 1000)} kg per {'piece' if form == 'loose' else 'package'}"
    if lot >= 985:
        return None
    if form == "ea":
        return f"{good.amount} PAC" if lot % 12 == 0 else f"{good.amount} each"
    if form in ("sheets", "m"):
        return f"{good.size} sheets" if form == "sheets" else f"{good.size} m"
    one = _liquid(good.size, lot) if unit_of(form) == "ml" else _solid(good.size, lot)
    if good.count > 1:
        one = f"{_plain(Decimal(good.size) / 1000)} L" if form == "xml" else one
        return f"{good.count} x {one}"
    return one


def name_of(line: Line) -> str:
    """Usually ends with the size."""
    size = size_text(line)
    ends = size is not None and not line.good.weighed and lot_of(line) % 10
    return f"{line.good.words} {size.replace(' ', '')}" if ends and size else line.good.words


def shelf_of(line: Line, now: int, state: State) -> tuple[Cup, str] | None:
    """The shelf's unit price and its measure as printed; None where there is none."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if good.weighed:
        return cup(int(state.offers.price[line.index]), 1000, "g", 1000), "1 kg"
    if size_text(line) is None:
        return None
    unit = unit_of(form)
    if form in ("sheets", "m"):
        return (cup(now, good.amount, unit, 100), "100 sheets") if form == "sheets" else (
            cup(now, good.amount, unit, 1), "1 m")  # fmt: skip
    if form == "ea":
        return cup(now, good.amount, unit, 1), "1 PAC" if lot % 12 == 0 else "1 each"
    is_large = lot % 5 < 2
    name = {"ml": ("1 L", "100 ml"), "g": ("1 kg", "100 g")}[unit][0 if is_large else 1]
    return cup(now, good.amount, unit, 1000 if is_large else 100), name


def prices_of(line: Line, state: State) -> tuple[int, int | None]:
    """Cents now and before a special for one pack; estimated for weighed goods."""
    now, was = int(state.offers.price[line.index]), int(state.offers.was[line.index])
    if line.good.weighed:
        return pack_price(now, grams_of(line)), None
    return now, was if was > now else None


def unpriced(line: Line, state: State) -> bool:
    """price is null: some of the lines that are out of stock, the others are `discontinued`."""
    return not state.available[line.index] and lot_of(line) % 5 < 2


def categories_of(world: "World", line: Line) -> list[tuple[str, str]]:
    """(key, name) of root and leaf as the record has them; the root alone for a few."""
    path = world.tree("aldi").best_nodes(line.index)
    named = [(node.key, node.name) for node in path]
    return named[:1] if lot_of(line) % 200 == 0 else named


def truth(world: "World", store: Store, day: int, line: Line, state: State) -> dict[str, Any]:
    """What a correct crawl stores of the line; its shape is that of World.truth."""
    row = blank("ALDI", store.store_code, line)
    row.update(
        name=name_of(line),
        brand=brand_sent(line),
        gtin=None,
        size=size_text(line),
        category_path=tuple(name for _, name in categories_of(world, line)),
        category_paths=world.tree("aldi").leads.get(line.index, []),
        is_available=bool(state.available[line.index]),
    )
    row["acceptable"].pop("gtin", None)
    if line.good.weighed:
        row["typical_grams"] = grams_of(line)
        row["acceptable"]["typical_grams"] = [grams_of(line), None]
        row["is_estimated"] = not unpriced(line, state)
        if not sends_kilo_price(line) or unpriced(line, state):
            row["acceptable"]["is_estimated"] = [True, False]
    if unpriced(line, state):
        return row
    now, was = prices_of(line, state)
    shelf = shelf_of(line, now, state)
    put_price(row, now, was, shelf[0] if shelf else None)
    if shelf and shelf[1] == "1 PAC":
        row["acceptable"].update(unit_price=[row["unit_price"], None], unit_of_measure=["ea", None])
    return row
