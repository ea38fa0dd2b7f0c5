"""Stage 400: the shelf's unit price in dollars per kg, l, m or ea; never recomputed, and the price never touched."""

from dataclasses import replace
from decimal import Decimal

from pipelines.stage import Stage
from splitcart import sizes, unit_prices
from splitcart_spiders.items import ProductItem

_KILOGRAM = sizes.Size(Decimal(1000), "g")


class UnitPricePipeline(Stage):
    """Converts the shelf's number and measure, and lets no unit price stand that contradicts price over size."""

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

    def _agreed(self, item: ProductItem, shelf: unit_prices.UnitPrice, digits: int) -> unit_prices.UnitPrice | None:
        """The shelf's word; in a conflict a thousandth of it, where that agrees (a measure of `1g` that means a
        kilogram, `1ml` a litre), and else none."""
        size = _KILOGRAM if item.price_basis == "kg" else sizes.parse(item.size)
        if not _conflicts(item, size, shelf, digits):
            return shelf
        self.count("conflict")
        thousandth = replace(shelf, e4=shelf.e4 // 1000, measure=shelf.measure * 1000)
        if shelf.measure <= Decimal("0.001") and not _conflicts(item, size, thousandth, digits):
            self.count("repaired_measure")
            return thousandth
        self.count("cleared_unit_price")
        return None


def _conflicts(item: ProductItem, size: sizes.Size | None, shelf: unit_prices.UnitPrice, digits: int) -> bool:
    agreement = unit_prices.check(item.price_cents, size, shelf, estimated=item.is_estimated, shelf_digits=digits)
    return agreement == "conflict"
