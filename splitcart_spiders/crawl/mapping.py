"""How a mapping is called, and how it refuses a record: the same for every chain."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from splitcart_spiders.crawl import fields
from splitcart_spiders.items import Drop, ProductItem
from splitcart_spiders.storefront import ToItem


@dataclass(frozen=True, slots=True)
class Seen:
    """Where and when a record was seen."""

    store_code: str
    """The chain's own id of the store."""
    now: datetime
    """UTC, aware."""
    category_path: tuple[str, ...] = ()
    """Names from the root to the category whose listing has the record."""
    sponsored: bool | None = None
    """Whether the record is an advertisement; None: the record decides."""

    def is_sponsored(self, by_record: bool) -> bool:
        """Whether the record is an advertisement; by_record: what it shows itself."""
        return by_record if self.sponsored is None else self.sponsored


def mapping(read: Callable[..., ProductItem | Drop]) -> ToItem:
    """Decorator: makes the chain's `to_item` of `read(raw, seen)`, which gets a JSON object and may raise Refused."""

    def to_item(
        record: object,
        *,
        store_id: str,
        now: datetime,
        category_path: tuple[str, ...] = (),
        sponsored: bool | None = None,
        **options: bool,
    ) -> ProductItem | Drop:
        """The item of one record, or why there is none. Never raises."""
        try:
            return read(fields.record(record), Seen(store_id, now, category_path, sponsored), **options)
        except fields.Refused as refusal:
            return Drop(refusal.reason)

    return to_item
