"""Coles' goods: how their names, sizes and unit prices are written, and the truth about them."""

from typing import TYPE_CHECKING, Any

from sandbox.goods import barcodes
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.shelf import Cup, blank, cup, metric, multibuy, prices, put_offers, put_price, unit_of
from sandbox.site import lot, opaque

if TYPE_CHECKING:
    from sandbox.world import World


def lot_of(line: Line) -> int:
    """A fixed number below 1,000 that decides which quirks a line has."""
    return lot("coles", line.sku)


def displaced(line: Line) -> bool:
    """Whether the line is never listed organically: an advertisement stands in its place (0.8% of lines)."""
    return lot_of(line) < 8 and line.section == "main"


def pack_grams(line: Line) -> int:
    """Grams that the price of a pack is made of; 0 where the price is not made from a weight.

    For a few it is a kilogram, whatever size is printed.
    """
    if not line.good.weighed:
        return 0
    return 1000 if lot_of(line) % 19 == 3 else line.good.size


def brand_sent(line: Line) -> str:
    if line.brand is None:
        return "Coles" if lot_of(line) % 2 else ""
    return line.brand


def size_text(line: Line) -> str:
    """size as sent; `""` for most liquor, whose size is in the till text alone."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if good.kind.department == "liquor" and lot % 4:
        return ""
    if good.weighed:
        space = ". " if lot % 4 else "." if good.size >= 1000 or lot % 8 else " ."
        return f"approx{space}{metric(good.size, 'g')}"
    if form == "ea":
        return "each" if good.amount == 1 else f"{good.amount} pack"
    if form in ("sheets", "m"):
        return f"{good.size} sheets" if form == "sheets" else f"{good.size}m"
    one = metric(good.size, "mL" if unit_of(form) == "ml" else "g")
    if good.count > 1:
        return f"{good.count} x {one}" if lot % 2 else f"{one} x {good.count} Pack"
    return one


def till_text(line: Line) -> str:
    """description: UPPER CASE, with the size after the name."""
    good = line.good
    unit = {"ml": "ML", "g": "G", "m": "M"}.get(unit_of(good.kind.form), "EA")
    pack = f":PACK{good.count}" if good.count > 1 else ":EA" if good.kind.department == "liquor" else ""
    return f"{brand_sent(line)} {good.words} {good.size}{unit}{pack}".strip().upper()


def shelf_of(line: Line, now: int, state: State) -> tuple[Cup, str] | None:
    """The shelf's unit price and its text; None where there is no unit price."""
    good, form, lot = line.good, line.good.kind.form, lot_of(line)
    if good.weighed:
        shelf = cup(int(state.offers.price[line.index]), 1000, "g", 1000)
        unit = "1kgM" if lot % 97 == 0 else "1kg"
    elif lot >= 955:
        return None
    else:
        measure, unit = _measure(line)
        shelf = cup(now, good.amount, unit_of(form), measure)
    number = f"{shelf.number:,.2f}"
    return shelf, f"${number} per {unit}" if lot % 25 == 7 else f"${number}/ {unit}"


def _measure(line: Line) -> tuple[int, str]:
    form, kind, amount = line.good.kind.form, line.good.kind, line.good.amount
    if form in ("ea", "sheets"):
        return (100, "100ea") if form == "sheets" or amount >= 50 else (1, "1ea")
    if form == "m":
        return 1, "1M"
    if unit_of(form) == "ml":
        return (1000, "1L") if kind.department in ("drinks", "dairy", "liquor") else (100, "100mL")
    return (1000, "1kg") if kind.department in ("fruit", "meat") else (100, "100g")


def prices_of(line: Line, state: State) -> tuple[int, int | None]:
    """Cents now and before a special for one pack; estimated for weighed goods."""
    now, was = prices(state, line.index, pack_grams(line))
    return now, was if was > now else None


def unpriced(line: Line, state: State) -> bool:
    """pricing is null: most of the lines that are out of stock, others keep their price."""
    return not state.available[line.index] and lot_of(line) % 3 != 0


def offer_of(line: Line, state: State) -> tuple[int, int, str | None, bool] | None:
    """(quantity, total cents, offer id, members only): lines of one leaf with the same terms share the offer. A few
    are sent in words alone, without an id."""
    quantity, total, members = multibuy(state, line.index)
    if quantity < 0:
        return None
    terms = f"{line.good.kind.leaf}:{quantity}:{total}:{members}"
    number = str(700_000_000 + int(opaque(terms, 6), 16))
    return quantity, total, number if lot_of(line) % 11 else None, members


def truth(world: "World", store: Store, day: int, line: Line, state: State) -> dict[str, Any]:
    """What a correct crawl stores of the line; shape as World.truth has it. Barcodes stand on product pages only."""
    row = blank("Coles", store.store_code, line)
    codes = [code for code in (line.barcode or "").split(",") if code]
    kept = [barcodes.kept(code, line.sku) for code in codes]
    row["gtin"] = None
    row["acceptable"]["gtin"] = [None, *[code for code in kept if code]]
    tree = world.tree("coles")
    paths = tree.leads.get(line.index, [])
    size = size_text(line)
    row.update(
        name=line.good.words,
        brand=brand_sent(line) or None,
        size=size or None,
        category_path=tree.best(line.index),
        category_paths=[*paths, ()] if displaced(line) else paths,
        is_estimated=line.good.weighed,
        is_available=bool(state.available[line.index]),
        offer_id=None,
        advert_only=displaced(line),
    )
    if not size:
        row["acceptable"]["size"] = [None, till_text(line), till_text(line).rpartition(" ")[2]]
    if line.good.weighed:
        row["typical_grams"] = pack_grams(line)
        row["acceptable"]["typical_grams"] = [pack_grams(line), line.good.size] if unpriced(line, state) else []
    if unpriced(line, state):
        row["acceptable"]["is_estimated"] = [True, False]
        return row
    now, was = prices_of(line, state)
    shelf = shelf_of(line, now, state)
    put_price(row, now, was, shelf[0] if shelf else None)
    if shelf and shelf[1].endswith("kgM"):
        row["acceptable"].update(unit_price=[row["unit_price"], None], unit_of_measure=["kg", None])
    put_offers(row, state, line.index)
    row["offer_id"] = (offer_of(line, state) or (0, 0, None))[2]
    return row
