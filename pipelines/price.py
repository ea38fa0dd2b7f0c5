"""Stage 300: price, special and multibuys agree with each other; a listing without a price carries no offer."""

from pipelines.stage import Stage
from splitcart_spiders.items import ProductItem

_MULTIBUY = ("multibuy_quantity", "multibuy_total_cents")
_MEMBERS = ("member_multibuy_quantity", "member_multibuy_total_cents")
_NAMED = ("offer_id", "offer_kind")
_OFFER = ("was_price_cents", "member_price_cents", *_MULTIBUY, *_MEMBERS, *_NAMED)
_UNIT = ("unit_price", "unit_of_measure", "shelf_unit_price", "shelf_unit_measure")


class PricePipeline(Stage):
    """Repairs and counts contradictions, and counts the offers that are kept; the price itself is never changed."""

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
        self._multibuy(item, "multibuy", _MULTIBUY, item.price_cents)
        self._multibuy(item, "member_multibuy", _MEMBERS, item.member_price_cents or item.price_cents)
        if item.multibuy_quantity is None and item.member_multibuy_quantity is None:
            _clear(item, _NAMED)
        if item.member_price_cents is not None:
            self.count("member_price")
        return item

    def _multibuy(self, item: ProductItem, kind: str, pair: tuple[str, str], single: int) -> None:
        """Check one of the two multibuys; `single` is what one costs those who may buy it."""
        quantity, total = (getattr(item, field) for field in pair)
        if fault := _fault(quantity, total, single, is_named=item.offer_kind == kind):
            self.count(f"{kind}_{fault}")
            _clear(item, pair)
        elif quantity is not None:
            self.count(kind)

    def _without_price(self, item: ProductItem) -> ProductItem:
        self.count("unpriced")
        item.is_available = item.is_on_special = False
        _clear(item, (*_OFFER, *_UNIT))
        return item


def _clear(item: ProductItem, fields: tuple[str, ...]) -> None:
    for field in fields:
        setattr(item, field, None)


def _fault(quantity: int | None, total: int | None, single: int, *, is_named: bool) -> str | None:
    """Why a multibuy is not accepted: half of it is missing, it is for one only, or it is not cheaper than as many
    singles.

    is_named: whether the item names such a multibuy.
    """
    if quantity is None and total is None:
        return "incomplete" if is_named else None
    if quantity is None or total is None:
        return "incomplete"
    if quantity < 2 or total <= 0:
        return "absurd"
    return "not_better" if total >= quantity * single else None
