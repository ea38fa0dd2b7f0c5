"""One item of a shopping list and how much of it: `2 x gtin:9300675024235`, `800 g bananas`."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from splitcart import gtin
from splitcart.cart import readers
from splitcart.cart.slots import MAX_GRAMS, MAX_UNITS
from splitcart.patterns import IGNORE_CASE, Pattern

QUANTITY = Pattern(r"([-+]?[0-9][0-9.,]*) (x|kg|g)(?: (.*))?", most=2000, flags=IGNORE_CASE)
REFERENCE = Pattern(r"([A-Za-z][A-Za-z0-9_-]*):(\S*)", most=2000)
SKU = Pattern(r"[A-Za-z0-9._-]{1,64}", most=64)
_COUNT = Pattern(r"[0-9]{1,9}", most=9)
_WEIGHT = Pattern(r"[0-9]{1,9}(\.[0-9]{1,9})?", most=19)
_PRODUCT = Pattern(r"0*[1-9][0-9]{0,17}", most=100)
AMOUNTS = f"a whole number from 1 to {MAX_UNITS} and ` x `, or a weight such as `1.5 kg ` or `800 g `, then an item"
ITEMS = "gtin:DIGITS, product:NUMBER, COMPANY:SKU or a product's exact name"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One item and how much of it. `kind` is that of `key`: gtin (14 digits), product (its number), sku, name
    (folded)."""

    item: str
    """The item as it was written, without its quantity."""
    kind: str
    key: str
    quantity: int = 1
    quantity_unit: str | None = None
    """None: packs or pieces; `g`: grams."""
    company: str | None = None
    """The company of a sku."""


def fold(name: str) -> str:
    """The name casefolded, as names are compared."""
    return name.casefold()


def amount_of(text: str) -> tuple[int, str | None]:
    """`2 x` as (2, None), `1.5 kg` as (1500, "g"). ValueError: any other text, or an amount beyond the limits."""
    match = QUANTITY.fullmatch(text)
    unit = match[2].lower() if match and not match[3] else ""
    digits = match[1] if match else ""
    if unit == "x" and _COUNT.fullmatch(digits) and 1 <= int(digits) <= MAX_UNITS:
        return int(digits), None
    if unit in {"kg", "g"} and _WEIGHT.fullmatch(digits):
        grams = Decimal(digits) * (1000 if unit == "kg" else 1)
        if grams == int(grams) and 1 <= grams <= MAX_GRAMS:
            return int(grams), "g"
    raise ValueError(f"the quantity `{text[:40]}` is not accepted; give {AMOUNTS}; at most {MAX_GRAMS} whole grams")


def read_item(text: str, companies: Collection[str], names: frozenset[str]) -> Wanted:
    """The item in a text without a quantity; `names` are known products. ValueError: no item, or a malformed
    reference."""
    if not text:
        raise ValueError(f"an item is missing; give {ITEMS}")
    item = readers.text(text, "item")
    reference = None if fold(item) in names else REFERENCE.fullmatch(item)
    if reference is None:
        return Wanted(item, "name", fold(item))
    prefix, rest = reference[1].casefold(), reference[2]
    if prefix == "gtin":
        return Wanted(item, "gtin", gtin.normalise(rest) or _refused(item, "a barcode of 8, 12, 13 or 14 digits"))
    if prefix == "product":
        number = rest if _PRODUCT.fullmatch(rest) else _refused(item, "product:NUMBER")
        return Wanted(item, "product", str(int(number)))
    if prefix not in companies:
        _refused(item, f"gtin:, product: or one of the companies {', '.join(sorted(companies))}")
    sku = rest if SKU.fullmatch(rest) else _refused(item, f"{prefix}:SKU, letters and digits")
    return Wanted(item, "sku", sku, company=prefix)


def _refused(item: str, accepted: str) -> NoReturn:
    raise ValueError(f"the item `{item[:80]}` is not accepted; give {accepted}")
