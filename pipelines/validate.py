"""Stage 100: an item has what every later stage relies on, in type and in bounds."""

from collections.abc import Callable

from pipelines.stage import Stage
from splitcart_spiders.items import ProductItem

HIGHEST_CENTS = 10_000_000
LONGEST_ID = 64
_REQUIRED = ("company", "store_id", "sku", "name")
_TEXTS = ("brand", "gtin", "size", "unit_of_measure", "offer_id", "offer_kind", "url", "image_url")
_TRANSIT = ("shelf_unit_price", "shelf_unit_measure")
_CENTS = ("was_price_cents", "multibuy_total_cents", "member_price_cents")
_FLAGS = {"is_estimated": False, "is_on_special": False, "is_available": True, "is_ranged": True, "sponsored": False}


class ValidatePipeline(Stage):
    """Drops what lacks a required field or has an impossible price; clears any other field that cannot be true."""

    name = "validate"

    def process(self, item: ProductItem) -> ProductItem:
        for field in _REQUIRED:
            if not _is_text(getattr(item, field)) or not getattr(item, field).strip():
                self.drop(f"no_{field}", item)
        if len(item.sku) > LONGEST_ID or len(item.store_id) > LONGEST_ID:
            self.drop("bad_id", item)
        if item.price_cents is not None and not _is_whole(item.price_cents, HIGHEST_CENTS):
            self.drop("bad_price", item)
        if item.price_basis not in ("each", "kg"):
            self.drop("bad_price_basis", item)
        if item.scraped_at is None or item.scraped_at.tzinfo is None:
            self.drop("no_time", item)
        self._clear(item, (*_TEXTS, *_TRANSIT), _is_text)
        self._clear(item, _CENTS, lambda value: _is_whole(value, HIGHEST_CENTS))
        self._clear(item, ("typical_grams",), lambda value: _is_whole(value, 1_000_000))
        self._clear(item, ("multibuy_quantity",), lambda value: _is_whole(value, 1000))
        for field, default in _FLAGS.items():
            if not isinstance(getattr(item, field), bool):
                self.count(f"cleared_{field}")
                setattr(item, field, default)
        if not (isinstance(item.category_path, tuple) and all(map(_is_text, item.category_path))):
            self.count("cleared_category_path")
            item.category_path = ()
        return item

    def _clear(self, item: ProductItem, fields: tuple[str, ...], holds: Callable[[object], bool]) -> None:
        for field in fields:
            if getattr(item, field) is not None and not holds(getattr(item, field)):
                self.count(f"cleared_{field}")
                setattr(item, field, None)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= highest
