"""The last stage: passes each item to the run's staging. Nothing is published here."""

from dataclasses import fields
from operator import attrgetter
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.statscollectors import StatsCollector

from splitcart.identity.matching import normalized_key
from splitcart_spiders.items import BarcodeItem, CategoryItem, ProductItem, StoreItem
from splitcart_spiders.shared import Run, Shared

# The run row has company and store; the shelf's texts have become unit_price.
NOT_STAGED = {"company", "store_id", "shelf_unit_price", "shelf_unit_measure"}
STAGED = tuple(field.name for field in fields(ProductItem) if field.name not in NOT_STAGED)
take = attrgetter(*STAGED)


class UnitOfWorkPipeline:
    """Stages the rows of the run that an extension owns; waits only while the bounded buffer is full."""

    def __init__(self, run: Run, stats: StatsCollector) -> None:
        self.run = run
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = Shared.of(crawler).run
        if run is None or crawler.stats is None:
            raise NotConfigured("no extension owns a run of this spider")
        return cls(run, crawler.stats)

    async def process_item(self, item: object) -> object:
        if isinstance(item, ProductItem):
            row = dict(zip(STAGED, take(item), strict=True))
            row["normalized_key"] = item.name and normalized_key(item.brand, item.name, item.size)
            await self.run.stage(row)
        elif isinstance(item, BarcodeItem):
            await self.run.stage_barcode(item)
        elif isinstance(item, StoreItem):
            await self.run.stage_store(item)
        elif isinstance(item, CategoryItem):
            self.stats.inc_value("splitcart/staging/categories")
        return item

    async def close_spider(self) -> None:
        await self.run.end_staging()
