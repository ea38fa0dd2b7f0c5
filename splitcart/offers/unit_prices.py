"""The shelf's unit price, converted to dollars per kg, l, m or ea; it is never recomputed from price and size."""

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, Literal

from splitcart.money import to_decimal
from splitcart.patterns import IGNORE_CASE, Pattern
from splitcart.sizes.packs import Size
from splitcart.sizes.units import COUNT_WORDS, MEASURE_WORDS, UNITS, BaseUnit

PriceUnit = Literal["kg", "l", "m", "ea"]
Agreement = Literal["agrees", "conflict", "unknown"]

ESTIMATE_TOLERANCE = Decimal("0.05")
_MAX_TEXT = 60
_BASE: dict[str, tuple[PriceUnit, Decimal]] = {
    "g": ("kg", Decimal(1000)),
    "ml": ("l", Decimal(1000)),
    "m": ("m", Decimal(1)),
    "ea": ("ea", Decimal(1)),
}
_SMALLER: dict[PriceUnit, BaseUnit] = {"kg": "g", "l": "ml"}
_MEASURE = Pattern(
    rf"(?:per\s*|/\s*)?((?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{1,6}})(?:\.[0-9]{{1,4}})?)?\s*"
    rf"(?:[a-z]{{2,15}} (?=(?:{COUNT_WORDS})(?![a-z])))??"  # `per tea bag`, `per wash load`
    rf"({MEASURE_WORDS}|{COUNT_WORDS})(?![a-z])\.?(?:\s+(?:punnet|pack|bag|tray|each|bunch|charged))?",
    _MAX_TEXT,
)
_TEXT = Pattern(
    r"(?:\$\s*([0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)|([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*(?:cents?|c|¢))"
    r"\s*((?:/|per(?![a-z])|each|ea(?![a-z])).*)",
    _MAX_TEXT,
    IGNORE_CASE,
)
_PER = Pattern(r"^(?:/|per(?![a-z]))\s*", _MAX_TEXT, IGNORE_CASE)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """`e4` ten-thousandths of a dollar per `unit`."""

    e4: int
    unit: PriceUnit
    measure: Decimal = field(default=Decimal(1), compare=False)
    """How many units the shelf's own measure is: 0.1 for `100G`. The smaller the measure, the more one last digit of
    the shelf's number is worth per unit."""
    noun: str = field(default="", compare=False)
    """What the shelf counts if unit is `ea`: sheet, roll, tablet; empty for each."""

    @property
    def dollars(self) -> float:
        return self.e4 / 10_000


def convert(number: object, measure: object) -> UnitPrice | None:
    """Dollars `number` (0.74, "0.74", "$0.74") per `measure` (`100G`, `per 1 kg`, `125G Punnet`, `100 sheets`).

    None if either has no meaning (`0`, ``, `kgM`, a price of 0). Never raises.
    """
    dollars, parsed = to_decimal(number), _measure(measure)
    if not dollars or parsed is None:
        return None
    amount, unit, noun = parsed
    e4 = int((dollars * 10_000 / amount).to_integral_value(ROUND_HALF_EVEN))
    return UnitPrice(e4, unit, amount, noun) if 0 < e4 < 2**62 else None


def split(text: object) -> tuple[str, str] | None:
    """Dollars and measure of a shelf text: `$4.38/ 100g` -> (`4.38`, `100g`), `62c each` -> (`0.62`, `each`)."""
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        return None
    match = _TEXT.fullmatch(" ".join(text.split()).strip())
    if match is None:
        return None
    number = match[1].replace(",", "") if match[1] else f"{Decimal(match[2]) / 100:f}"
    measure = _PER.sub("", match[3]).strip()
    return (number, measure) if measure and to_decimal(number) is not None else None


def from_text(text: object) -> UnitPrice | None:
    """The unit price in a shelf text (`$40.00 per 1kg`), or None. Never raises."""
    parts = split(text)
    return None if parts is None else convert(*parts)


def check(
    price_cents: int | None,
    size: Size | None,
    unit_price: UnitPrice | None,
    *,
    estimated: bool = False,
    shelf_digits: int = 2,
) -> Agreement:
    """Whether the shelf's unit price is price over size, within one last digit of the shelf's number.

    `shelf_digits`: the decimals of that number, taken for at least 2, because JSON drops zeros that the shelf prints.
    Estimates and approximate sizes may differ by 5%. A range agrees with any weight in it, because the price may be
    that of the heaviest, a typical or the lightest piece. `unknown`: one of them is None, or the two do not measure the
    same thing (packs against sheets or kg). But kg against ml is a conflict, and so is the unit price of a pack of 6
    that took the 6 for grams.
    """
    if price_cents is None or size is None or unit_price is None:
        return "unknown"
    if not _same_thing(size, unit_price):
        rules = {"estimated": estimated, "shelf_digits": shelf_digits}
        return "conflict" if _is_mistaken(price_cents, size, unit_price, rules) else "unknown"
    per_size = Decimal(price_cents * 100) * _BASE[size.unit][1]
    least, most = per_size / size.total, per_size / ((size.low or size.amount) * size.count)
    digit = Decimal(10) ** (4 - max(2, min(4, shelf_digits))) / unit_price.measure
    allowed = digit + Decimal("0.5")  # e4 itself is rounded
    if estimated or size.approx:
        allowed = max(allowed, least * ESTIMATE_TOLERANCE)
    return "agrees" if least - allowed <= unit_price.e4 <= most + allowed else "conflict"


def weighs(price_cents: int, grams: int, unit_price: UnitPrice) -> bool:
    """Whether `grams` cost `price_cents` at the shelf's unit price, within a cent and the shelf's own rounding."""
    allowed = 100_000 + grams * 50 / unit_price.measure
    return unit_price.unit == "kg" and abs(price_cents * 100_000 - unit_price.e4 * grams) <= allowed


def per_unit(cents: Decimal, size: Size) -> UnitPrice:
    """Price over size, for a shelf without a unit price."""
    unit, base = _BASE[size.unit]
    return UnitPrice(int((cents * 100 * base / size.total).to_integral_value(ROUND_HALF_EVEN)), unit, noun=size.noun)


def _measure(measure: object) -> tuple[Decimal, PriceUnit, str] | None:
    """Amount in price units, the unit, and what is counted."""
    return _measured(measure) if isinstance(measure, str) and len(measure) <= _MAX_TEXT else None


@lru_cache(maxsize=1024)
def _measured(measure: str) -> tuple[Decimal, PriceUnit, str] | None:
    match = _MEASURE.fullmatch(" ".join(measure.casefold().split()))
    if match is None:
        return None
    unit = UNITS[match[2]]
    name, base = _BASE[unit.base]
    amount = Decimal((match[1] or "1").replace(",", "")) * unit.scale / base
    return (amount, name, unit.noun) if amount > 0 else None


def _is_mistaken(price_cents: int, size: Size, unit_price: UnitPrice, rules: dict[str, Any]) -> bool:
    """Whether a unit price in another measure than the size's is certainly wrong."""
    if size.unit != "ea":
        return unit_price.unit != "ea"
    counted = _SMALLER.get(unit_price.unit)
    as_measure = replace(size, unit=counted) if counted else None
    return check(price_cents, as_measure, unit_price, **rules) == "agrees"


def _same_thing(size: Size, unit_price: UnitPrice) -> bool:
    """Whether size and unit price measure the same thing, so that they can be compared."""
    if _BASE[size.unit][0] != unit_price.unit:
        return False
    if size.unit != "ea" or (unit_price.noun and size.noun == unit_price.noun):
        return True
    if unit_price.noun:
        return False
    return size.total >= unit_price.measure  # `100ea` of a `12 pack` are sheets, not packs
