"""Stage 600: one listing once. An advertised row stands until the organic row comes; staging keeps the last organic."""

from dataclasses import dataclass

from pipelines.stage import Stage, Stats
from splitcart_spiders.items import ProductItem

_OFFER = (
    *("price_cents", "was_price_cents", "price_basis", "typical_grams", "is_estimated", "is_available", "is_ranged"),
    *("unit_price", "unit_of_measure", "offer_id", "offer_kind", "multibuy_quantity", "multibuy_total_cents"),
    *("member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"),
)


@dataclass(slots=True)
class _Seen:
    sponsored: bool
    offer: int
    category_path: tuple[str, ...]


class DuplicatesPipeline(Stage):
    """Drops and counts repeats; lets through what changes the offer or first gives a category."""

    name = "duplicates"

    def __init__(self, stats: Stats) -> None:
        super().__init__(stats)
        self._seen: dict[tuple[str, str, str], _Seen] = {}

    def process(self, item: ProductItem) -> ProductItem:
        key = (item.company, item.store_id, item.sku)
        seen, offer = self._seen.get(key), hash(tuple(getattr(item, field) for field in _OFFER))
        if item.sponsored:
            item.category_path = ()
        if seen is not None:
            self._judge(item, seen, offer)
        path = seen.category_path if seen and seen.category_path else item.category_path
        if not item.sponsored:
            item.category_path = path
        self._seen[key] = _Seen(item.sponsored, offer, path)
        return item

    def _judge(self, item: ProductItem, seen: _Seen, offer: int) -> None:
        if item.sponsored and not seen.sponsored:
            self.drop("advertised_after_organic", item)
        if seen.sponsored and not item.sponsored:
            self.count("organic_replaces_advertised")
        elif offer != seen.offer:
            self.count("changed_offer")
        elif item.sponsored:
            self.drop("advertised_again", item)
        elif seen.category_path or not item.category_path:
            self.drop("organic_again", item)
