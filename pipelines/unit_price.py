"""Stage 400: the shelf's unit price in dollars per kg, l, m or ea; never recomputed, and the price never touched."""

from dataclasses import replace
from decimal import Decimal

from pipelines.stage import Stage
from splitcart.offers import unit_prices
from splitcart.offers.unit_prices import Agreement, UnitPrice
from splitcart.sizes import packs
from splitcart.sizes.packs import Size
from splitcart_spiders.items import ProductItem

_KILOGRAM = Size(Decimal(1000), "g")


class UnitPricePipeline(Stage):
    """Converts the shelf's number and measure, and clears a unit price that contradicts price over size."""

    name = "unit_price"

    def process(self, item: ProductItem) -> ProductItem:
        number, measure = item.shelf_unit_price, item.shelf_unit_measure
        item.shelf_unit_price = item.shelf_unit_measure = item.unit_price = item.unit_of_measure = None
        if item.price_cents is None or number is None:
            return item
        shelf = unit_prices.convert(number, measure)
        if shelf is None:
            self.count("unknown_measure")
            return item
        shelf = self._agreed(item, shelf, len(number.partition(".")[2]))
        if shelf is not None:
            item.unit_price, item.unit_of_measure = shelf.dollars, shelf.unit
        return item

    def _agreed(self, item: ProductItem, shelf: UnitPrice, digits: int) -> UnitPrice | None:
        """The shelf's unit price if it agrees with the size, or with the size in the name; else a thousandth of it if
        that agrees (a measure of `1g` that means a kilogram, `1ml` a litre); else None."""
        size = _priced_size(item)
        if _agreement(item, size, shelf, digits) != "conflict":
            return shelf
        self.count("conflict")
        if item.price_basis != "kg" and any(
            _agreement(item, other, shelf, digits) == "agrees" for other in packs.in_name(item.name or "", item.size)
        ):
            self.count("agrees_with_the_name")
            return shelf
        thousandth = replace(shelf, e4=shelf.e4 // 1000, measure=shelf.measure * 1000)
        if shelf.measure <= Decimal("0.001") and _agreement(item, size, thousandth, digits) != "conflict":
            self.count("repaired_measure")
            return thousandth
        self.count("cleared_unit_price")
        return None


def _agreement(item: ProductItem, size: Size | None, shelf: UnitPrice, digits: int) -> Agreement:
    return unit_prices.check(item.price_cents, size, shelf, estimated=item.is_estimated, shelf_digits=digits)


def _priced_size(item: ProductItem) -> Size | None:
    """The amount that the price buys: a kilogram, the weight from which it was estimated, else the size."""
    if item.price_basis == "kg":
        return _KILOGRAM
    if item.is_estimated and item.typical_grams:
        return Size(Decimal(item.typical_grams), "g")
    return packs.stated(item.size, item.name)
