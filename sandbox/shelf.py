"""Unit prices as shelves print them, and the truth that follows from them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from sandbox.goods import barcodes

if TYPE_CHECKING:
    from sandbox.goods.good import Line
    from sandbox.pricing import State

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Cup:
    """A shelf's unit price: `number` dollars for `measure` of `unit` (g, ml, ea or m)."""

    number: Decimal
    measure: int
    unit: str

    def standard(self) -> tuple[float, str]:
        """Dollars per kg, l, m or ea with 4 decimals: the printed number converted."""
        per = 1000 if self.unit in ("g", "ml") else 1
        value = (self.number * per / self.measure).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        return float(value), {"g": "kg", "ml": "l"}.get(self.unit, self.unit)


def cup(cents: int, amount: int, unit: str, measure: int) -> Cup:
    """The price of `amount` units as a shelf prints it for `measure` of them, rounded half up to a cent."""
    number = (Decimal(cents) * measure / amount / 100).quantize(CENT, ROUND_HALF_UP)
    return Cup(number, measure, unit)


def unit_of(form: str) -> str:
    """g, ml, ea or m."""
    if form in ("ml", "xml"):
        return "ml"
    return "m" if form == "m" else "ea" if form in ("ea", "sheets") else "g"


def pack_price(per_kg: int, grams: int) -> int:
    """Cents for a pack of uneven weight, half up."""
    return (per_kg * grams + 500) // 1000


def metric(size: int, unit: str) -> str:
    """A size as Woolworths and Coles print it, in the larger unit from 1000 on: `1.5kg`, `600mL`."""
    if size >= 1000 and unit in ("g", "mL"):
        return f"{Decimal(size) / 1000:f}".rstrip("0").rstrip(".") + ("kg" if unit == "g" else "L")
    return f"{size}{unit}"


def prices(state: "State", index: int, grams: int) -> tuple[int, int]:
    """Cents now and before a special (-1: none) of one unit; of a pack of so many grams where `grams` is not 0."""
    now, was = int(state.offers.price[index]), int(state.offers.was[index])
    if grams:
        now, was = pack_price(now, grams), pack_price(was, grams) if was >= 0 else -1
    return now, was


def multibuy(state: "State", index: int) -> tuple[int, int, bool]:
    """Quantity and total of a line's multibuy (-1: none), and whether it is for members only."""
    offers = state.offers
    if offers.member_quantity[index] > 0:
        return int(offers.member_quantity[index]), int(offers.member_total[index]), True
    return int(offers.quantity[index]), int(offers.total[index]), False


def blank(company: str, store_code: str, line: "Line") -> dict[str, Any]:
    """A truth row with everything that does not depend on the day; the chain's own values replace the rest."""
    readings = barcodes.readings(line.barcode, line.sku)
    acceptable: dict[str, list[Any]] = {"gtin": readings} if len(readings) > 1 else {}
    return {
        "company": company,
        "store_id": store_code,
        "sku": line.sku,
        "name": "",
        "brand": line.brand or None,
        "gtin": readings[0],
        "size": None,
        "price_cents": None,
        "was_price_cents": None,
        "price_basis": "each",
        "typical_grams": None,
        "is_estimated": False,
        "is_on_special": False,
        "is_available": True,
        "is_ranged": True,
        "unit_price": None,
        "unit_of_measure": None,
        "offer_kind": None,
        "multibuy_quantity": None,
        "multibuy_total_cents": None,
        "member_price_cents": None,
        "member_multibuy_quantity": None,
        "member_multibuy_total_cents": None,
        "category_path": (),
        "category_paths": [],
        "acceptable": acceptable,
        "promo_only": line.promo_only,
    }


def put_offers(row: dict[str, Any], state: "State", index: int) -> None:
    """Sets the multibuys and the members' price of a row."""
    offers = state.offers
    for name, quantity, total in (
        ("multibuy", offers.quantity, offers.total),
        ("member_multibuy", offers.member_quantity, offers.member_total),
    ):
        if quantity[index] > 0:
            values = {f"{name}_quantity": int(quantity[index]), f"{name}_total_cents": int(total[index])}
            row.update(values, offer_kind=name)
    if offers.member[index] >= 0:
        row["member_price_cents"] = int(offers.member[index])


def put_price(row: dict[str, Any], now: int, was: int | None, shelf: Cup | None) -> None:
    """Sets the price, the price before a special, and the shelf's unit price of a row."""
    row["price_cents"] = now
    row["was_price_cents"] = was if was is not None and was > now else None
    row["is_on_special"] = row["was_price_cents"] is not None
    if shelf is not None:
        row["unit_price"], row["unit_of_measure"] = shelf.standard()
