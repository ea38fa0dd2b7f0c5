"""Stage 100: every field on which later stages rely is there, of its type and within bounds."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TypeGuard

from pipelines.stage import Stage
from splitcart.patterns import Pattern
from splitcart_spiders.items import ProductItem

HIGHEST_CENTS = 10_000_000
_ID = Pattern(r"\s*[!-~]{1,64}\s*", most=200)
_REQUIRED = ("company", "store_id", "sku")
_TEXTS = ("brand", "gtin", "size", "unit_of_measure", "offer_id", "offer_kind", "url", "image_url", "category_key")
_SHELF = ("shelf_unit_price", "shelf_unit_measure")
_CENTS = ("was_price_cents", "multibuy_total_cents", "member_price_cents", "member_multibuy_total_cents")
_FLAGS = {
    "is_unreadable": False,
    "is_estimated": False,
    "is_on_special": False,
    "is_available": True,
    "is_ranged": True,
    "sponsored": False,
}


class ValidatePipeline(Stage):
    """Drops what lacks a required field; clears any other field that cannot be true.

    A row whose name or price cannot be true is kept as unreadable: it was listed.
    """

    name = "validate"

    def process(self, item: ProductItem) -> ProductItem:
        for field in _REQUIRED:
            if not _is_text(getattr(item, field)) or not getattr(item, field).strip():
                self.drop(f"no_{field}", item)
        if not (_ID.fullmatch(item.sku) and _ID.fullmatch(item.store_id)):
            self.drop("bad_id", item)
        if item.name is not None and not (_is_text(item.name) and item.name):
            self.count("no_name")
            item.name = None
        item.is_unreadable = item.name is None or item.is_unreadable
        if item.price_cents is not None and not _is_whole(HIGHEST_CENTS, item.price_cents):
            self.count("bad_price")
            item.price_cents, item.is_unreadable = None, True
        if item.price_basis not in ("each", "kg"):
            self.drop("bad_price_basis", item)
        if not isinstance(item.scraped_at, datetime) or item.scraped_at.tzinfo is None:
            self.drop("no_time", item)
        for value, (field, (holds, default)) in zip(_optional(item), _OPTIONAL.items(), strict=True):
            if value is not default and not holds(value):
                self.count(f"cleared_{field}")
                setattr(item, field, default)
        return item


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_whole(highest: int, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= highest


_OPTIONAL: dict[str, tuple[Callable[[object], bool], object]] = {
    **dict.fromkeys((*_TEXTS, *_SHELF), (_is_text, None)),
    **dict.fromkeys(_CENTS, (partial(_is_whole, HIGHEST_CENTS), None)),
    "typical_grams": (partial(_is_whole, 1_000_000), None),
    **dict.fromkeys(("multibuy_quantity", "member_multibuy_quantity"), (partial(_is_whole, 1000), None)),
    **{field: (lambda value: isinstance(value, bool), default) for field, default in _FLAGS.items()},
    "category_path": (lambda value: isinstance(value, tuple) and all(map(_is_text, value)), ()),
}
_optional = attrgetter(*_OPTIONAL)
