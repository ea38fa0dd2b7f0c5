"""Stage 300: price, special and multibuy agree with each other; a listing without a price carries no offer."""

from pipelines.stage import Stage
from splitcart_spiders.items import ProductItem

_MULTIBUY = ("multibuy_quantity", "multibuy_total_cents", "offer_id", "offer_kind")
_OFFER = ("was_price_cents", "member_price_cents", *_MULTIBUY)
_UNIT = ("unit_price", "unit_of_measure", "shelf_unit_price", "shelf_unit_measure")


class PricePipeline(Stage):
    """Repairs and counts contradictions; the price itself is never changed."""

    name = "price"

    def process(self, item: ProductItem) -> ProductItem:
        if item.price_cents is None:
            return self._without_price(item)
        if item.was_price_cents is not None and item.was_price_cents <= item.price_cents:
            self.count("was_not_above")
            item.was_price_cents = None
        item.is_on_special = item.was_price_cents is not None
        if item.member_price_cents is not None and item.member_price_cents >= item.price_cents:
            self.count("member_price_not_below")
            item.member_price_cents = None
        fault = _multibuy_fault(item)
        if fault:
            self.count(fault)
            for field in _MULTIBUY:
                setattr(item, field, None)
        return item

    def _without_price(self, item: ProductItem) -> ProductItem:
        self.count("unpriced")
        item.is_available = item.is_on_special = False
        for field in (*_OFFER, *_UNIT):
            setattr(item, field, None)
        return item


def _multibuy_fault(item: ProductItem) -> str | None:
    """Why the multibuy is none: half of it missing, for one only, or not cheaper than as many singles."""
    quantity, total = item.multibuy_quantity, item.multibuy_total_cents
    if quantity is None and total is None:
        return "multibuy_incomplete" if item.offer_kind == "multibuy" else None
    if quantity is None or total is None:
        return "multibuy_incomplete"
    if quantity < 2 or total <= 0:
        return "multibuy_absurd"
    assert item.price_cents is not None
    return "multibuy_not_better" if total >= quantity * item.price_cents else None
