"""Stage 600: drops repeats. An organic row replaces an advertised one; staging keeps the last organic row."""

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
    """The state of a listing after the rows seen so far."""

    sponsored: bool
    """Every row was an advertisement."""
    has_no_price: bool
    """The price could be read in no row."""
    has_no_name: bool
    """The name could be read in no row."""
    offer: int
    """The hash of the offer of the last row."""
    category_path: tuple[str, ...]


class DuplicatesPipeline(Stage):
    """Drops and counts repeats; passes a row that changes the offer, or is the first with a category, name or price."""

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
        self._seen[key] = _Seen(
            sponsored=item.sponsored and (seen is None or seen.sponsored),
            has_no_price=_has_no_price(item) and (seen is None or seen.has_no_price),
            has_no_name=item.name is None and (seen is None or seen.has_no_name),
            offer=offer,
            category_path=path,
        )
        return item

    def _judge(self, item: ProductItem, seen: _Seen, offer: int) -> None:
        if seen.has_no_name and item.name is not None:
            self.count("readable_at_last")  # a row without a name is staged for a known sku only
        elif seen.has_no_price and not _has_no_price(item):
            self.count("readable_at_last")
        elif item.sponsored and not seen.sponsored:
            self.drop("advertised_after_organic", item)
        elif _has_no_price(item) and not seen.has_no_price and item.sponsored == seen.sponsored:
            self.drop("unreadable_again", item)
        elif seen.sponsored and not item.sponsored:
            self.count("organic_replaces_advertised")
        elif offer != seen.offer:
            self.count("changed_offer")
        elif item.sponsored:
            self.drop("advertised_again", item)
        elif seen.category_path or not item.category_path:
            self.drop("organic_again", item)


def _has_no_price(item: ProductItem) -> bool:
    return item.is_unreadable and item.price_cents is None
