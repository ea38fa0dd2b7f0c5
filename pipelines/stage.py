"""What every stage shares: products only, and each drop and repair counted under splitcart/<stage>/<event>."""

from typing import NoReturn, Protocol, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from splitcart_spiders.items import ProductItem


class Stats(Protocol):
    """The part of a statistics collector that the stages use; scripts/replay.py has its own."""

    def inc_value(self, key: str, count: int = 1, start: int = 0) -> None: ...


class Dropped(DropItem):
    """Raised by a stage for an item that it drops; counted under `stage` and `reason`."""

    def __init__(self, stage: str, reason: str, sku: str) -> None:
        super().__init__(f"{stage}: {reason}: sku {sku!r:.60}", log_level="DEBUG")
        self.stage = stage
        self.reason = reason


class Stage:
    """One stage of the pipeline. A subclass has a name and processes one product; other items pass unchanged."""

    name: str

    def __init__(self, stats: Stats) -> None:
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        assert crawler.stats is not None
        return cls(crawler.stats)

    def process_item(self, item: object) -> object:
        return self.process(item) if isinstance(item, ProductItem) else item

    def process(self, item: ProductItem) -> ProductItem:
        """The same item, repaired in place. Raises DropItem to drop it."""
        raise NotImplementedError

    def count(self, event: str) -> None:
        self.stats.inc_value(f"splitcart/{self.name}/{event}")

    def drop(self, reason: str, item: ProductItem) -> NoReturn:
        self.count(reason)
        raise Dropped(self.name, reason, item.sku)
