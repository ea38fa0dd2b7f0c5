"""What every stage shares: products only, and each drop and repair counted under splitcart/<stage>/<event>."""

from typing import Any, NoReturn, Protocol, Self

from scrapy.exceptions import DropItem

from splitcart_spiders.items import ProductItem


class Stats(Protocol):
    """The part of a statistics collector that the stages need; scripts/replay.py brings its own."""

    def inc_value(self, key: str, count: int = 1, start: int = 0) -> None: ...


class Dropped(DropItem):
    """Raised by a stage for an item that goes no further; `stage` and `reason` are what was counted."""

    def __init__(self, stage: str, reason: str, sku: str) -> None:
        super().__init__(f"{stage}: {reason}: sku {sku!r:.60}", log_level="DEBUG")
        self.stage = stage
        self.reason = reason


class Stage:
    """One concern of the pipeline. A subclass names itself and works on one product; other items pass untouched."""

    name: str

    def __init__(self, stats: Stats) -> None:
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        return cls(crawler.stats)

    def process_item(self, item: object) -> object:
        return self.process(item) if isinstance(item, ProductItem) else item

    def process(self, item: ProductItem) -> ProductItem:
        """The same item, changed in place where it had to be; DropItem when it is not to go on."""
        raise NotImplementedError

    def count(self, event: str) -> None:
        self.stats.inc_value(f"splitcart/{self.name}/{event}")

    def drop(self, reason: str, item: ProductItem) -> NoReturn:
        self.count(reason)
        raise Dropped(self.name, reason, item.sku)
